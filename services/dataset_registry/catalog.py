"""The catalogue's port: rows of records, read and written in transactions that lose no concurrent change."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from dataset_registry.records import Record
from dataset_registry.usage import Usage, UsageBy

R = TypeVar("R", bound=Record)
T = TypeVar("T")


class Where(NamedTuple):
    """One condition on a column; conditions given together must all hold."""

    column: str
    relation: Literal["=", "in", "<", "<=", ">", ">=", "prefix"]
    value: Any


class QueueLine(NamedTuple):
    """Unfinished works of one kind in one state; ``oldest`` is when the first was made."""

    kind: str
    state: str
    works: int
    oldest: float


class Needs(NamedTuple):
    """What a piece of work needs of a runner: to run this code over these raw datasets."""

    kind: str
    repository: str
    commit: str
    raw_names: tuple[str, ...]


class QueuedWork(NamedTuple):
    """As much of queued work as a claim must know."""

    id: str
    needs: Needs
    create_time: float
    not_before: float


class Transaction(Protocol):
    """What a step may do; all of it happens, or nothing."""

    def now(self) -> float:
        """Return the database's time, seconds since the epoch: the only clock that leases know."""

    def get(self, kind: type[R], identity: str) -> R | None:
        """Return the record, or None."""

    def put(self, record: R) -> R:
        """Insert (revision 0) or replace the revision that was read; returns it with its new revision.

        A record that somebody else changed since makes the whole step start again. Raises `InvalidArgument` for a
        value that not every database keeps: NUL in text, half a surrogate pair, an integer beyond 64 bits, NaN.
        """

    def find(
        self,
        kind: type[R],
        *where: Where,
        order: Sequence[str] = ("id",),
        after: Sequence[Any] | None = None,
        limit: int | None = None,
    ) -> list[R]:
        """Return matching records in the order of the columns (all descending if the first begins with ``-``).

        ``after`` holds one value for each column of ``order``: only records behind it come.
        """

    def revisions(self, kind: type[Record], identities: Collection[str]) -> dict[str, int]:
        """Return the revision of each record that is there: the cheapest look at whether something changed."""

    def queue(self) -> list[QueueLine]:
        """Return how many works are unfinished, by kind and state, counted by the database."""

    def unsettled(self) -> list[str]:
        """Return the ids of active requests but for those whose dataset is being built: for them nothing is to do."""

    def unwanted(self) -> list[str]:
        """Return the keys of datasets being built that no request waits for, or that none waited for a moment ago."""

    def ahead(self, identities: Collection[str]) -> dict[str, int]:
        """Return how many works of its kind were queued before each of those given that is queued."""

    def queued(self, limit: int) -> list[QueuedWork]:
        """Return what is queued, the oldest first."""

    def usage(self, by: UsageBy, since: float, until: float, after: tuple[int, str] | None, limit: int) -> list[Usage]:
        """Return what was asked for, built and downloaded from ``since`` to before ``until``, summed by the database.

        The group with most requests comes first; ``after`` holds the requests and group of the last one shown.
        """

    def add_usage(self, since: float, until: float) -> None:
        """Add what happened from ``since`` to before ``until`` to the `UsageTotal` of each group."""

    def count(self, kind: type[Record], *where: Where) -> int:
        """Return how many records match."""

    def counts(self, kind: type[Record], column: str, values: Collection[str], *where: Where) -> dict[str, int]:
        """Return how many records match for each of the column's values; those without any are left out."""

    def delete(self, kind: type[Record], *where: Where) -> int:
        """Delete matching records; returns how many."""


class Catalog(Protocol):
    """Durable rows. A step may run more than once, so it must do nothing but read and write."""

    def write(self, step: Callable[[Transaction], T]) -> T:
        """Run ``step`` as if nobody else wrote, and commit durably.

        Raises `ResourceExhausted` on a full disk, `Unavailable` when the database is away or busy; when it went away
        during the commit itself, the step may have happened or not.
        """

    def read(self, step: Callable[[Transaction], T]) -> T:
        """Run ``step`` on one consistent state."""

    async def read_soon(self, step: Callable[[Transaction], T]) -> T:
        """Do the same without holding up the event loop, in turn with other readers."""

    async def write_soon(self, step: Callable[[Transaction], T]) -> T:
        """Write without holding up the event loop or any reader, in turn with other writers."""

    def on_commit(self, listener: Callable[[set[str]], None]) -> None:
        """Call ``listener`` after each commit with ``Kind/id`` of every record put; from any thread."""
