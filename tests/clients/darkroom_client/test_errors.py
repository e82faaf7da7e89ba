"""Each status means one class of error, with what the server said in detail."""

import grpc
import pytest

from darkroom_client import errors
from darkroom_client.errors import error_from_rpc
from service_kit import errors as service_errors


class EndedCall(grpc.RpcError):
    """What gRPC raises, holding a status as a server sends it."""

    def __init__(self, status: grpc.Status) -> None:
        self._status = status

    def code(self) -> grpc.StatusCode:
        return self._status.code

    def details(self) -> str:
        return self._status.details

    def trailing_metadata(self):
        return self._status.trailing_metadata


@pytest.mark.parametrize(
    "name",
    [
        "InvalidArgument",
        "NotFound",
        "AlreadyExists",
        "FailedPrecondition",
        "OutOfRange",
        "Aborted",
        "ResourceExhausted",
        "Unavailable",
        "DataLoss",
    ],
)
def test_the_services_errors_arrive_as_the_classes_of_the_same_names(name):
    sent = getattr(service_errors, name)("what was received and what would do")
    arrived = error_from_rpc(EndedCall(service_errors.rich_status(sent)), "here:1")
    assert type(arrived) is getattr(errors, name)
    assert (arrived.message, arrived.reason) == (sent.message, sent.reason)
    assert arrived.retry_after_s == sent.retry_after_s


def test_violations_and_metadata_arrive():
    sent = service_errors.InvalidArgument.of([("config.a", "too large"), ("config.b", "missing")])
    sent.metadata = {"key": "ab"}
    arrived = error_from_rpc(EndedCall(service_errors.rich_status(sent)), "here:1")
    assert [(each.field, each.description) for each in arrived.violations] == list(sent.violations)
    assert arrived.metadata == {"key": "ab"}


def bare(code: grpc.StatusCode, details: str = "") -> errors.DarkroomError:
    from collections import namedtuple

    status = namedtuple("status", "code details trailing_metadata")(code, details, ())
    return error_from_rpc(EndedCall(status), "here:1")


def test_a_bare_status_names_the_server():
    assert str(bare(grpc.StatusCode.DEADLINE_EXCEEDED)) == "the registry at here:1 did not answer in time"
    assert "no Darkroom registry, or an older one" in str(bare(grpc.StatusCode.UNIMPLEMENTED))
    assert isinstance(bare(grpc.StatusCode.UNKNOWN, "odd"), errors.Internal)


def test_a_call_dropped_by_a_server_on_its_way_down_may_be_tried_again():
    assert isinstance(bare(grpc.StatusCode.CANCELLED), errors.Unavailable)
