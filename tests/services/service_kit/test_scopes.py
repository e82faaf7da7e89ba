"""Each RPC has its place in the table of scopes."""

import pytest

from darkroom.dataset.v1 import dataset_pb2
from darkroom.handler.v1 import handler_pb2
from darkroom.inpainting.v1 import inpainting_pb2
from service_kit.scopes import ADMIN, READ, REQUEST, REQUIRED, RUN, SCOPE_TEXTS, SCOPES, allows, required_scope

METHODS = sorted(
    f"/{service.full_name}/{method.name}"
    for file in (dataset_pb2, handler_pb2, inpainting_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
)


def test_the_table_has_each_rpc_that_there_is_and_no_other() -> None:
    assert sorted(REQUIRED) == METHODS


def test_a_method_that_nobody_entered_is_for_admins_only() -> None:
    assert required_scope("/darkroom.dataset.v1.DatasetService/NewOne") == ADMIN


def test_health_is_open_and_reflection_is_not() -> None:
    assert required_scope("/grpc.health.v1.Health/Check") is None
    assert required_scope("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo") == READ


def test_each_scope_is_explained() -> None:
    assert set(SCOPES) == set(SCOPE_TEXTS) == {READ, REQUEST, RUN, ADMIN}


@pytest.mark.parametrize(
    ("has", "needs", "enough"),
    [
        (READ, READ, True),
        (READ, REQUEST, False),
        (REQUEST, READ, True),
        (REQUEST, RUN, False),
        (RUN, REQUEST, False),
        (RUN, READ, True),
        (ADMIN, RUN, True),
        ("unheard-of", READ, False),
    ],
)
def test_scopes_bring_along_what_they_build_on(has: str, needs: str, enough: bool) -> None:
    assert allows([has], needs) is enough
