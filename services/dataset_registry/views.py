"""What watchers see of a request or a dataset: the rows, and the work that they wait for, put together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from dataset_registry.catalog import Needs, Transaction, Where
from dataset_registry.gathering import UNFINISHED, recipe_from
from dataset_registry.records import Dataset, Download, Record, Request, Runner, Work
from dataset_registry.refusals import refusal
from dataset_registry.repositories import environment_id
from dataset_registry.states import MAKES_DATASET, RequestState, WorkKind, WorkState
from service_kit.errors import NotFound

# A runner that has not called for so long is taken for away.
RUNNER_AWAY_S = 60.0


@dataclass(frozen=True)
class WorkView:
    """Work that somebody waits for."""

    work: Work
    queue_position: int
    waiting_for: str


@dataclass(frozen=True)
class DatasetView:
    """A dataset with what is being done about it."""

    dataset: Dataset
    work: WorkView | None
    interest_count: int
    request_count: int
    download_count: int


@dataclass(frozen=True)
class RequestView:
    """A request with what it waits for."""

    request: Request
    dataset: DatasetView | None
    work: WorkView | None

    @property
    def revision(self) -> int:
        """Microseconds of the newest change of any row shown here: grows as they change."""
        return _revision(self.request, self.dataset.dataset if self.dataset else None, self.work)


def dataset_revision(view: DatasetView) -> int:
    """Microseconds of the newest change of any row shown here."""
    return _revision(view.dataset, None, view.work)


def load_request(tx: Transaction, identity: str) -> RequestView:
    """Return a request's view. Raises `NotFound`."""
    request = tx.get(Request, identity)
    if request is None:
        raise no_request(identity)
    return request_views(tx, [request])[0]


def load_dataset(tx: Transaction, key: str) -> DatasetView:
    """Return a dataset's view by its whole key. Raises `NotFound`."""
    dataset = tx.get(Dataset, key)
    if dataset is None:
        raise no_dataset(key)
    return dataset_views(tx, [dataset])[0]


def request_views(tx: Transaction, requests: Sequence[Request]) -> list[RequestView]:
    """Return the views of a page of requests, by few questions however many they are."""
    datasets = tx.find(Dataset, Where("id", "in", {each.key for each in requests if each.key}))
    shown = {view.dataset.id: view for view in dataset_views(tx, datasets)}
    views = []
    for request in requests:
        dataset = shown.get(request.key)
        work = dataset.work if dataset else None
        if request.state == RequestState.RESOLVING:
            work = _gathering_work(tx, request)
        views.append(RequestView(request, dataset, work))
    return views


def dataset_views(tx: Transaction, datasets: Sequence[Dataset]) -> list[DatasetView]:
    """Return the views of a page of datasets, by few questions however many they are."""
    if not datasets:
        return []
    keys = [each.id for each in datasets]
    makes = Where("kind", "in", MAKES_DATASET)
    # The newest of each key comes last, and stays.
    newest = {each.subject: each for each in tx.find(Work, makes, Where("subject", "in", keys), order=("create_time",))}
    works = work_views(tx, list(newest.values()))
    interests = tx.counts(Request, "key", keys, Where("state", "=", RequestState.BUILDING))
    requests, downloads = tx.counts(Request, "key", keys), tx.counts(Download, "key", keys)
    return [
        DatasetView(
            dataset=each,
            work=works[newest[each.id].id] if each.id in newest else None,
            interest_count=interests.get(each.id, 0),
            request_count=requests.get(each.id, 0),
            download_count=downloads.get(each.id, 0),
        )
        for each in datasets
    ]


def no_request(identity: str) -> NotFound:
    """Return what is wrong when a request is not there."""
    return NotFound(f"there is no request requests/{identity}; `darkroom ls --requests` shows those there are")


def no_dataset(key: str) -> NotFound:
    """Return what is wrong when a dataset is not there."""
    return NotFound(f"there is no dataset datasets/{key}; `darkroom ls` shows those there are")


def no_work(identity: str) -> NotFound:
    """Return what is wrong when a piece of work is not there."""
    return NotFound(f"there is no work/{identity} any more")


def work_view(tx: Transaction, work: Work) -> WorkView:
    """Return work with its place in the queue and what it waits for."""
    return work_views(tx, [work])[work.id]


def work_views(tx: Transaction, works: Collection[Work]) -> dict[str, WorkView]:
    """Return the views of works by their ids, by few questions however many they are."""
    queued = [each.id for each in works if each.state == WorkState.QUEUED]
    ahead = tx.ahead(queued) if queued else {}
    runners = tx.find(Runner, Where("seen_time", ">", tx.now() - RUNNER_AWAY_S)) if queued else []
    # What needs the same waits for the same.
    why: dict[tuple[str, ...], str] = {}
    views = {}
    for each in works:
        needs = each.repository, each.commit, *each.raw_names
        if each.id in ahead and needs not in why:
            why[needs] = _why_queued(tx, each, runners)
        views[each.id] = WorkView(each, ahead[each.id], why[needs]) if each.id in ahead else WorkView(each, 0, "")
    return views


def can_do(runner: Runner, work: Work | Needs) -> bool:
    """Whether a runner serves the raw datasets that the work needs, and would run its code."""
    code = not work.repository or any(
        each["name"] == work.repository and each["commit"] in ("", work.commit) and not each.get("refusal")
        for each in runner.repositories
    )
    return code and all(name in runner.raw_datasets for name in work.raw_names)


def _why_queued(tx: Transaction, work: Work, runners: Sequence[Runner]) -> str:
    if any(can_do(runner, work) for runner in runners):
        return ""
    if not work.raw_names and not work.repository:
        return "a runner; none is connected"
    wanted = [f"the raw dataset {name}" for name in work.raw_names]
    if work.repository:
        wanted.append(f"the repository {work.repository} at {work.commit[:12]}")
    why = refusal(tx, work.repository) if work.repository else ""
    refused = f"; none will run its code: {why}" if why else ""
    others = sorted({each["commit"][:12] for runner in runners for each in runner.repositories if _same(each, work)})
    changed = f"; they serve it at {', '.join(others)}: a new request takes that" if others else ""
    return f"a runner that serves {' and '.join(wanted)}; {len(runners)} other runners are connected{refused}{changed}"


def _same(served: dict[str, str], work: Work) -> bool:
    """Whether it is the work's repository, whose code has changed where it is installed."""
    return served["name"] == work.repository and served["commit"] not in ("", work.commit)


def _gathering_work(tx: Transaction, request: Request) -> WorkView | None:
    recipe = recipe_from(request.recipe)
    environment = tx.find(
        Work,
        Where("kind", "=", WorkKind.ENVIRONMENT),
        Where("subject", "=", environment_id(recipe.repository, recipe.commit)),
        UNFINISHED,
    )
    snapshots = tx.find(
        Work,
        Where("kind", "=", WorkKind.SNAPSHOT),
        Where("subject", "in", sorted(set(recipe.raw.values()))),
        UNFINISHED,
    )
    waiting = [*environment, *snapshots]
    return work_view(tx, waiting[0]) if waiting else None


def _revision(first: Record, second: Record | None, work: WorkView | None) -> int:
    times = [first.update_time, second.update_time if second else 0.0, work.work.update_time if work else 0.0]
    return int(max(times) * 1e6)
