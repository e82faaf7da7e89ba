"""Why no call gets through: each way in which two sides can disagree about TLS, with real servers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from darkroom_client import Client, Unavailable
from darkroom_client.async_inpainting import AsyncInpainting
from darkroom_client.logins import Login, store_login
from service_kit.tls import make_certificate, server_credentials


@pytest.fixture(autouse=True)
def own_logins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_LOGINS", str(tmp_path / "logins.json"))
    for name in ("DARKROOM_TOKEN", "DARKROOM_CERTIFICATE", "DARKROOM_INPAINTING"):
        monkeypatch.delenv(name, raising=False)
    for part in ("connection", "async_inpainting"):
        monkeypatch.setattr(f"darkroom_client.{part}.CONTACT_TIMEOUT_S", 1.0)


@contextmanager
def answering(door: Path | None) -> Iterator[str]:
    """Yield the address of a gRPC server, with the folder's certificate or without any."""
    server = grpc.server(futures.ThreadPoolExecutor(1))
    if door is None:
        port = server.add_insecure_port("localhost:0")
    else:
        port = server.add_secure_port("localhost:0", server_credentials(*make_certificate(door), None))
    server.start()
    try:
        yield f"localhost:{port}"
    finally:
        server.stop(None)


def pinned(door: Path) -> Login:
    return Login(make_certificate(door)[0].read_text(), True, "dr_token")


def refusal(server: str) -> str:
    with pytest.raises(Unavailable) as raised, Client(server) as client:
        client.list_runners()
    return str(raised.value)


def test_plain_that_meets_tls_is_told_to_log_in(tmp_path: Path) -> None:
    with answering(tmp_path / "door") as server:
        said = refusal(server)
        assert "answers by TLS, and this machine has no login to it: type the line" in said
        assert f"`darkroom login {server} --invite ...`" in said


def test_tls_that_meets_plain_is_told_to_log_out_and_that_nothing_was_sent(tmp_path: Path) -> None:
    with answering(None) as server:
        store_login(server, pinned(tmp_path / "door"))
        said = refusal(server)
        assert "answers without TLS" in said
        assert "nothing was sent" in said
        assert f"`darkroom logout {server}`" in said


def test_a_certificate_that_changed_is_told_from_a_stranger_by_whoever_knows(tmp_path: Path) -> None:
    with answering(tmp_path / "door") as server:
        store_login(server, pinned(tmp_path / "earlier"))
        said = refusal(server)
        assert f"{server} shows another certificate" in said
        assert f"`darkroom login {server} --invite ...`; else somebody stands in between" in said


def test_a_certificate_of_an_unknown_authority_is_named(tmp_path: Path) -> None:
    with answering(tmp_path / "door") as server:
        store_login(server, Login("", False, "dr_token"))
        said = refusal(server)
        assert f"the certificate of {server} is not believed (self-signed certificate)" in said


def test_nobody_there_is_nobody_there(tmp_path: Path) -> None:
    with answering(None) as server:
        pass
    assert f"no Darkroom registry answers at {server}" in refusal(server)


def test_the_inpainting_service_says_the_same(tmp_path: Path) -> None:
    async def ask(server: str) -> None:
        client = AsyncInpainting(server)
        try:
            await client.list_models()
        finally:
            await client.close()

    with answering(tmp_path / "door") as server, pytest.raises(Unavailable, match="has no login to it"):
        asyncio.run(ask(server))
