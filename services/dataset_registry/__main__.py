"""Starts the registry: reads the settings, chooses the parts, serves.

python -m dataset_registry                       serve
python -m dataset_registry check                 say what is wrong with the settings, and do nothing
python -m dataset_registry check --catalogue     list rows without their objects, and objects that no row names
python -m dataset_registry check --bytes         the same, and read every archive
python -m dataset_registry migrate               bring the catalogue's tables up to this code, once for all registries
python -m dataset_registry collect [--dry-run]   remove objects that no row names, now
"""

from __future__ import annotations

import asyncio
import gc
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import grpc
import structlog
from prometheus_client import REGISTRY

from darkroom.dataset.v1 import dataset_pb2, dataset_pb2_grpc
from darkroom.handler.v1 import handler_pb2, handler_pb2_grpc
from dataset_registry.archives import Archives
from dataset_registry.browsing import Browsing
from dataset_registry.catalog_sqlalchemy import SqlCatalog
from dataset_registry.collector import Collector
from dataset_registry.consistency import Consistency
from dataset_registry.describing import Describing
from dataset_registry.dispatch import Dispatch
from dataset_registry.downloads import Downloads
from dataset_registry.health_report import HealthReport
from dataset_registry.importing import Importing
from dataset_registry.inquiries import Inquiries
from dataset_registry.keeping import Keeping
from dataset_registry.metrics import QueueCollector
from dataset_registry.recipes import Recipes
from dataset_registry.registry import Registry
from dataset_registry.relocking import Relocking
from dataset_registry.repositories_all import AllRepositories
from dataset_registry.repositories_git import GitRepositories
from dataset_registry.repositories_served import ServedRepositories
from dataset_registry.servicer import DatasetServicer
from dataset_registry.servicer_runner import RunnerServicer
from dataset_registry.settings import RegistrySettings
from dataset_registry.upkeep import Upkeep
from dataset_registry.usage_totals import UsageTotals
from dataset_registry.watching import Board
from service_kit.errors import DarkroomError, InvalidArgument
from service_kit.file_limit import raise_file_limit
from service_kit.git import Git
from service_kit.logging import configure_logging
from service_kit.metrics import MetricsPage
from service_kit.object_store_settings import open_object_store
from service_kit.repository_settings import git_repositories
from service_kit.security import open_security
from service_kit.serving import Serving, until_signalled
from service_kit.settings import read_settings
from service_kit.spare_memory import give_back_for_ever
from service_kit.token_file import TokenFile
from service_kit.tracing import start_tracing, stop_tracing

log = structlog.get_logger()

# What waits for the store or for git; the catalogue has threads of its own.
THREADS = 32
# A call that has been answered by a thread need not wait long for the event loop, and the other way round.
SWITCH_S = 0.0005
# Garbage is looked for after so many new objects, and among older ones after so many looks: ten thousand watchers hold
# half a million, and to look through them took a fifth of the time in which they were told.
GARBAGE_AFTER = 50_000, 20, 100

SERVICES = (
    dataset_pb2.DESCRIPTOR.services_by_name["DatasetService"].full_name,
    handler_pb2.DESCRIPTOR.services_by_name["RunnerService"].full_name,
)


def main() -> int:
    """Run the command named on the command line."""
    settings = read_settings(RegistrySettings)
    configure_logging(settings.log_level)
    command = sys.argv[1:]
    try:
        match command:
            case []:
                asyncio.run(serve(settings))
            case ["check"]:
                pass
            case ["check", "--catalogue" | "--bytes" as depth]:
                return check_catalogue(settings, read_bytes=depth == "--bytes")
            case ["migrate"]:
                catalog = open_catalog(settings)
                before = catalog.migrate()
                sys.stdout.write(f"{catalog.place}: {before or 'empty'} before, now {catalog.check_migrated()}\n")
            case ["collect", *rest] if rest in ([], ["--dry-run"]):
                collector = Collector(
                    open_catalog(settings), open_object_store(settings, settings.home), settings.collect_min_age_s
                )
                for each in collector.collect(dry_run=bool(rest)):
                    sys.stdout.write(f"{each.size_bytes}\t{each.name}\n")
            case _:
                sys.stderr.write(__doc__ or "")
                return 2
    except DarkroomError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    return 0


def check_catalogue(settings: RegistrySettings, *, read_bytes: bool) -> int:
    """Print what dangles, a line each; return 1 when something is lost."""
    catalog = open_catalog(settings)
    catalog.check_migrated()
    consistency = Consistency(catalog, open_object_store(settings, settings.home))
    lost = harmless = 0
    for finding in consistency.findings(read_bytes=read_bytes):
        sys.stdout.write("\t".join(finding) + "\n")
        harmless, lost = harmless + finding.harmless, lost + (not finding.harmless)
    counted = f"{consistency.datasets} datasets, {consistency.shards} shards, {consistency.objects} objects"
    sys.stdout.write(f"{counted}: {lost} lost, {harmless} for the collector\n")
    return 1 if lost else 0


