"""The page of metrics names what the services show, and all of it."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import yaml
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from dataset_registry.catalog_sqlalchemy import SqlCatalog
from dataset_registry.metrics import QueueCollector
from inpainting.metrics import QueueCollector as InpaintingCollector
from inpainting.work_queue import WorkQueue

ROOT = Path(__file__).resolve().parents[1]
MODULES = ("service_kit.metrics_calls", "dataset_registry.metrics", "handler_runner.metrics")


class NoModels:
    """A service that painted nothing yet."""

    def batch_sizes(self) -> dict[int, int]:
        return {}


def shown(registry: CollectorRegistry) -> set[str]:
    """The names under which Prometheus knows a registry's metrics."""
    return {f"{each.name}_total" if each.type == "counter" else each.name for each in registry.collect()}


def documented() -> set[str]:
    text = (ROOT / "docs" / "metrics.md").read_text()
    return set(re.findall(r"^\| `((?:grpc|darkroom)_\w+)` \|", text, re.MULTILINE))


def test_the_page_names_every_metric_and_no_other(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    for module in map(importlib.import_module, MODULES):
        for value in vars(module).values():
            if isinstance(value, MetricWrapperBase):
                registry.register(value)
    catalog = SqlCatalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    catalog.migrate()
    queue = WorkQueue(1, 1, 1)
    registry.register(QueueCollector(catalog))
    registry.register(InpaintingCollector(queue, NoModels()))
    assert shown(registry) == documented()
    # What is counted somewhere else would be shown and not be looked at here.
    ours = {name for name in shown(REGISTRY) if name.startswith(("darkroom_", "grpc_"))}
    assert ours <= documented()
    queue.stop(1.0)
    catalog.close()


def test_a_catalogue_that_is_away_takes_only_the_queue_away(tmp_path: Path) -> None:
    catalog = SqlCatalog("postgresql://nobody:nothing@localhost:1/nowhere", busy_s=0.1)
    assert list(QueueCollector(catalog).collect()) == []
    catalog.close()


def test_prometheus_of_compose_asks_the_services_where_they_answer() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    asked = yaml.safe_load((ROOT / "prometheus.yaml").read_text())["scrape_configs"][0]["static_configs"][0]["targets"]
    answering = {
        f"{name}:{value.rpartition(':')[2]}"
        for name, service in services.items()
        for variable, value in service.get("environment", {}).items()
        if variable.endswith("_METRICS_LISTEN")
    }
    assert set(asked) == answering
