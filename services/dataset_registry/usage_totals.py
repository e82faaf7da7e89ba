"""Sums up what no longer changes, in the background: usage of all time is then read, however much there was."""

from __future__ import annotations

import asyncio
from dataclasses import fields, replace

import structlog

from dataset_registry.catalog import Catalog, Transaction, Where
from dataset_registry.records import Request, UsageMark, UsageTotal
from dataset_registry.states import RequestState
from dataset_registry.usage import FOR_EVER, Usage, UsageBy
from service_kit.errors import DarkroomError

log = structlog.get_logger()

EVERY_S = 60.0
# While there is much to be done, others write in between.
PAUSE_S = 0.05
# No step takes so long: what is older has been committed, or never will be.
SETTLED_S = 120.0
# Requests that one step adds, and the span from which it begins to look for so many.
AT_ONCE = 5000
SPAN_S = 32 * 86_400.0
# Groups that are added up for one answer; with more of them the database does it, as if there were no totals.
RECENT_GROUPS = 5000
MARK = "totals"


class UsageTotals:
    """Runs beside the servicers in every replica; of two at once one does it."""

    def __init__(self, catalog: Catalog, settled_s: float = SETTLED_S) -> None:
        self._catalog = catalog
        self._settled_s = settled_s

    async def run(self) -> None:
        """Add up for ever; an error of the catalogue is logged and met again in the next round."""
        while True:
            try:
                while await asyncio.to_thread(self.add_some):
                    await asyncio.sleep(PAUSE_S)
            except DarkroomError as error:
                log.warning("usage_not_summed", message=error.message)
            await asyncio.sleep(EVERY_S)

    def add_some(self) -> bool:
        """Add what happened in a short time behind the mark; returns whether more is to be done at once."""
        mark, until, limit = self._catalog.read(self._next)
        if until <= mark.until_time:
            return False

        def step(tx: Transaction) -> None:
            # Another replica may have moved it meanwhile.
            if _mark(tx) == mark:
                tx.put(replace(mark, until_time=until))
                tx.add_usage(mark.until_time, until)

        self._catalog.write(step)
        return until < limit

    def _next(self, tx: Transaction) -> tuple[UsageMark, float, float]:
        """Return the mark, the next one, and how far it can be moved in all."""
        mark = _mark(tx)
        limit = tx.now() - self._settled_s
        # A request counts by when it was made, and what it led to is known at its end.
        active = Where("state", "in", (RequestState.RESOLVING, RequestState.BUILDING))
        for request in tx.find(Request, active, order=("create_time", "id"), limit=1):
            limit = min(limit, request.create_time)
        behind = Where("create_time", ">=", mark.until_time)
        first = tx.find(Request, behind, order=("create_time", "id"), limit=1)
        if not first or first[0].create_time >= limit:
            return mark, limit, limit
        begin, span = first[0].create_time, SPAN_S
        while span > 1.0 and tx.count(Request, behind, Where("create_time", "<", begin + span)) > AT_ONCE:
            span /= 2
        return mark, min(limit, begin + span), limit


def all_usage(tx: Transaction, by: UsageBy, after: tuple[int, str] | None, limit: int) -> list[Usage]:
    """Return the usage of all time: the totals, and what came after them."""
    recent = {each.group: each for each in tx.usage(by, _mark(tx).until_time, FOR_EVER, None, RECENT_GROUPS + 1)}
    if len(recent) > RECENT_GROUPS:
        return tx.usage(by, 0.0, FOR_EVER, after, limit)
    totals = tx.find(
        UsageTotal,
        Where("by", "=", by),
        order=("-request_count", "-group"),
        after=after,
        limit=limit + len(recent),
    )
    lines = [_usage(total) for total in totals if total.group not in recent]
    for total in tx.find(UsageTotal, Where("id", "in", [f"{by}/{group}" for group in recent])):
        recent[total.group] = recent[total.group].plus(_usage(total))
    lines += [line for line in recent.values() if after is None or line.place < after]
    return sorted(lines, key=lambda line: line.place, reverse=True)[:limit]


def _mark(tx: Transaction) -> UsageMark:
    return tx.get(UsageMark, MARK) or UsageMark(MARK)


def _usage(total: UsageTotal) -> Usage:
    return Usage(**{each.name: getattr(total, each.name) for each in fields(Usage)})
