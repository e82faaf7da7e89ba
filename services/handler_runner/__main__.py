"""Starts a runner: reads the settings, chooses the parts, works until a signal: ``python -m handler_runner``."""

from __future__ import annotations

import asyncio
import fcntl
import importlib.metadata
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import grpc
import structlog

from darkroom.handler.v1 import handler_pb2, handler_pb2_grpc
from handler_runner.environment_git import GitEnvironments
from handler_runner.environment_installed import InstalledEnvironments
from handler_runner.environment_python import Interpreters
from handler_runner.environments_together import EnvironmentsTogether
from handler_runner.executor_process import ProcessExecutor
from handler_runner.metrics import watch_disk
from handler_runner.raw_root import RawRoot
from handler_runner.registry_channel import RegistryChannels
from handler_runner.registry_link import RegistryLink
from handler_runner.remove_tree import remove_tree
from handler_runner.runner import HandlerRunner
from handler_runner.sandbox import Sandbox
from handler_runner.sandbox_probes import open_sandbox
from handler_runner.servicer import HandlerRunnerServicer
from handler_runner.settings import RunnerSettings
from handler_runner.snapshot import Snapshots
from handler_runner.workshop import Workshop
from service_kit.errors import DarkroomError, FailedPrecondition
from service_kit.logging import configure_logging
from service_kit.metrics import MetricsPage
from service_kit.object_store_settings import open_object_store
from service_kit.repository_settings import git_repositories
from service_kit.serving import Serving, until_signalled
from service_kit.settings import read_settings
from service_kit.tracing import start_tracing, stop_tracing

log = structlog.get_logger()

SERVICES = (handler_pb2.DESCRIPTOR.services_by_name["HandlerRunnerService"].full_name,)
_THREADS = 24
_FAREWELL_S = 2.0


def main() -> int:
    """Run until SIGTERM or SIGINT."""
    settings = read_settings(RunnerSettings)
    configure_logging(settings.log_level)
    # A worker that has finished waits for the loop: hashing threads should hand the interpreter over quickly.
    sys.setswitchinterval(0.001)
    try:
        asyncio.run(serve(settings))
    except DarkroomError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    return 0


async def serve(settings: RunnerSettings) -> None:
    """Work until a signal; then give back what is in hand, and end."""
    start_tracing("darkroom-runner")
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS, thread_name_prefix="work"))
    home = settings.home.absolute()
    lock = lock_home(home)
    scratch = empty_folder(home / "work")
    limits = settings.sandbox_limits(settings.workers)
    sandbox = await asyncio.to_thread(open_sandbox, home / "sandbox", limits, settings.sandbox_cgroups)
    environments = EnvironmentsTogether(
        InstalledEnvironments(settings.local_repositories),
        await asyncio.to_thread(git_environments, settings, home / "environments", sandbox),
    )
    executor = ProcessExecutor(
        empty_folder(home / "children"), settings.workers, settings.stuck_after_s, sandbox=sandbox
    )
    workshop = Workshop(
        environments=environments,
        executor=executor,
        raw_root=RawRoot(settings.raw_root.absolute()),
        snapshots=Snapshots(home / "snapshots", settings.workers),
        store=open_object_store(settings, home),
    )
    link = RegistryLink(settings.registry, RegistryChannels(settings))
    runner = HandlerRunner(settings.name, importlib.metadata.version("darkroom"), link, workshop, scratch)
    runner.sandbox = str(sandbox.level)

    def register(server: grpc.aio.Server) -> None:
        handler_pb2_grpc.add_HandlerRunnerServiceServicer_to_server(HandlerRunnerServicer(runner), server)

    metrics = MetricsPage(settings, "DARKROOM_RUNNER_")
    watch_disk(scratch)
    serving = Serving(settings.listen, SERVICES, register, metered=metrics.on)
    metrics.start()
    await serving.start()
    served = await runner.describe()
    log.info(
        "runner_ready",
        registry=settings.registry,
        port=serving.port,
        workers=settings.workers,
        free_bytes=served.free_bytes,
        raw_datasets={raw.name: raw.file_count for raw in served.raw_datasets},
        repositories=[repository.name for repository in served.repositories],
        sandbox=served.sandbox,
    )
    working = asyncio.create_task(runner.run())
    stopping = asyncio.create_task(until_signalled())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (working, stopping):
            task.cancel()
        # A lane that dies takes the process with it: whoever started it starts it again.
        with suppress(asyncio.CancelledError):
            await working
    finally:
        await executor.close()
        await link.close()
        await serving.stop(grace_s=0.5)
        metrics.stop()
        os.close(lock)
        await asyncio.to_thread(stop_tracing)
        log.info("runner_stopped")
        # A thread may still wait for a store that does not answer; what it does is whole or nothing.
        farewell = threading.Timer(_FAREWELL_S, os._exit, [0])
        farewell.daemon = True
        farewell.start()


def git_environments(settings: RunnerSettings, home: Path, sandbox: Sandbox) -> GitEnvironments:
    """Open the environments of the settings' git repositories. Raises `FailedPrecondition` for a wrong interpreter."""
    return GitEnvironments(
        home,
        git_repositories(settings),
        Interpreters(settings.pythons),
        sandbox,
        settings.kept_limits,
    )


def lock_home(home: Path) -> int:
    """Make the home and take it for this process. Raises `FailedPrecondition` when another runner has it."""
    home.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(home / "runner.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise FailedPrecondition(
            f"another runner works in {home}; give this one its own home (DARKROOM_RUNNER_HOME)"
        ) from None
    return descriptor


def empty_folder(folder: Path) -> Path:
    """Return the folder, emptied of what an earlier life left behind."""
    remove_tree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
