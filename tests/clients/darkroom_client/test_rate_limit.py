"""A limit holds for all threads of a download together, and is never less than what was asked for."""

import time

import pytest

from darkroom_client import Client
from darkroom_client.errors import InvalidArgument
from darkroom_client.rate_limit import BURST_S, RateLimit, rate_limit


class Clock:
    """A clock that moves when told."""

    now_s = 100.0

    def __call__(self):
        return self.now_s


def test_bytes_are_paid_for_in_time_and_a_pause_saves_only_a_little():
    clock = Clock()
    limit = RateLimit(1000.0, clock)
    assert limit.take(500) == pytest.approx(0.5)
    assert limit.take(500) == pytest.approx(1.0)
    clock.now_s += 1.0
    assert limit.take(100) == pytest.approx(0.1)
    clock.now_s += 3600.0
    assert limit.take(1000) == pytest.approx(1.0 - BURST_S)


@pytest.mark.parametrize(
    ("text", "bytes_per_s"), [("10M", 10e6), ("1.5g", 1.5e9), ("800K", 800e3), ("4096", 4096), (" 2 M ", 2e6)]
)
def test_a_rate_is_a_number_and_a_unit(text, bytes_per_s):
    limit = rate_limit(text)
    assert limit is not None
    assert limit.bytes_per_s == bytes_per_s


@pytest.mark.parametrize("text", ["fast", "0", "-1M", "10MB/s", "1e6", "M", "0.1"])
def test_what_is_no_rate_is_refused_with_what_would_do(text, monkeypatch):
    with pytest.raises(InvalidArgument, match=r"--limit-rate: .* such as 800K"):
        rate_limit(text)
    monkeypatch.setenv("DARKROOM_BANDWIDTH", text)
    with pytest.raises(InvalidArgument, match="DARKROOM_BANDWIDTH: "):
        Client()


def test_without_a_word_there_is_no_limit(monkeypatch):
    monkeypatch.delenv("DARKROOM_BANDWIDTH", raising=False)
    assert rate_limit() is None


@pytest.mark.parametrize("urls", [False, True])
def test_a_limited_download_takes_at_least_its_time_and_is_whole(registry, tmp_path, urls):
    if urls:
        registry.set("urls")
    with Client(registry.server, cache=tmp_path / "limited", limit_rate="300K") as client:
        begin_s = time.monotonic()
        dataset = client.download("street")
        elapsed_s = time.monotonic() - begin_s
    assert elapsed_s >= dataset.manifest.size_bytes / 300e3 - BURST_S
    assert dataset.manifest.size_bytes > 300e3
    with Client(registry.server, cache=tmp_path / "free") as client:
        assert client.download("street").digest == dataset.digest


def test_the_command_takes_the_limit_and_refuses_what_is_none(darkroom):
    done = darkroom("get", "street", "--limit-rate", "a lot")
    assert done.returncode == 2
    assert "--limit-rate: a lot: write bytes a second" in done.stderr
    assert darkroom("get", "street", "--limit-rate", "100M").returncode == 0
