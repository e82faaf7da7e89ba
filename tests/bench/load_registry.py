"""A registry as a process of its own, and the hand of a runner that moves it: one dataset is built, one is ready."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import psutil

from darkroom.dataset.v1 import dataset_pb2, dataset_pb2_grpc
from darkroom.handler.v1 import handler_pb2, handler_pb2_grpc
from service_kit.object_store_local import LocalObjectStore

SHARDS = 100_000
DESCRIPTION = {
    "handlers": {
        "inpainting": {
            "description": "Photo and mask.",
            "roles": ["photos"],
            "options": [{"name": "seed", "default": 0, "schema": {"type": "integer"}}],
        }
    },
    "dataset_handlers_version": "0.1.0",
    "lock_digest": "",
    "platform": {"python": "3.11", "os": "linux", "arch": "x86_64"},
}
_ENDED = "it did not come up; its log: {}"


class LoadRegistry:
    """A registry with the dataset ``building``, whose progress `beat` moves, and the dataset ``ready``.

    ``variables`` are of its environment besides.
    """

    def __init__(self, home: Path, **variables: str) -> None:
        with socket.socket() as probe:
            probe.bind(("localhost", 0))
            self.server = f"localhost:{probe.getsockname()[1]}"
        home.mkdir(parents=True)
        settings = {
            "LISTEN": self.server,
            "HOME": str(home / "registry"),
            "STORE_DIR": str(home / "store"),
            # The one walk and the one claim of a run stay good to its end.
            "RAW_MAX_AGE_S": "100000",
            "LEASE_S": "3600",
            "LOG_LEVEL": "WARNING",
        }
        environment = os.environ | {f"DARKROOM_REGISTRY_{name}": value for name, value in settings.items()} | variables
        self._log = home / "log"
        with self._log.open("w") as log:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "dataset_registry"], env=environment, stdout=log, stderr=log
            )
        self.process = psutil.Process(self._popen.pid)
        self._channel = grpc.insecure_channel(self.server)
        self._datasets = dataset_pb2_grpc.DatasetServiceStub(self._channel)
        self._runners = handler_pb2_grpc.RunnerServiceStub(self._channel)
        self._runner = handler_pb2.RunnerDescription(name="studio", cores=2, instance="first")
        self._runner.repositories.add(name="stock", commit="c1", version="0.1.0")
        self._runner.raw_datasets.add(name="street", file_count=10)
        self._ended = threading.Event()
        self._store = LocalObjectStore(home / "store")
        try:
            self._prepare()
        except BaseException:
            self._popen.kill()
            raise
        # A runner that is not heard of is taken for away.
        self._calling = threading.Thread(target=self._call_in, daemon=True)
        self._calling.start()

    def beat(self, shards_done: int) -> float:
        """Report progress as a runner does; returns when, by the clock that all processes of this machine share."""
        progress = dataset_pb2.Progress(stage="STAGE_BUILDING", shard_count=SHARDS, shards_done=shards_done)
        request = handler_pb2.HeartbeatRequest(work=self._work.name, fence=self._work.fence, progress=progress)
        sent_s = time.monotonic()
        self._runners.Heartbeat(request, timeout=60)
        return sent_s

    def request(self, seed: int) -> dataset_pb2.Request:
        """Ask for a dataset: 0 is ready, 1 is being built."""
        asked = dataset_pb2.RequestDatasetRequest(
            dataset_name="street", handler_version="latest", config_json=json.dumps({"seed": seed})
        )
        return self._datasets.RequestDataset(asked, timeout=60).request

    def memory_mib(self) -> float:
        """Return what the registry keeps in memory."""
        return float(self.process.memory_info().rss / 2**20)

    def processor_s(self) -> float:
        """Return how long the registry has kept processors busy."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def stop(self) -> None:
        """Stop it."""
        self._ended.set()
        self._channel.close()
        self._popen.send_signal(signal.SIGTERM)
        self._popen.wait(30)

    def _prepare(self) -> None:
        grpc.channel_ready_future(self._channel).result(timeout=180)
        described = self._claim("ENVIRONMENT")
        self._finish(described, environment={"description_json": json.dumps(DESCRIPTION)})
        definition = {"dataset_name": "street", "handler": "stock/inpainting", "raw": {"photos": "street"}}
        self._datasets.DefineDataset(dataset_pb2.DefineDatasetRequest(**definition), timeout=60)
        self.request(0)
        self._finish(self._claim("SNAPSHOT"), snapshot={"digest": "d" * 64, "file_count": 10, "size_bytes": 1000})
        self._publish(self._claim("BUILD"))
        self.ready = self._until(0, dataset_pb2.REQUEST_STATE_READY)
        self.building = self.request(1).key
        self._work = self._claim("BUILD")

    def _until(self, seed: int, state: int) -> str:
        for _ in range(600):
            request = self.request(seed)
            if request.state == state:
                return str(request.key)
            time.sleep(0.1)
        raise SystemExit(_ENDED.format(self._log.read_text()[-2000:]))

    def _claim(self, kind: str) -> handler_pb2.Work:
        request = handler_pb2.ClaimWorkRequest(runner=self._runner, kinds=[f"WORK_KIND_{kind}"])
        request.wait.FromSeconds(20)
        response = self._runners.ClaimWork(request, timeout=60)
        if not response.HasField("work"):
            raise SystemExit(_ENDED.format(self._log.read_text()[-2000:]))
        return response.work

    def _finish(self, work: handler_pb2.Work, **result: Any) -> None:
        self._runners.FinishWork(handler_pb2.FinishWorkRequest(work=work.name, fence=work.fence, **result), timeout=60)

    def _publish(self, work: handler_pb2.Work) -> None:
        body = b"an archive"
        name = f"{work.build.key}/{work.fence}/street_latest_{work.build.key}.zip"
        self._store.put(name, body)
        built = {
            "archive_object": name,
            "archive_size_bytes": len(body),
            "digest": hashlib.sha256(body).hexdigest(),
            "manifest_size_bytes": len(body),
            "example_count": 10,
            "shard_count": 1,
            "splits": {"train": 10},
        }
        self._finish(work, build=built)

    def _call_in(self) -> None:
        request = handler_pb2.ClaimWorkRequest(runner=self._runner, kinds=["WORK_KIND_VERIFY"])
        while not self._ended.wait(10.0):
            # The end of the bench may come in the middle.
            with suppress(grpc.RpcError, ValueError):
                self._runners.ClaimWork(request, timeout=60)
