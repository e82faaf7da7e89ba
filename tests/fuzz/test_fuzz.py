"""Whatever bytes come to whatever RPC: an answer or an error that its caller can act upon, and the service goes on.

By hand for longer, and on PostgreSQL: ``python -m tests.fuzz --messages 100000 --seed 1``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .deployment import SERVICES, Target, deployment
from .fuzzing import fuzz

SEED = 11
MESSAGES = {"registry": 2500, "inpainting": 1200, "runner": 300}


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Target]]:
    with deployment(tmp_path_factory.mktemp("fuzzed"), MESSAGES) as found:
        yield found


@pytest.mark.parametrize("name", MESSAGES)
async def test_no_message_brings_out_a_defect(targets: dict[str, Target], name: str) -> None:
    report = await fuzz(targets[name], MESSAGES[name], SEED)
    assert not report.defects, "\n".join(f"{defect}\n    {example}" for defect, example in report.defects.items())
    assert report.sent >= MESSAGES[name]
    methods = {method.name for service in targets[name].services for method in service.methods}
    assert {method for method, _ in report.ends} == methods


def test_every_service_is_fuzzed(targets: dict[str, Target]) -> None:
    assert {each.name for target in targets.values() for each in target.services} == {each.name for each in SERVICES}
