"""What a watcher is told: each thing once, in order, and the end in any case."""

from __future__ import annotations

from dataclasses import replace

from darkroom_client.snapshot import RequestSnapshot, RequestState, is_news

SEEN = RequestSnapshot(name="requests/1", state=RequestState.BUILDING, shards_done=3, revision=30)


def test_what_was_seen_and_what_is_older_is_no_news() -> None:
    assert is_news(SEEN, None)
    assert not is_news(SEEN, SEEN)
    assert not is_news(replace(SEEN, shards_done=2, revision=20), SEEN)
    assert is_news(replace(SEEN, shards_done=4, revision=40), SEEN)
    # Time alone may change what is waited for.
    assert is_news(replace(SEEN, waiting_for="a runner"), SEEN)


def test_the_end_is_always_news() -> None:
    assert is_news(replace(SEEN, state=RequestState.READY, revision=20), SEEN)
