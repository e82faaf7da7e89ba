"""Loads what is watched: the views of all that changed at once, by few questions however many they are."""

from __future__ import annotations

from collections.abc import Collection

from dataset_registry.catalog import Transaction, Where
from dataset_registry.records import Dataset, Record, Request, Work
from dataset_registry.states import DatasetState, RequestState
from dataset_registry.views import DatasetView, RequestView, WorkView, dataset_views, request_views, work_views
from dataset_registry.watch_feed import View


def requests(tx: Transaction, identities: Collection[str]) -> dict[str, View[RequestView]]:
    """Return the views of those requests that are there."""
    found = tx.find(Request, Where("id", "in", list(identities)))
    return {view.request.id: _request(view) for view in request_views(tx, found)}


def datasets(tx: Transaction, keys: Collection[str]) -> dict[str, View[DatasetView]]:
    """Return the views of those datasets that are there, by their whole keys."""
    found = tx.find(Dataset, Where("id", "in", list(keys)))
    return {view.dataset.id: _dataset(view) for view in dataset_views(tx, found)}


def works(tx: Transaction, identities: Collection[str]) -> dict[str, View[WorkView]]:
    """Return the views of those works that are there."""
    found = tx.find(Work, Where("id", "in", list(identities)))
    views = work_views(tx, found)
    return {each.id: View(views[each.id], _rows(each), not each.unfinished) for each in found}


def _request(view: RequestView) -> View[RequestView]:
    dataset = view.dataset.dataset if view.dataset else None
    work = view.work.work if view.work else None
    return View(view, _rows(view.request, dataset, work), RequestState(view.request.state).final)


def _dataset(view: DatasetView) -> View[DatasetView]:
    work = view.work.work if view.work else None
    return View(view, _rows(view.dataset, work), DatasetState(view.dataset.state).final)


def _rows(*shown: Record | None) -> dict[str, int]:
    return {f"{type(row).__name__}/{row.id}": row.revision for row in shown if row is not None}
