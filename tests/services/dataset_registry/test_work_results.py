from __future__ import annotations

from typing import Any

import pytest

from dataset_registry.states import WorkKind
from dataset_registry.work_results import check_result
from service_kit.errors import InvalidArgument

from .conftest import DESCRIPTION

WALKED = {"digest": "d" * 64, "file_count": 10, "size_bytes": 1000}


def test_what_fits_passes() -> None:
    check_result(WorkKind.SNAPSHOT, WALKED)
    check_result(WorkKind.ENVIRONMENT, {"description": DESCRIPTION})
    check_result(WorkKind.PREVIEW, {})


@pytest.mark.parametrize("kind", [WorkKind.ENVIRONMENT, WorkKind.BUILD, WorkKind.IMPORT])
def test_a_result_of_another_kind_of_work_is_refused(kind: str) -> None:
    with pytest.raises(InvalidArgument, match="result: is not that of work of the kind"):
        check_result(kind, WALKED)


def test_a_size_below_0_is_refused_by_its_name() -> None:
    with pytest.raises(InvalidArgument, match=r"result\.size_bytes: must be 0 or more, not -1"):
        check_result(WorkKind.SNAPSHOT, WALKED | {"size_bytes": -1})


@pytest.mark.parametrize(
    "description",
    [
        None,
        [],
        {},
        {"handlers": []},
        {"handlers": {}},
        {"handlers": {"a": {}}, **{name: DESCRIPTION[name] for name in ("platform", "dataset_handlers_version")}},
        DESCRIPTION | {"platform": {}},
        DESCRIPTION | {"platform": {"python": 3, "os": "linux", "arch": "x86_64"}},
        DESCRIPTION | {"dataset_handlers_version": None},
        DESCRIPTION | {"handlers": {"a": {"options": [{"default": 1}]}}},
    ],
)
def test_what_no_request_could_rely_on_is_no_description(description: Any) -> None:
    # One such row, and every list of handlers would have failed for ever.
    with pytest.raises(InvalidArgument, match=r"environment\.description_json: does not describe"):
        check_result(WorkKind.ENVIRONMENT, {"description": description})
