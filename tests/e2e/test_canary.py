"""Secrets of a whole deployment that builds, fails and refuses: nothing that it leaves behind shows one."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import threading
import traceback
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from darkroom_client import Client, DarkroomError
from service_kit.door import make_door
from service_kit.tls import make_certificate
from service_kit.token_file import TokenFile

from ..git_repositories import Repository
from ..ports import free_port
from ..services.service_kit.test_git_private import TOKEN as GIT_TOKEN
from ..services.service_kit.test_git_private import GitOverHttp
from .buckets import object_bytes, s3
from .collector import Collector, collector
from .house import HANDLERS, House
from .process import until

GIT_WRONG = "ghp_wrong-canary"
STRANGER = "dr_canary-of-a-stranger"
REQUEST_ID = "night-of-the-canary"
HANDLER = """
import os
from dataset_handlers import DatasetHandler, photo_samples

class Curious(DatasetHandler):
    def samples(self):
        return list(photo_samples(self.raw_data_path))[:4]

    def examples(self, sample, rng):
        # All that a handler is given may come into its log and its examples.
        print(dict(os.environ))
        yield {"id": sample.id, "seen": repr(dict(os.environ)).encode()}
"""


@dataclass
class Deployment:
    """What runs, what must not be seen, and what was seen, by the place where it was."""

    house: House
    collector: Collector
    metrics: list[int]
    canaries: dict[str, str]
    tokens: dict[str, str]
    certificate: str
    database: str
    seen: dict[str, bytes] = field(default_factory=dict)

    def ask(self, call: Callable[[Client], Any], token: str = "request") -> Any:
        """Return what a client's call returns, or its error; kept as a program would print it."""
        with pytest.MonkeyPatch.context() as variables:
            variables.setenv("DARKROOM_TOKEN", self.tokens[token])
            variables.setenv("DARKROOM_CERTIFICATE", self.certificate)
            with Client(self.house.server, self.house.cache) as client:
                try:
                    found = call(client)
                except DarkroomError as error:
                    found = error
        said = "".join(traceback.format_exception(found)) if isinstance(found, DarkroomError) else ""
        self.seen[f"{len(self.seen)}: asked"] = f"{found!r}{found}{said}".encode()
        return found

    def darkroom(self, *words: str, token: str = "request", **more: str) -> int:
        """Run a command, keep all that it prints, and return its exit code."""
        variables = {"DARKROOM_TOKEN": self.tokens.get(token, token), "DARKROOM_CERTIFICATE": self.certificate}
        variables |= {"DARKROOM_REQUEST_ID": REQUEST_ID, "DARKROOM_TRACES": self.collector.endpoint}
        done = self.house.darkroom(*words, env=variables | {"DARKROOM_INPAINTING": "localhost:1"} | more)
        self.seen[f"{len(self.seen)}: darkroom {' '.join(words)}"] = (done.out + done.err).encode()
        return done.code


