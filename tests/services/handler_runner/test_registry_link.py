"""A runner with the addresses of several registries goes on with the next when one is away."""

from __future__ import annotations

import pytest

from darkroom.handler.v1 import handler_pb2
from handler_runner.registry_channel import RegistryChannels, RegistryChannelSettings
from handler_runner.registry_link import RegistryLink
from service_kit.errors import FailedPrecondition, Unavailable

RUNNER = handler_pb2.RunnerDescription(name="studio", instance="first")


async def test_the_next_address_answers_when_one_does_not(registry):
    link = RegistryLink(f"localhost:1,{registry.address}")
    with pytest.raises(Unavailable, match=r"registry at localhost:1 does not answer"):
        await link.claim(RUNNER, [], 0.1)
    assert await link.claim(RUNNER, [], 0.1) is None
    # What waits for a registry finds it by itself.
    registry.queue("SNAPSHOT", {"raw_dataset": "street"})
    work = await link.claim(RUNNER, [handler_pb2.WORK_KIND_SNAPSHOT], 5.0)
    lost = RegistryLink(f"localhost:1,localhost:2,{registry.address}")
    await lost.finish(handler_pb2.FinishWorkRequest(work=work.name, fence=work.fence, release={"reason": "to another"}))
    for each in (link, lost):
        await each.close()


@pytest.mark.parametrize("token", ["dr_a b", "dr_geheïm", "dr_\0"])
def test_a_token_that_no_header_may_hold_is_refused_without_repeating_it(token, tmp_path):
    (tmp_path / "token").write_text(token)
    for settings in ({"registry_token": token}, {"registry_token_file": tmp_path / "token"}):
        with pytest.raises(FailedPrecondition, match="DARKROOM_RUNNER_REGISTRY_TOKEN") as caught:
            RegistryChannels(RegistryChannelSettings(**settings))
        assert "dr_" not in str(caught.value)
