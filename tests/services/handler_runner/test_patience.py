"""What passes by itself is waited for; what does not rises."""

from __future__ import annotations

import asyncio
import errno

import pytest

from handler_runner.failure import WorkFailed
from handler_runner.patience import patiently, wait_for_space
from handler_runner.progress import WorkProgress
from service_kit.object_store import StoreFull, StoreRefused, StoreUnavailable


def ending(*ends):
    remaining = list(ends)

    async def attempt():
        end = remaining.pop(0)
        if isinstance(end, Exception):
            raise end
        return end

    return attempt


@pytest.mark.parametrize(
    "error",
    [
        StoreUnavailable("the store at http://store:9000 does not answer"),
        StoreFull("no space in the bucket"),
        OSError(errno.ENOSPC, "No space left on device", "/scratch/a"),
    ],
)
async def test_it_tries_again_and_says_why(error):
    progress = WorkProgress("studio", 1)
    said = []
    waiting = asyncio.create_task(patiently(progress, ending(error, error, "done"), first_pause_s=0.1))
    while not waiting.done():
        said.append(progress.to_proto().waiting_for)
        await asyncio.sleep(0.005)
    assert await waiting == "done"
    assert any("does not answer" in text or "space" in text for text in said)
    assert progress.to_proto().waiting_for == ""


async def test_a_refusal_of_the_store_fails_the_work():
    with pytest.raises(WorkFailed, match="wrong key") as caught:
        await patiently(WorkProgress("studio", 1), ending(StoreRefused("wrong key")))
    assert caught.value.failure_class == "TRANSIENT_IO"


async def test_another_error_rises():
    with pytest.raises(PermissionError):
        await patiently(WorkProgress("studio", 1), ending(PermissionError(errno.EACCES, "no")))


async def test_enough_space_needs_no_waiting_and_too_little_is_named(tmp_path):
    progress = WorkProgress("studio", 1)
    await wait_for_space(progress, tmp_path, 1)
    waiting = asyncio.create_task(wait_for_space(progress, tmp_path, 10**18))
    while not progress.to_proto().waiting_for:
        await asyncio.sleep(0.01)
    assert f"space on {tmp_path}: " in progress.to_proto().waiting_for
    assert "at least 1000000000000.0 MB needed" in progress.to_proto().waiting_for
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