@pytest.fixture(scope="module")
def private_git(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The URL of a repository that asks for a token, and the certificate of its server."""
    folder = tmp_path_factory.mktemp("git")
    repository = Repository(folder / "served" / "private.git", {"README": "no handlers"})
    certificate, key = make_certificate(folder / "tls", ("127.0.0.1",))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Served", (GitOverHttp,), {"root": repository.folder.parent}))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield f"https://127.0.0.1:{server.server_port}/private.git", certificate
    server.shutdown()
    serving.join()
    server.server_close()


@pytest.fixture
def deployment(
    tmp_path: Path, photos: Path, minio_variables, minio_server, migrated_postgres_url, postgres_server, private_git
) -> Iterator[Deployment]:
    door = make_door(tmp_path / "secrets" / "door")
    file = TokenFile(Path(door["tokens"]))
    tokens = {scope: file.create(f"{scope}-canary", [scope]) for scope in ("read", "request", "admin")}
    tokens |= {"revoked": file.create("revoked-canary", ["admin"]), "stranger": STRANGER}
    file.revoke("revoked-canary")
    git = {name: _repository(tmp_path / "secrets", name, *private_git) for name in ("private", "denied")}
    (tmp_path / "curious").mkdir()
    (tmp_path / "curious" / "curious.py").write_text(HANDLER)
    ports = [free_port(), free_port()]
    served = {"TLS_CERTIFICATE": door["certificate"], "TLS_KEY": door["key"], "TOKENS": door["tokens"]}
    with collector() as found:
        house = House(
            tmp_path / "house",
            photos,
            minio_variables,
            DATABASE_URL=migrated_postgres_url,
            REPOSITORIES=json.dumps(git),
            METRICS_LISTEN=f"localhost:{ports[0]}",
            LOG_LEVEL="DEBUG",
            **served,
        )
        runner = {
            "REPOSITORIES": json.dumps(git),
            "LOCAL_REPOSITORIES": json.dumps({"test": str(HANDLERS), "curious": str(tmp_path / "curious")}),
            "METRICS_LISTEN": f"localhost:{ports[1]}",
            "REGISTRY_CA": door["certificate"],
            "LOG_LEVEL": "DEBUG",
        }
        canaries = {
            **{f"token {name}": token for name, token in tokens.items()},
            "token runner": Path(door["runner_token"]).read_text().strip(),
            "private key": "".join(Path(door["key"]).read_text().split("-----")[2].split())[10:74],
            "store": minio_server.secret_key,
            "database": postgres_server.password,
            "git": GIT_TOKEN,
            "git, refused": GIT_WRONG,
        }
        deployed = Deployment(house, found, ports, canaries, tokens, door["certificate"], migrated_postgres_url)
        try:
            house.registry.start(DARKROOM_TRACES=found.endpoint)
            trusted = house.add_runner("runner-1", **runner, REGISTRY_TOKEN_FILE=door["runner_token"])
            trusted.start(DARKROOM_TRACES=found.endpoint)
            # One that is turned away, with a token that is a canary as well.
            house.start_runner("turned-away", **runner | {"METRICS_LISTEN": ""}, REGISTRY_TOKEN=tokens["revoked"])
            yield deployed
        finally:
            house.end()


def test_no_secret_is_in_anything_that_a_deployment_leaves(deployment: Deployment, postgres_server) -> None:
    house, darkroom = deployment.house, deployment.darkroom
    until(lambda: "curious/curious" in handlers(deployment), "the handlers", 90.0, 0.5)
    # It builds and is downloaded from the store itself, by a URL that is a secret while it lasts.
    for name, handler in (("seen", "curious/curious"), ("loud", "test/loud")):
        deployment.ask(lambda client, of=(name, handler): client.define(*of, {"photos": "street"}))
    assert darkroom("request", "seen") == 0
    assert darkroom("logs", "seen") == 0
    key = deployment.ask(lambda client: client.list_datasets())[0].key
    assert deployment.ask(lambda client: client.verify(key, full=True)).ok
    # It fails, in a handler, in a config, at a repository that lets in and at one that does not.
    assert darkroom("request", "loud") != 0
    assert refused(deployment.ask(lambda client: client.request_dataset("seen", "latest", {"nonsense": 1})))
    assert refused(deployment.ask(lambda client: client.get_handler("private/x")))
    assert refused(deployment.ask(lambda client: client.get_handler("denied/x")))
    # It refuses.
    for token in ("stranger", "revoked"):
        assert refused(deployment.ask(lambda client: client.list_datasets(), token))
    assert refused(deployment.ask(lambda client: client.delete(key), "read"))
    # It is looked at.
    darkroom("doctor", "--json", token="admin")
    deployment.ask(lambda client: (client.usage("user"), client.get_dataset(key), client.list_runners()))
    until(lambda: house.runners["turned-away"].events("claim_refused"), "the refusal of a runner", 60.0)
    for port in deployment.metrics:
        with urllib.request.urlopen(f"http://localhost:{port}/metrics", timeout=30) as response:
            deployment.seen[f"metrics at {port}"] = response.read()
    until(lambda: deployment.collector.named("work BUILD"), "the spans of builds")
    house.registry.stop()
    for runner in house.runners.values():
        runner.stop()
    places = {**deployment.seen, **left_behind(deployment, postgres_server)}
    # The search finds what is there to be found.
    for place, mark in (
        ("registry.log", REQUEST_ID),
        ("runner-1.log", REQUEST_ID),
        ("traces", REQUEST_ID),
        ("dump", "curious"),
        ("bucket", "manifest.json"),
        ("/cache/", "MALLOC_TRIM_THRESHOLD_"),
        ("darkroom logs", "MALLOC_TRIM_THRESHOLD_"),
        ("darkroom doctor", "database"),
        ("metrics", "grpc_server_call_started_total"),
        ("asked", "the repository denied cannot be reached"),
    ):
        assert any(place in name and mark.encode() in data for name, data in places.items()), (place, mark)
    assert shown(places, deployment.canaries) == []
    # A URL that opens an archive is in no log and no trace.
    logs = {name: data for name, data in places.items() if name.endswith(".log") or name == "traces"}
    assert shown(logs, {"signed URL": "X-Amz-Signature"}) == []


def shown(places: Mapping[str, bytes], canaries: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return which canary is in which place, as it is or as basic authentication would send it."""
    found = []
    for name, canary in canaries.items():
        forms = [canary.encode(), *(base64.b64encode(b" " * pad + canary.encode())[4:-4] for pad in range(3))]
        found += [(name, place) for place, data in places.items() if any(form in data for form in forms)]
    return found


def left_behind(deployment: Deployment, postgres_server) -> dict[str, bytes]:
    """Return the bytes of all files, objects, rows and spans, by where they are."""
    house = deployment.house
    files = {str(path): path.read_bytes() for path in house.folder.rglob("*") if path.is_file()}
    bucket = s3(house.store).list_objects_v2(Bucket=house.store["STORE_BUCKET"])["Contents"]
    objects = {f"bucket/{each['Key']}": object_bytes(house.store, each["Key"]) for each in bucket}
    parts = urlsplit(deployment.database)
    command = [postgres_server.binaries / "pg_dump", "--host", parts.hostname, "--port", str(parts.port)]
    command += ["--username", parts.username, f"--dbname={parts.path[1:]}"]
    variables = {"PATH": os.environ["PATH"], "PGPASSWORD": parts.password}
    dump = subprocess.run(command, env=variables, check=True, timeout=60, capture_output=True).stdout
    return {**files, **objects, "dump": dump, "traces": b"".join(deployment.collector.bodies)}


def handlers(deployment: Deployment) -> list[str]:
    """Return the names of the handlers that there are so far."""
    found = deployment.ask(lambda client: client.list_handlers())
    return [] if refused(found) else [each.name for each in found]


def refused(answer: Any) -> bool:
    return isinstance(answer, DarkroomError)


def _repository(folder: Path, name: str, url: str, certificate: Path) -> dict[str, str]:
    credentials = folder / f"{name}.git-credentials"
    credentials.write_text(f"anna:{GIT_TOKEN if name == 'private' else GIT_WRONG}\n")
    credentials.chmod(0o600)
    return {"url": url, "credentials": str(credentials), "ca": str(certificate)}
