"""The index is the one that the operator has chosen, and source distributions are found in it."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from base64 import b64encode

import pytest
from packaging.requirements import Requirement

from handler_runner import environment_index
from handler_runner.environment_index import fetch_sdist, find_sdist, index_urls, index_variables
from handler_runner.environment_python import Interpreter
from handler_runner.failure import WorkFailed
from service_kit.errors import Unavailable

PYTHON = Interpreter("/usr/bin/python3", "3.11.7", "/usr")
BYTES = {"1.0": b"one", "1.1": b"one and more", "2.0": b"two", "3.0": b"three", "3.1rc1": b"soon"}


@pytest.fixture(autouse=True)
def plain(monkeypatch, tmp_path):
    """No setting of this machine's counts."""
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def index(monkeypatch):
    """A real index over HTTP that wants a password; its requests are kept."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers["Authorization"]))
            version = self.path.removeprefix("/files/tiny-").removesuffix(".tar.gz")
            if self.path == "/simple/tiny/":
                body = json.dumps({"files": [*map(listed, BYTES), {"filename": "tiny-9-py3-none-any.whl"}]}).encode()
            elif self.path == "/simple/html/":
                body = b"<html>no JSON</html>"
            elif version in BYTES:
                body = BYTES[version]
            else:
                self.send_error(404)
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words):
            pass

    def listed(version):
        file = {"filename": f"tiny-{version}.tar.gz", "url": f"../../files/tiny-{version}.tar.gz"}
        file["hashes"] = {"sha256": hashlib.sha256(BYTES[version]).hexdigest()}
        return {**file, "yanked": version == "1.1", "requires-python": ">=3.12" if version == "3.0" else None}

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://anna:secret@127.0.0.1:{server.server_port}/simple")
    yield asked
    server.shutdown()
    server.server_close()
    thread.join()
    environment_index._HTTP.clear()


def test_without_settings_it_is_pypi():
    assert index_urls() == ("https://pypi.org/simple",)
    assert index_variables() == {}


def test_uvs_settings_come_first_then_pips(monkeypatch, tmp_path):
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://conf.example/simple\n")
    assert index_urls() == ("https://conf.example/simple",)
    # uv itself does not know pip's settings.
    assert index_variables() == {"UV_DEFAULT_INDEX": "https://conf.example/simple"}
    monkeypatch.setenv("PIP_INDEX_URL", "https://pip.example/simple")
    assert index_variables() == {"UV_DEFAULT_INDEX": "https://pip.example/simple"}
    (tmp_path / "config/uv").mkdir(parents=True)
    (tmp_path / "config/uv/uv.toml").write_text('[[index]]\nurl = "https://toml.example/simple"\ndefault = true\n')
    assert index_urls() == ("https://toml.example/simple",)
    assert index_variables() == {}
    monkeypatch.setenv("UV_INDEX_URL", "https://uv.example/simple")
    monkeypatch.setenv("UV_INDEX", "lab=https://lab.example/simple")
    assert index_urls() == ("https://lab.example/simple", "https://uv.example/simple")


def test_the_newest_that_fits_is_found_and_fetched(index, tmp_path):
    found = find_sdist(Requirement("Tiny"), PYTHON)
    # 3.0 is for another Python, 3.1rc1 is no release, 1.1 was withdrawn.
    assert (found.name, str(found.version)) == ("tiny", "2.0")
    assert str(find_sdist(Requirement("tiny<2"), PYTHON).version) == "1.0"
    fetch_sdist(found, tmp_path / "sdist")
    assert (tmp_path / "sdist").read_bytes() == b"two"
    assert index[0] == ("/simple/tiny/", f"Basic {b64encode(b'anna:secret').decode()}")


def test_one_is_found_by_its_digest(index):
    digest = hashlib.sha256(BYTES["1.0"]).hexdigest()
    assert str(find_sdist(Requirement("tiny"), PYTHON, digest).version) == "1.0"
    with pytest.raises(WorkFailed, match="no source distribution of tiny with sha256 000000000000"):
        find_sdist(Requirement("tiny"), PYTHON, "0" * 64)


@pytest.mark.parametrize("line", ["tiny==7", "nothing"])
def test_none_is_named(index, line):
    with pytest.raises(WorkFailed, match=f"no source distribution of {line} for Python 3.11"):
        find_sdist(Requirement(line), PYTHON)


def test_other_bytes_than_the_index_said_are_refused(index, tmp_path, monkeypatch):
    found = find_sdist(Requirement("tiny"), PYTHON)
    monkeypatch.setitem(BYTES, "2.0", b"changed")
    with pytest.raises(WorkFailed, match=r"tiny-2\.0\.tar\.gz has sha256"):
        fetch_sdist(found, tmp_path / "sdist")


def test_an_index_without_json_is_named(index):
    with pytest.raises(WorkFailed, match=r"gives no JSON \(PEP 691\)"):
        find_sdist(Requirement("html"), PYTHON)


def test_an_index_that_is_away_may_come_back(monkeypatch):
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://anna:secret@127.0.0.1:1/simple")
    monkeypatch.setattr(environment_index._HTTP, "connection_pool_kw", {"retries": False, "timeout": 1.0})
    with pytest.raises(Unavailable, match=r"the package index at 127\.0\.0\.1 does not answer") as caught:
        find_sdist(Requirement("tiny"), PYTHON)
    assert "secret" not in str(caught.value)
