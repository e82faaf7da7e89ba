"""The inpainting service as a process of its own, on a temporary home, and its client."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from inpainting_photos import Box

from darkroom.inpainting.v1 import inpainting_pb2, inpainting_pb2_grpc
from darkroom_client.async_inpainting import AsyncInpainting
from darkroom_client.inpainting import Candidate, Marks

START_S = 120.0


class InpaintingHouse:
    """One service that is ready; the context's end stops it."""

    def __init__(self, home: Path, *, concurrency: int = 2) -> None:
        with socket.socket() as probe:
            probe.bind(("localhost", 0))
            self.server = f"localhost:{probe.getsockname()[1]}"
        environment = os.environ | {
            "DARKROOM_INPAINTING_LISTEN": self.server,
            "DARKROOM_INPAINTING_HOME": str(home),
            "DARKROOM_INPAINTING_STORE_DIR": str(home / "store"),
            "DARKROOM_INPAINTING_CONCURRENCY": str(concurrency),
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        home.mkdir(parents=True)
        with (home / "log").open("w") as log:
            command = [sys.executable, "-m", "inpainting"]
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self._channel = grpc.insecure_channel(self.server)
        self.stub = inpainting_pb2_grpc.InpaintingServiceStub(self._channel)
        self._runner = asyncio.Runner()
        self._wait()
        self._client = self._runner.run(self._connect())

    def add(self, file: Path) -> None:
        """Add a network of this project's under its file's name."""
        self._runner.run(self._client.add_model(file, file.stem))

    def inpaint(self, photo: Path, box: Box, model: str, strategy: str = "auto") -> Candidate:
        """Return one photo, filled."""
        return self.inpaint_at_once([photo], box, model, strategy)[0]

    def seconds(self, photo: Path, box: Box, model: str, strategy: str = "auto") -> float:
        """Return how long one photo takes, from the file's path to the result's bytes."""
        began = time.perf_counter()
        self.inpaint(photo, box, model, strategy)
        return time.perf_counter() - began

    def inpaint_at_once(self, photos: Sequence[Path], box: Box, model: str, strategy: str = "auto") -> list[Candidate]:
        """Return photos that were all asked for at the same time."""

        async def ask() -> list[Candidate]:
            marks = Marks(boxes=[box])
            asked = (
                self._client.inpaint_candidates(photo, marks=marks, model=model, strategy=strategy) for photo in photos
            )
            return [found[0] for found in await asyncio.gather(*asked)]

        return self._runner.run(ask())

    def metrics(self) -> inpainting_pb2.GetMetricsResponse:
        """Return the service's counts."""
        return self.stub.GetMetrics(inpainting_pb2.GetMetricsRequest())

    def forget_peak(self) -> None:
        """Set the high-water mark of the service's memory back."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def peak_mib(self) -> float:
        """Return the largest resident memory since the mark was set back."""
        return peak_mib(self.process.pid)

    def __enter__(self) -> InpaintingHouse:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._runner.run(self._client.close())
        self._runner.close()
        self._channel.close()
        self._stop()

    async def _connect(self) -> AsyncInpainting:
        return AsyncInpainting(self.server)

    def _wait(self) -> None:
        health = health_pb2_grpc.HealthStub(self._channel)
        deadline_s = time.monotonic() + START_S
        while time.monotonic() < deadline_s and self.process.poll() is None:
            try:
                answer = health.Check(health_pb2.HealthCheckRequest(), timeout=1)
                if answer.status == health_pb2.HealthCheckResponse.SERVING:
                    return
            except grpc.RpcError:
                pass
            time.sleep(0.1)
        self._stop()
        raise SystemExit("the inpainting service did not come up")

    def _stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


def peak_mib(process_id: int | str = "self") -> float:
    """Return a process's largest resident memory, native libraries included."""
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) / 1024
