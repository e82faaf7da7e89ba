"""The deployment's store between two machines: words come from the registry by TLS, bytes by URLs from MinIO itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..conftest import MinioServer, find_minio
from .process import until
from .two_machines import LAB_SIDE, STORE_PORT, STUDIO, TwoMachines, need_namespaces

DELAY_MS = 50


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[TwoMachines]:
    need_namespaces()
    machines = TwoMachines(tmp_path)
    try:
        yield machines
    finally:
        machines.end()


def test_shards_come_by_presigned_urls_at_the_public_endpoint(machines: TwoMachines, photos: Path) -> None:
    studio, lab = machines.studio, machines.lab
    shutil.copytree(photos, studio.home / "photos")
    door = studio.home / "door"
    # The name by which the lab calls it is the line's.
    studio.type(f"python -m service_kit.door {door} --host {LAB_SIDE}").ok()
    keys = {"MINIO_ROOT_USER": MinioServer.access_key, "MINIO_ROOT_PASSWORD": MinioServer.secret_key}
    store = {
        "STORE": "minio",
        "STORE_ENDPOINT": f"http://{STUDIO}:{STORE_PORT}",
        "STORE_ACCESS_KEY": MinioServer.access_key,
        "STORE_SECRET_KEY": MinioServer.secret_key,
    }
    registry = {
        "LISTEN": f"{STUDIO}:50050",
        "HOME": str(studio.home / "registry"),
        "TLS_CERTIFICATE": str(door / "certificate.pem"),
        "TLS_KEY": str(door / "key.pem"),
        "TOKENS": str(door / "tokens.json"),
        # The line's near end, where the lab finds the store.
        "STORE_PUBLIC_ENDPOINT": f"http://{LAB_SIDE}:{STORE_PORT}",
    }
    runner = {
        "REGISTRY": f"{STUDIO}:50050",
        "REGISTRY_CA": str(door / "certificate.pem"),
        "REGISTRY_HOST_NAME": "darkroom",
        "REGISTRY_TOKEN_FILE": str(door / "runner.token"),
        "RAW_ROOT": str(studio.home / "photos"),
        "HOME": str(studio.home / "runner"),
        "WORKERS": "2",
    }
    shell = {"DARKROOM_SERVER": machines.server}
    machines.tell(f"delay_ms {DELAY_MS}")
    with (
        studio.running("minio", str(find_minio()), "server", "data", "--address", f"{STUDIO}:{STORE_PORT}", env=keys),
        studio.running("registry", "python", "-m", "dataset_registry", env=variables("REGISTRY", registry | store)),
        studio.running("runner", "python", "-m", "handler_runner", env=variables("RUNNER", runner | store)),
    ):
        shutil.copyfile(door / "invite.token", lab.home / "token")
        shutil.copyfile(door / "certificate.pem", lab.home / "certificate.pem")
        login = f"darkroom login {machines.server} --token-file token --ca certificate.pem"
        until(lambda: lab.type(login).code == 0, "the login", 60.0, 0.2)
        until(lambda: "stock/inpainting" in lab.type("darkroom handlers", env=shell).out, "the handlers", 60.0, 0.2)
        lab.type("darkroom define street --handler stock/inpainting --raw photos=street", env=shell).ok()
        before = machines.tell("count")["back_bytes_by_port"]
        got = lab.type("darkroom request street --json", env=shell).ok().json
        after = machines.tell("count")["back_bytes_by_port"]
        by_port = {port: after[port] - before[port] for port in after}
        assert by_port[STORE_PORT] >= got["bytes"]
        assert by_port["50050"] < got["bytes"] / 10
        assert lab.type("darkroom cache verify").ok()
        doctor = lab.type("darkroom doctor --json", env=shell).json
        [seen] = [each for each in doctor["checks"] if each["subject"] == "store, from here"]
        assert seen["level"] == "ok", seen


def variables(part: str, settings: dict[str, str]) -> dict[str, str]:
    return {f"DARKROOM_{part}_{name}": value for name, value in settings.items()}
