"""Private repositories on real servers: https with a token behind an own authority, ssh with a deploy key."""

from __future__ import annotations

import base64
import getpass
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from service_kit.errors import DarkroomError, Unavailable
from service_kit.git import Git, GitRepository
from service_kit.tls import make_certificate

from ...git_repositories import Repository
from ...ports import free_port

TOKEN = "ghp_canary"
SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


class GitOverHttp(BaseHTTPRequestHandler):
    """Serves the folder of its server through git's own CGI program, to whoever has the token."""

    protocol_version = "HTTP/1.1"
    root: Path

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _serve(self, body: bytes) -> None:
        basic = base64.b64encode(f"anna:{TOKEN}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {basic}":
            self._answer(401, [("WWW-Authenticate", 'Basic realm="git"')], b"")
            return
        path, _, query = self.path.partition("?")
        variables = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=variables, capture_output=True, check=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n")]
        status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
        self._answer(status, headers, content)

    def _answer(self, status: int, headers: list[tuple[str, ...]], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def handlers(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "served/handlers.git", {"my_handlers.py": "x = 1\n"})


@pytest.fixture
def https(tmp_path: Path, handlers: Repository) -> Iterator[tuple[str, Path]]:
    """Yield the URL of the repository and the file of the authority that vouches for its server."""
    certificate, key = make_certificate(tmp_path / "tls", ("127.0.0.1",))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    served = type("Served", (GitOverHttp,), {"root": handlers.folder.parent})
    server = ThreadingHTTPServer(("127.0.0.1", 0), served)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield f"https://127.0.0.1:{server.server_port}/handlers.git", certificate
    server.shutdown()
    serving.join()
    server.server_close()


def kept(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def fetched(repository: GitRepository, handlers: Repository, folder: Path) -> str:
    """Fetch the commit and return what its file holds."""
    git = Git(refs_timeout_s=10.0, fetch_timeout_s=20.0)
    assert git.refs(repository)["refs/heads/main"] == handlers.commit
    git.fetch(repository, handlers.commit, folder / "mirror")
    git.export(folder / "mirror", handlers.commit, folder / "out", 1 << 20)
    return (folder / "out/my_handlers.py").read_text()


def test_https_with_a_token_and_an_own_authority(tmp_path: Path, handlers: Repository, https: tuple[str, Path]) -> None:
    url, ca = https
    token = kept(tmp_path / "token", f"anna:{TOKEN}\n")
    assert fetched(GitRepository("lab", url, credentials=token, ca=ca), handlers, tmp_path) == "x = 1\n"
    with pytest.raises(Unavailable, match="certificate"):
        Git().refs(GitRepository("lab", url, credentials=token))
    wrong = kept(tmp_path / "wrong", "anna:ghp_other")
    for repository in (GitRepository("lab", url, ca=ca), GitRepository("lab", url, credentials=wrong, ca=ca)):
        with pytest.raises(DarkroomError, match="lab cannot be reached") as refused:
            Git().refs(repository)
        assert "ghp_" not in refused.value.message


@pytest.mark.skipif(SSHD is None, reason="there is no sshd: Debian has it in openssh-server")
def test_ssh_with_a_key_of_its_own(tmp_path: Path, handlers: Repository) -> None:
    for name in ("host", "key", "stranger"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True, timeout=30
        )
    port = free_port()
    settings = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": tmp_path / "host",
        "AuthorizedKeysFile": tmp_path / "key.pub",
        "StrictModes": "no",
        "UsePAM": "no",
        "PermitRootLogin": "yes",
        "PidFile": "none",
    }
    config = kept(tmp_path / "sshd_config", "".join(f"{name} {value}\n" for name, value in settings.items()))
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    log = (tmp_path / "sshd.log").open("wb")
    server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stderr=log)
    try:
        until_open(port)
        known = kept(
            tmp_path / "known_hosts",
            f"[127.0.0.1]:{port} {' '.join((tmp_path / 'host.pub').read_text().split()[:2])}\n",
        )
        url = f"ssh://{getpass.getuser()}@127.0.0.1:{port}{handlers.folder}"
        let_in = GitRepository("lab", url, ssh_key=tmp_path / "key", known_hosts=known)
        assert fetched(let_in, handlers, tmp_path) == "x = 1\n", (tmp_path / "sshd.log").read_text()
        with pytest.raises(Unavailable, match="Permission denied"):
            Git().refs(GitRepository("lab", url, ssh_key=tmp_path / "stranger", known_hosts=known))
        nobody = kept(tmp_path / "nobody", "")
        with pytest.raises(Unavailable, match="Host key verification failed"):
            Git().refs(GitRepository("lab", url, ssh_key=tmp_path / "key", known_hosts=nobody))
    finally:
        server.terminate()
        server.wait(20)
        log.close()


def until_open(port: int) -> None:
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("sshd does not listen")
