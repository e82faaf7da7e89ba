"""compose.yaml as it stands, without Docker: its commands with its variables, at addresses of this machine."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..conftest import find_minio
from ..ports import free_port
from ..postgres import PostgresServer
from .house import COMMAND_TIMEOUT_S, Finished, plain_environment
from .process import Process, until

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "deployment.md").read_text()
BEYOND_A_NAME = r"(?<![\w.-])"


class Composed:
    """The services of compose.yaml; what is started is gone after `end`."""

    def __init__(self, folder: Path, raw: Path, postgres: PostgresServer) -> None:
        self.folder = folder
        self._settings = {
            "RAW": str(raw),
            "MINIO_PASSWORD": "5f1c-of-the-store",
            "POSTGRES_PASSWORD": postgres.password,
        }
        self.services: dict[str, dict[str, Any]] = yaml.safe_load(filled(self._settings))["services"]
        self._ports = {("postgres", "5432"): postgres.port}
        self._published: dict[str, tuple[str, str]] = {}
        for name, service in self.services.items():
            for published in service.get("ports", ()):
                host, outside, inside = published.split(":")
                assert host == "127.0.0.1", f"{name} is published to others"
                self._published[outside] = (name, inside)
        self._running: list[Process] = []

    def port(self, name: str, inside: str) -> int:
        """Return the port of this machine that stands for one of a service."""
        return self._ports.setdefault((name, inside), free_port())

    def here(self, name: str, text: str) -> str:
        """Put addresses and folders of this machine for those that a service has."""
        names = "|".join(self.services)
        text = re.sub(r"^(0\.0\.0\.0|):(\d+)$", lambda found: f"{found[1]}:{self.port(name, found[2])}", text)
        text = re.sub(
            rf"{BEYOND_A_NAME}localhost:(\d+)",
            lambda found: f"localhost:{self.port(*self._published[found[1]])}",
            text,
        )
        text = re.sub(
            rf"{BEYOND_A_NAME}({names}):(\d+)", lambda found: f"localhost:{self.port(found[1], found[2])}", text
        )
        for volume in self.services[name].get("volumes", ()):
            source, inside = volume.removesuffix(":ro").rsplit(":", 1)
            text = text.replace(inside, source if source.startswith("/") else str(self.folder / source))
        return text

    def start(self) -> None:
        """Start everything in its order, and wait until all are ready."""
        self._start("minio", str(find_minio()))
        migrate = self._start("migrate")
        assert migrate.wait(180) == 0, migrate.log
        parts = [self._start(name) for name in ("registry", "registry-b", "runner", "inpainting")]
        for part in parts:
            event = f"{part.name.removesuffix('-b')}_ready"
            until(lambda part=part, event=event: part.events(event) or not part.alive(), f"the {part.name}", 90.0)
            assert part.alive(), part.log

    def _start(self, name: str, entrypoint: str = "") -> Process:
        service = self.services[name]
        words = [self.here(name, word) for word in service["command"].split()]
        if not entrypoint:
            # Ours.
            assert words.pop(0) == "python"
            entrypoint = sys.executable
        variables = {key: self.here(name, value) for key, value in service["environment"].items()}
        process = Process(name, [entrypoint, *words], plain_environment() | variables, self.folder / f"{name}.log")
        self._running.append(process)
        process.start()
        return process

    def darkroom(self, *arguments: str, env: Mapping[str, str]) -> Finished:
        command = [sys.executable, "-m", "darkroom_client", *arguments]
        done = subprocess.run(
            command,
            env=plain_environment() | {"DARKROOM_CACHE": str(self.folder / "cache"), **env},
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def end(self) -> None:
        for process in self._running:
            process.end()


@pytest.fixture
def composed(tmp_path: Path, photos: Path, postgres_server: PostgresServer) -> Iterator[Composed]:
    with postgres_server.connect("postgres") as connection:
        connection.execute("CREATE DATABASE darkroom")
    composed = Composed(tmp_path, photos, postgres_server)
    try:
        composed.start()
        yield composed
    finally:
        composed.end()
        postgres_server.drop_database("/darkroom")


def test_what_compose_starts_builds_downloads_retouches_and_is_counted(composed: Composed, photos: Path) -> None:
    [server] = re.findall(r"^export DARKROOM_SERVER=(localhost:\S+)$", DOCUMENT, re.MULTILINE)
    server = composed.here("registry", server)
    env = {"DARKROOM_SERVER": server, "DARKROOM_INPAINTING": composed.here("registry", "localhost:50052")}
    composed.darkroom("define", "street", "--handler", "stock/inpainting", "--raw", "photos=street", env=env).ok()
    built = composed.darkroom("request", "street", "--json", env=env).ok().json
    assert built["cached"] is False
    for each in server.split(","):
        alone = composed.darkroom("request", "street", "--json", env=env | {"DARKROOM_SERVER": each}).ok().json
        assert (alone["key"], alone["cached"]) == (built["key"], True)
    photo = photos / "street" / "000.jpg"
    made = ("--box", "100,60,40,50", "--output", str(composed.folder / "out.jpg"))
    composed.darkroom("inpaint", str(photo), *made, env=env).ok()
    found = composed.darkroom("doctor", "--json", env=env).ok().json["checks"]
    assert {each["level"] for each in found} == {"ok"}, found
    for target in targets():
        with urllib.request.urlopen(f"http://{composed.here('prometheus', target)}/metrics", timeout=30) as page:
            assert "grpc_server_call_started_total" in page.read().decode()


def test_retouching_is_published_where_clients_look_for_it() -> None:
    services = yaml.safe_load(filled({}, strict=False))["services"]
    outside = {name: int(services[name]["ports"][0].split(":")[1]) for name in ("registry", "inpainting")}
    assert outside["inpainting"] == outside["registry"] + 2


def targets() -> list[str]:
    """Return what Prometheus asks."""
    [job] = yaml.safe_load((ROOT / "prometheus.yaml").read_text())["scrape_configs"]
    return [target for group in job["static_configs"] for target in group["targets"]]


def filled(settings: Mapping[str, str], *, strict: bool = True) -> str:
    """Return compose.yaml with values for its ``${NAME}``, as Docker puts them in."""

    def value(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if name not in settings and kind == ":?" and strict:
            raise AssertionError(f"compose.yaml needs {name}: {rest}")
        return settings.get(name, rest if kind == ":-" else "")

    return re.sub(r"\$\{(\w+)(:[?-])([^}]*)\}", value, (ROOT / "compose.yaml").read_text())
