"""Beyond this machine a service answers by TLS and with tokens, or not at all."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from darkroom.handler.v1 import handler_pb2, handler_pb2_grpc
from service_kit.errors import FailedPrecondition
from service_kit.security import SecuritySettings, is_loopback, is_of_this_machine, open_security
from service_kit.serving import Serving
from service_kit.tls import SERVER_NAME, fingerprint, make_certificate
from service_kit.token_file import TokenFile

PREFIX = "DARKROOM_TEST_"
NAME = "darkroom.handler.v1.HandlerRunnerService"


class Answering(handler_pb2_grpc.HandlerRunnerServiceServicer):  # type: ignore[misc]
    async def GetRunner(self, request: Any, context: Any) -> handler_pb2.GetRunnerResponse:
        return handler_pb2.GetRunnerResponse(work=["work/1"])


@pytest.fixture
def guarded(tmp_path: Path) -> SecuritySettings:
    certificate, key = make_certificate(tmp_path / "tls")
    return SecuritySettings(tls_certificate=certificate, tls_key=key, tokens=tmp_path / "tokens.json")


@pytest.fixture
async def port(guarded: SecuritySettings) -> AsyncIterator[int]:
    def register(server: grpc.aio.Server) -> None:
        handler_pb2_grpc.add_HandlerRunnerServiceServicer_to_server(Answering(), server)

    serving = Serving("localhost:0", [NAME], register, open_security(guarded, "localhost:0", PREFIX))
    await serving.start()
    yield serving.port
    await serving.stop(0)


def channel(port: int, guarded: SecuritySettings) -> grpc.aio.Channel:
    assert guarded.tls_certificate
    roots = grpc.ssl_channel_credentials(guarded.tls_certificate.read_bytes())
    options = [("grpc.ssl_target_name_override", SERVER_NAME)]
    return grpc.aio.secure_channel(f"localhost:{port}", roots, options=options)


async def call(port: int, guarded: SecuritySettings, token: str = "", header: str = "") -> grpc.StatusCode:
    async with channel(port, guarded) as open_channel:
        value = header or (f"Bearer {token}" if token else "")
        metadata = (("authorization", value),) if value else ()
        try:
            stub = handler_pb2_grpc.HandlerRunnerServiceStub(open_channel)
            await stub.GetRunner(handler_pb2.GetRunnerRequest(), timeout=60, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            return error.code()
    return grpc.StatusCode.OK


async def test_a_good_token_gets_through_and_nothing_else_does(port: int, guarded: SecuritySettings) -> None:
    assert guarded.tokens
    file = TokenFile(guarded.tokens)
    assert await call(port, guarded, file.create("reader", ["read"])) == grpc.StatusCode.OK
    assert await call(port, guarded) == grpc.StatusCode.UNAUTHENTICATED
    assert await call(port, guarded, "dr_forged") == grpc.StatusCode.UNAUTHENTICATED
    assert await call(port, guarded, header="Basic cm9vdDpyb290") == grpc.StatusCode.UNAUTHENTICATED
    past = file.create("past", ["read"], life_s=1e-9)
    assert await call(port, guarded, past) == grpc.StatusCode.UNAUTHENTICATED


async def test_health_answers_without_a_token(port: int, guarded: SecuritySettings) -> None:
    async with channel(port, guarded) as open_channel:
        response = await health_pb2_grpc.HealthStub(open_channel).Check(health_pb2.HealthCheckRequest(), timeout=60)
    assert response.status == health_pb2.HealthCheckResponse.SERVING


async def test_the_certificate_shown_has_the_fingerprint_that_an_invite_carries(
    port: int, guarded: SecuritySettings
) -> None:
    import asyncio

    assert guarded.tls_certificate
    shown = await asyncio.to_thread(ssl.get_server_certificate, ("localhost", port))
    assert fingerprint(shown.encode()) == fingerprint(guarded.tls_certificate.read_bytes())


async def test_a_call_without_tls_gets_nothing(port: int) -> None:
    async with grpc.aio.insecure_channel(f"localhost:{port}") as plain:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await handler_pb2_grpc.HandlerRunnerServiceStub(plain).GetRunner(handler_pb2.GetRunnerRequest(), timeout=3)
    assert raised.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


async def test_mutual_tls_turns_away_who_shows_no_certificate(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path / "server")
    client_certificate, client_key = make_certificate(tmp_path / "client")
    settings = SecuritySettings(tls_certificate=certificate, tls_key=key, tls_client_ca=client_certificate)

    def register(server: grpc.aio.Server) -> None:
        handler_pb2_grpc.add_HandlerRunnerServiceServicer_to_server(Answering(), server)

    serving = Serving("localhost:0", [NAME], register, open_security(settings, "localhost:0", PREFIX))
    await serving.start()
    options = [("grpc.ssl_target_name_override", SERVER_NAME)]
    known = grpc.ssl_channel_credentials(
        certificate.read_bytes(), client_key.read_bytes(), client_certificate.read_bytes()
    )
    unknown = grpc.ssl_channel_credentials(certificate.read_bytes())
    try:
        async with grpc.aio.secure_channel(f"localhost:{serving.port}", known, options=options) as open_channel:
            stub = handler_pb2_grpc.HandlerRunnerServiceStub(open_channel)
            assert (await stub.GetRunner(handler_pb2.GetRunnerRequest(), timeout=60)).work == ["work/1"]
        async with grpc.aio.secure_channel(f"localhost:{serving.port}", unknown, options=options) as open_channel:
            stub = handler_pb2_grpc.HandlerRunnerServiceStub(open_channel)
            with pytest.raises(grpc.aio.AioRpcError):
                await stub.GetRunner(handler_pb2.GetRunnerRequest(), timeout=3)
    finally:
        await serving.stop(0)


@pytest.mark.parametrize("listen", ["0.0.0.0:50050", "[::]:50050", "192.168.1.2:1", "studio.example:50050", ":50050"])
def test_an_address_beyond_this_machine_needs_a_guard(listen: str, guarded: SecuritySettings) -> None:
    assert not is_loopback(listen)
    with pytest.raises(FailedPrecondition, match="DARKROOM_TEST_TLS_CERTIFICATE"):
        open_security(SecuritySettings(), listen, PREFIX)
    half = SecuritySettings(tokens=guarded.tokens)
    with pytest.raises(FailedPrecondition, match="needs TLS and tokens"):
        open_security(half, listen, PREFIX)
    assert open_security(SecuritySettings(insecure=True), listen, PREFIX).credentials is None
    assert open_security(guarded, listen, PREFIX).credentials is not None


@pytest.mark.parametrize("listen", ["localhost:50050", "127.0.0.1:0", "[::1]:50050"])
def test_loopback_needs_no_ceremony(listen: str) -> None:
    guard = open_security(SecuritySettings(), listen, PREFIX)
    assert guard.credentials is None
    assert guard.interceptors == ()


def test_a_key_that_is_not_the_certificates_is_refused_by_name(tmp_path: Path) -> None:
    certificate, _ = make_certificate(tmp_path / "one")
    _, key = make_certificate(tmp_path / "other")
    with pytest.raises(FailedPrecondition, match=r"key\.pem is not the key of .*certificate\.pem"):
        open_security(SecuritySettings(tls_certificate=certificate, tls_key=key), "localhost:0", PREFIX)
    with pytest.raises(FailedPrecondition, match="cannot be read"):
        open_security(SecuritySettings(tls_certificate=certificate, tls_key=tmp_path / "no"), "localhost:0", PREFIX)
    certificate.write_text("nonsense")
    with pytest.raises(FailedPrecondition, match="must be a PEM certificate"):
        open_security(SecuritySettings(tls_certificate=certificate, tls_key=key), "localhost:0", PREFIX)


def test_a_certificate_is_made_once_and_its_key_is_private(tmp_path: Path) -> None:
    first = make_certificate(tmp_path, ("studio.example", "10.0.0.5"))
    before = first[0].read_bytes()
    assert make_certificate(tmp_path) == first
    assert first[0].read_bytes() == before
    assert first[1].stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("peer", "here"),
    [
        ("ipv4:127.0.0.1:43210", True),
        ("ipv6:%5B::1%5D:43210", True),
        ("ipv6:[::1]:43210", True),
        ("unix:", True),
        ("ipv4:10.0.0.5:43210", False),
        ("ipv6:%5Bfe80::1%5D:43210", False),
        ("", False),
    ],
)
def test_only_loopback_is_this_machine(peer: str, here: bool) -> None:
    assert is_of_this_machine(peer) is here


def test_half_a_pair_of_settings_is_refused_by_name(guarded: SecuritySettings) -> None:
    with pytest.raises(FailedPrecondition, match="DARKROOM_TEST_TLS_KEY belong together"):
        open_security(SecuritySettings(tls_certificate=guarded.tls_certificate), "localhost:0", PREFIX)
    with pytest.raises(FailedPrecondition, match="DARKROOM_TEST_TLS_CLIENT_CA needs"):
        open_security(SecuritySettings(tls_client_ca=guarded.tls_certificate), "localhost:0", PREFIX)
