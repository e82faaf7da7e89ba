"""A lease is held against nobody who could not have renewed it."""

from __future__ import annotations

import pytest

from dataset_registry.lease_clock import LeaseClock

LEASE_S = 30.0
HOUR_S = 3600.0


class Steady:
    """A steady clock that a test moves; the database's clock moves along, and may be set besides."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.ahead_s = 1e9
        self.clock = LeaseClock(LEASE_S, lambda: self.now_s)

    def look(self) -> bool:
        return self.clock.look(self.now_s + self.ahead_s)

    def go_on(self, seconds: float) -> bool:
        """Look twice a second for so long and return the last answer."""
        counts = False
        for _ in range(int(seconds * 2)):
            self.now_s += 0.5
            counts = self.look()
        return counts


@pytest.fixture
def steady() -> Steady:
    """A clock for which leases have begun to count."""
    steady = Steady()
    assert not steady.look()
    assert not steady.go_on(LEASE_S - 1)
    assert steady.go_on(2)
    steady.clock.doubtful = False
    return steady


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S, 24 * HOUR_S, -24 * HOUR_S, LEASE_S])
def test_after_the_databases_clock_was_set_every_holder_has_one_lease_more(steady: Steady, jump_s: float) -> None:
    steady.ahead_s += jump_s
    assert not steady.look()
    assert steady.clock.doubtful
    assert not steady.go_on(LEASE_S - 1)
    assert steady.go_on(2)


def test_after_an_absence_every_holder_has_one_lease_more(steady: Steady) -> None:
    # Stopped, or without its database: nobody could renew a lease here.
    steady.now_s += LEASE_S
    assert not steady.look()
    assert not steady.clock.doubtful
    assert steady.go_on(LEASE_S + 1)


def test_what_a_holder_has_time_to_renew_after_changes_nothing(steady: Steady) -> None:
    steady.now_s += LEASE_S / 3
    assert steady.look()
    steady.ahead_s += LEASE_S / 3
    assert steady.look()
    assert not steady.clock.doubtful
