"""Proves after the harm that nothing is lost, nothing was made twice, and every byte is what it must be."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dataset_registry.catalog import Where
from dataset_registry.collector import Collector
from dataset_registry.records import Dataset, Request, Work
from dataset_registry.states import DatasetState, RequestState, WorkKind, WorkState
from service_kit.object_store import ObjectStore
from service_kit.object_store_local import LocalObjectStore
from service_kit.object_store_minio import MinioObjectStore
from service_kit.object_store_settings import ObjectStoreSettings

from .deployment import Deployment
from .undisturbed import Undisturbed
from .workload import Asked


@dataclass
class Findings:
    """What must all be empty; each finding is a sentence."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    corrupt: list[str] = field(default_factory=list)
    keys: int = 0
    builds: int = 0
    orphans_removed: int = 0

    @property
    def all(self) -> list[str]:
        """Every finding."""
        return [*self.lost, *self.doubled, *self.corrupt]


def check(deployment: Deployment, asked: Sequence[Asked], expected: Mapping[str, Undisturbed]) -> Findings:
    """Look at callers, rows and objects once everything is quiet. The collector is run, as an operator runs it."""
    findings = Findings()
    _callers(asked, expected, findings)
    _rows(deployment, asked, findings)
    _collector(deployment, findings)
    _objects(deployment, expected, {each.key for each in asked if each.name}, findings)
    _logs(deployment, findings)
    return findings


def _callers(asked: Sequence[Asked], expected: Mapping[str, Undisturbed], findings: Findings) -> None:
    for each in asked:
        if each.name and each.state != RequestState.READY:
            findings.lost.append(f"{each.name} is {each.state}: {each.problem}")
        elif each.name and each.key not in expected:
            findings.corrupt.append(f"{each.name} has the key {each.key}, which an undisturbed house does not find")
        elif each.name and each.digest != expected[each.key].digest:
            findings.corrupt.append(f"{each.name} was told another digest than an undisturbed build has")


def _rows(deployment: Deployment, asked: Sequence[Asked], findings: Findings) -> None:
    catalog = deployment.open_catalog()
    try:
        requests = catalog.read(lambda tx: tx.find(Request))
        datasets = catalog.read(lambda tx: tx.find(Dataset))
        builds = catalog.read(lambda tx: tx.find(Work, Where("kind", "=", WorkKind.BUILD)))
    finally:
        catalog.close()
    known = {f"requests/{each.id}": each for each in requests}
    findings.lost += [f"{each.name} was accepted and has no row" for each in asked if each.name not in known | {"": 0}]
    # Those too whose caller never had an answer.
    findings.lost += [
        f"{name} has the row {each.state}: {each.failure or each.waiting_for}"
        for name, each in known.items()
        if each.state != RequestState.READY
    ]
    findings.lost += [f"datasets/{each.id} is {each.state}" for each in datasets if each.state != DatasetState.READY]
    findings.keys, findings.builds = len(datasets), sum(each.state == WorkState.DONE for each in builds)
    done = Counter(each.subject for each in builds if each.state == WorkState.DONE)
    findings.doubled += [f"datasets/{key} was built {count} times" for key, count in done.items() if count > 1]
    findings.lost += [f"work/{each.id} is {each.state}" for each in builds if each.unfinished]


def _collector(deployment: Deployment, findings: Findings) -> None:
    catalog = deployment.open_catalog()
    try:
        # What age alone protects is over: nobody works any more.
        collector = Collector(catalog, open_store(deployment), min_age_s=0.0)
        said = collector.collect(dry_run=True)
        removed = collector.collect()
    finally:
        catalog.close()
    findings.orphans_removed = len(removed)
    if said != removed:
        findings.corrupt.append("the collector removed other things than it said before")
    checked = deployment.operate("check", "--bytes")
    summary = checked.stdout.splitlines()[-1:] or [checked.stderr]
    if checked.returncode or not summary[0].endswith(": 0 lost, 0 for the collector"):
        findings.corrupt.append(f"the checker of the catalogue finds: {checked.stdout}{checked.stderr}")


def _objects(
    deployment: Deployment, expected: Mapping[str, Undisturbed], accepted: set[str], findings: Findings
) -> None:
    store = open_store(deployment)
    archives: dict[str, list[str]] = {}
    for each in store.list(""):
        if each.name.endswith(".zip"):
            archives.setdefault(each.name.partition("/")[0], []).append(each.name)
    for key, names in archives.items():
        if len(names) > 1:
            findings.doubled.append(f"datasets/{key} has {len(names)} archives")
        digest = hashlib.sha256()
        for name in names[:1]:
            found = store.stat(name)
            for chunk in store.read(name, 0, found.size_bytes if found else 0):
                digest.update(chunk)
        if key in expected and digest.hexdigest() != expected[key].sha256:
            findings.corrupt.append(f"the archive of datasets/{key} is not the undisturbed one")
    # What was only asked for while nobody could write it down, nobody owes.
    findings.lost += [f"datasets/{key} has no archive" for key in accepted & expected.keys() - archives.keys()]


def _logs(deployment: Deployment, findings: Findings) -> None:
    for part in deployment.supervisor.parts:
        for event in ("unexpected_error", "rebuild_differs"):
            findings.corrupt += [
                f"the {part.name} logged {event}: {str(entry)[:3000]}" for entry in part.process.events(event)
            ]


def open_store(deployment: Deployment) -> ObjectStore:
    """Open the store itself, past the proxy."""
    if deployment.proxy is None:
        return LocalObjectStore(deployment.store_folder)
    fields = {name.lower(): value for name, value in deployment.direct_store.items()}
    return MinioObjectStore(ObjectStoreSettings.model_validate(fields))


def settled(deployment: Deployment) -> Callable[[], bool]:
    """Return what tells whether no build is under way; a catalogue that is away says no."""

    def look() -> bool:
        catalog = deployment.open_catalog()
        try:
            unfinished = Where("state", "in", (WorkState.QUEUED, WorkState.RUNNING))
            return not catalog.read(lambda tx: tx.count(Work, Where("kind", "=", WorkKind.BUILD), unfinished))
        finally:
            catalog.close()

    return look
