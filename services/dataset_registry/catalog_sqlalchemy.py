"""The catalogue in a database that SQLAlchemy speaks: SQLite embedded, PostgreSQL deployed, one code path."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from dataset_registry.database_errors_sqlalchemy import Conflict, ConnectionLost, translated
from dataset_registry.database_sqlalchemy import BUSY_S, CONNECTIONS, open_database
from dataset_registry.migrating_sqlalchemy import check_migrated, migrate
from dataset_registry.transaction_sqlalchemy import SqlTransaction
from service_kit.errors import Unavailable

T = TypeVar("T")

# How often a step starts again because another changed what it had read, and how many of its tries run beside others:
# then it waits until it is alone, which cannot conflict. More would only be done in vain: a crowd that asks for one
# dataset was twice as slow with three.
MAX_CONFLICTS = 50
TOGETHER = 1
# Steps at a time. They share one interpreter with the event loop, which must have its turn: with more readers a crowd
# is turned away later. Two, so that one long list does not hold up all others.
READERS = 2
WRITERS = 4
# How long closing waits for steps that are under way.
LAST_STEPS_S = 10.0
# How often a step starts again whose line to the database broke before it committed.
MAX_LOST = 2


class SqlCatalog:
    """See `catalog.Catalog`."""

    def __init__(self, url: str, connections: int = CONNECTIONS, busy_s: float = BUSY_S) -> None:
        """``url``: an SQLAlchemy URL, for example ``sqlite:////home/anna/darkroom/catalog.sqlite``.

        Raises `InvalidArgument` for what is none, saying what would do. Nothing is opened before it is needed.
        """
        self._database = open_database(url, connections, busy_s)
        self.kind = self._database.engine.dialect.name
        self.place = self._database.place
        self._listeners: list[Callable[[set[str]], None]] = []
        self._readers = ThreadPoolExecutor(READERS, "catalogue-read")
        self._writers = ThreadPoolExecutor(WRITERS, "catalogue-write")
        self._steps = 0
        self._ended = threading.Condition()

    def write(self, step: Callable[[SqlTransaction], T]) -> T:
        """See `catalog.Catalog`."""
        conflicts = lost = 0
        while conflicts < MAX_CONFLICTS:
            transaction, complete = None, False
            try:
                with self._counted(), self._database.writing(alone=conflicts >= TOGETHER) as connection:
                    transaction = SqlTransaction(connection, self._database)
                    result = step(transaction)
                    complete = True
            except Conflict:
                conflicts += 1
                continue
            except ConnectionLost:
                lost += 1
                # Nobody knows whether a commit without an answer took place: doing it again might do it twice.
                if lost > MAX_LOST or (complete and transaction is not None and transaction.wrote):
                    raise
                continue
            if transaction.touched:
                for listener in self._listeners:
                    listener(transaction.touched)
            return result
        raise Unavailable("the catalogue is too busy: others kept changing the same rows", reason="CATALOG_BUSY")

    def read(self, step: Callable[[SqlTransaction], T]) -> T:
        """See `catalog.Catalog`."""
        lost = 0
        while True:
            try:
                with self._counted(), self._database.reading() as connection:
                    return step(SqlTransaction(connection, self._database))
            except (Conflict, ConnectionLost):
                lost += 1
                if lost > MAX_LOST:
                    raise

    async def read_soon(self, step: Callable[[SqlTransaction], T]) -> T:
        """See `catalog.Catalog`."""
        return await _in(self._readers, self.read, step)

    async def write_soon(self, step: Callable[[SqlTransaction], T]) -> T:
        """See `catalog.Catalog`."""
        return await _in(self._writers, self.write, step)

    def on_commit(self, listener: Callable[[set[str]], None]) -> None:
        """See `catalog.Catalog`."""
        self._listeners.append(listener)

    def migrate(self, revision: str = "head") -> str:
        """Bring the tables up to this code, or to a revision; returns the revision at which they were before."""
        return migrate(self._database, revision)

    def check_migrated(self) -> str:
        """Return the tables' revision. Raises `FailedPrecondition` when it is older than this code."""
        return check_migrated(self._database)

    def close(self) -> None:
        """Close every connection, once the steps that are under way have ended, or soon."""
        with self._ended:
            self._ended.wait_for(lambda: not self._steps, LAST_STEPS_S)
        self._database.engine.dispose()
        for pool in (self._readers, self._writers):
            pool.shutdown(wait=False, cancel_futures=True)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._ended:
            self._steps += 1
        try:
            with translated(self._database.place):
                yield
        finally:
            with self._ended:
                self._steps -= 1
                self._ended.notify_all()


async def _in(pool: Executor, call: Callable[[Callable[..., T]], T], step: Callable[..., T]) -> T:
    # As `asyncio.to_thread`: what is logged there has the call's request id.
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(pool, lambda: context.run(call, step))