def open_catalog(settings: RegistrySettings) -> SqlCatalog:
    """Open the catalogue that the settings name; the embedded one is made and migrated."""
    if settings.database_url:
        try:
            return SqlCatalog(settings.database_url.get_secret_value())
        except InvalidArgument as error:
            raise InvalidArgument(f"DARKROOM_REGISTRY_DATABASE_URL: {error.message}") from None
    settings.home.mkdir(parents=True, exist_ok=True)
    catalog = SqlCatalog(f"sqlite:///{settings.home.absolute() / 'catalog.sqlite'}")
    catalog.migrate()
    return catalog


async def serve(settings: RegistrySettings) -> None:
    """Answer until a signal."""
    raise_file_limit()
    sys.setswitchinterval(SWITCH_S)
    gc.set_threshold(*GARBAGE_AFTER)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "outside"))
    start_tracing("darkroom-registry")
    security = open_security(settings, settings.listen, "DARKROOM_REGISTRY_")
    catalog = open_catalog(settings)
    catalog.check_migrated()
    store = open_object_store(settings, settings.home)
    git = GitRepositories(git_repositories(settings), Git(), settings.ref_max_age_s)
    repositories = AllRepositories(ServedRepositories(catalog), git)
    archives = Archives(store)
    board = Board(catalog)
    recipes = Recipes(catalog, repositories)
    registry = Registry(catalog, recipes, archives, board, settings.raw_max_age_s)
    inquiries = Inquiries(catalog, recipes, registry, board, settings.raw_max_age_s)
    keeping = Keeping(catalog, registry, inquiries, repositories, archives)
    downloads = Downloads(catalog, registry, archives)
    describing = Describing(catalog, repositories, board)
    browsing = Browsing(catalog, registry, repositories, describing)
    relocking = Relocking(catalog, repositories, inquiries)
    importing = Importing(catalog, registry, store)
    # Of a database server the disk is not ours to look at.
    folders = {} if settings.database_url else {"catalogue": settings.home}
    if settings.store == "local":
        folders["store"] = settings.store_dir or settings.home / "objects"
    health = HealthReport(catalog, store, git, folders, TokenFile(settings.tokens) if settings.tokens else None)
    dispatch = Dispatch(catalog, board, settings.lease_s)
    upkeep = Upkeep(catalog, registry, board, settings.cancel_grace_s, settings.lease_s)
    collector = Collector(catalog, store, settings.collect_min_age_s)

    def register(server: grpc.aio.Server) -> None:
        dataset_pb2_grpc.add_DatasetServiceServicer_to_server(
            DatasetServicer(registry, inquiries, keeping, downloads, browsing, importing, relocking, health), server
        )
        handler_pb2_grpc.add_RunnerServiceServicer_to_server(RunnerServicer(dispatch), server)

    metrics = MetricsPage(settings, "DARKROOM_REGISTRY_")
    REGISTRY.register(QueueCollector(catalog))
    serving = Serving(settings.listen, SERVICES, register, security, metered=metrics.on)
    metrics.start()
    await serving.start()
    log.info("registry_ready", listen=settings.listen, port=serving.port, catalogue=catalog.kind)
    rounds = [
        asyncio.create_task(each)
        for each in (
            board.run(),
            upkeep.run(),
            describing.run(),
            UsageTotals(catalog).run(),
            collect_for_ever(collector, settings.collect_every_s),
            give_back_for_ever(),
        )
    ]
    stopping = asyncio.create_task(until_signalled())
    # A round that dies takes the process with it: whoever started it starts it again.
    done, _ = await asyncio.wait([stopping, *rounds], return_when=asyncio.FIRST_COMPLETED)
    for task in (*rounds, stopping):
        task.cancel()
    await serving.set_ready(False)
    # Nobody looks for news any more: whoever waits for some asks another registry, or this one's next life.
    board.close()
    await serving.stop()
    metrics.stop()
    catalog.close()
    for task in done:
        with suppress(asyncio.CancelledError):
            task.result()
    await asyncio.to_thread(stop_tracing)
    log.info("registry_stopped")


async def collect_for_ever(collector: Collector, every_s: float) -> None:
    """Collect garbage now and then; a store that is away is met again next time."""
    while True:
        await asyncio.sleep(every_s)
        try:
            removed = await asyncio.to_thread(collector.collect)
            log.info("collected", count=len(removed), bytes=sum(each.size_bytes for each in removed))
        except DarkroomError as error:
            log.warning("collector_waits", message=error.message)


if __name__ == "__main__":
    sys.exit(main())
