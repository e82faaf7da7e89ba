"""Each RPC of each service, called without a token, with an expired, a revoked, a lesser, and the right one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

from darkroom.dataset.v1 import dataset_pb2
from darkroom.handler.v1 import handler_pb2
from darkroom.inpainting.v1 import inpainting_pb2
from service_kit.door import make_door
from service_kit.scopes import READ, REQUIRED, SCOPES
from service_kit.tls import SERVER_NAME
from service_kit.token_file import TokenFile

from .house import House
from .inpainting_house import InpaintingHouse
from .process import until

CALL_S = 20.0
REFUSALS = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
CANARY = "dr_canary-that-no-log-may-show"
DATASETS = dataset_pb2.DESCRIPTOR.services_by_name["DatasetService"]
RUNNERS = handler_pb2.DESCRIPTOR.services_by_name["RunnerService"]
INPAINTING = inpainting_pb2.DESCRIPTOR.services_by_name["InpaintingService"]
SERVICES = {"registry": [DATASETS, RUNNERS], "inpainting": [INPAINTING]}
RPCS = [
    pytest.param(where, f"/{service.full_name}/{method.name}", id=method.name)
    for where, services in SERVICES.items()
    for service in services
    for method in service.methods
]


@dataclass
class Guarded:
    """The services behind TLS, and one token of each kind."""

    channels: dict[str, grpc.Channel]
    tokens: dict[str, str]
    logs: list[Path]

    def call(self, where: str, method: str, token: str | None) -> grpc.StatusCode:
        """Call with an empty message; return the status."""
        metadata = [("authorization", f"Bearer {token}")] if token is not None else []
        # On the wire a unary call is a stream of one, so this fits every kind of RPC.
        call = self.channels[where].stream_stream(method)(iter([b""]), timeout=CALL_S, metadata=metadata)
        try:
            next(call, None)
        except grpc.RpcError as error:
            code: grpc.StatusCode = error.code()
            return code
        finally:
            call.cancel()
        return grpc.StatusCode.OK


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    door = make_door(folder / "door")
    settings = {"TLS_CERTIFICATE": door["certificate"], "TLS_KEY": door["key"], "TOKENS": door["tokens"]}
    file = TokenFile(Path(door["tokens"]))
    tokens = {scope: file.create(scope, [scope]) for scope in SCOPES}
    tokens["expired"] = file.create("expired", list(SCOPES), life_s=1e-6)
    tokens["revoked"] = file.create("revoked", list(SCOPES))
    file.revoke("revoked")
    house = House(folder / "house", photos, None, **settings)
    inpainting = InpaintingHouse(folder / "inpainting", **settings)
    roots = grpc.ssl_channel_credentials(Path(door["certificate"]).read_bytes())
    options = [("grpc.ssl_target_name_override", SERVER_NAME)]
    servers = {"registry": house.server, "inpainting": inpainting.server}
    channels = {name: grpc.secure_channel(server, roots, options=options) for name, server in servers.items()}
    try:
        house.registry.start()
        inpainting.start()
        for channel in channels.values():
            grpc.channel_ready_future(channel).result(60)
        yield Guarded(channels, tokens, [folder / "house" / "registry.log", folder / "inpainting" / "inpainting.log"])
    finally:
        for channel in channels.values():
            channel.close()
        house.end()
        inpainting.end()


@pytest.mark.parametrize(("where", "method"), RPCS)
def test_each_rpc_asks_for_a_good_token_with_its_scope(guarded: Guarded, where: str, method: str) -> None:
    for bad in (None, "", "dr_unknown", guarded.tokens["expired"], guarded.tokens["revoked"]):
        assert guarded.call(where, method, bad) == grpc.StatusCode.UNAUTHENTICATED
    needed = REQUIRED[method]
    for scope, brings in SCOPES.items():
        code = guarded.call(where, method, guarded.tokens[scope])
        if needed in brings:
            assert code not in REFUSALS
        else:
            assert code == grpc.StatusCode.PERMISSION_DENIED


def test_what_nobody_serves_tells_a_stranger_nothing(guarded: Guarded) -> None:
    reflection = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    assert guarded.call("registry", reflection, None) == grpc.StatusCode.UNAUTHENTICATED
    assert guarded.call("registry", reflection, guarded.tokens[READ]) == grpc.StatusCode.OK


def test_health_needs_no_token(guarded: Guarded) -> None:
    assert guarded.call("registry", "/grpc.health.v1.Health/Check", None) == grpc.StatusCode.OK


def test_no_log_shows_a_token(guarded: Guarded) -> None:
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: guarded.call("registry", RPCS[0].values[1], CANARY), range(16)))
    assert set(codes) == {grpc.StatusCode.UNAUTHENTICATED}
    for log in guarded.logs:
        until(lambda log=log: "call_refused" in log.read_text(), "the line on a refused call")
        text = log.read_text()
        for secret in (CANARY, *guarded.tokens.values()):
            assert secret not in text
