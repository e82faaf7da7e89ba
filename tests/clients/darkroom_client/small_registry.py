"""A registry of one dataset for the client's tests: real gRPC, real bytes, a process that can be killed and restarted.

Its home folder is its memory: `archive.zip` and `facts.json` (what the tests built), `requests/` (kept over restarts),
`go` (until it exists, builds go on), `slow_s` (pause before each chunk), `reads` and `downloads` (one line per call).
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import grpc

from darkroom.dataset.v1 import dataset_pb2 as pb
from darkroom.dataset.v1 import dataset_pb2_grpc
from service_kit.errors import DarkroomError, FailedPrecondition, InvalidArgument, NotFound, rich_status

CHUNK_BYTES = 1 << 18


class SmallRegistry(dataset_pb2_grpc.DatasetServiceServicer):
    def __init__(self, home: Path, url: str) -> None:
        self.home, self.url = home, url
        self.facts = json.loads((home / "facts.json").read_text())

    async def RequestDataset(self, request, context):
        if request.dataset_name != "street":
            await fail(context, NotFound(f"no dataset is defined as {request.dataset_name!r}"))
        config = json.loads(request.config_json)
        if "crop_sise" in config:
            violations = [("config.crop_sise", "unknown; did you mean crop_size?"), ("config.image_size", "missing")]
            await fail(context, InvalidArgument.of(violations))
        path = self.home / "requests" / request.request_id
        path.parent.mkdir(exist_ok=True)
        options = {key: config[key] for key in ("batch_size",) if key in config}
        path.write_text(json.dumps({"version": request.handler_version, "who": request.requester, "read": options}))
        return pb.RequestDatasetResponse(request=self.request(f"requests/{request.request_id}"))

    async def GetRequest(self, request, context):
        await self.known(request.name, context)
        return pb.GetRequestResponse(request=self.request(request.name))

    async def WatchRequest(self, request, context):
        await self.known(request.name, context)
        while True:
            snapshot = self.request(request.name)
            yield pb.WatchRequestResponse(request=snapshot)
            if snapshot.state not in (pb.REQUEST_STATE_RESOLVING, pb.REQUEST_STATE_BUILDING):
                return
            await asyncio.sleep(0.05)

    async def CancelRequest(self, request, context):
        await self.known(request.name, context)
        (self.home / "requests" / f"{request.name.removeprefix('requests/')}.cancelled").touch()
        return pb.CancelRequestResponse(request=self.request(request.name))

    async def GetDataset(self, request, context):
        key = request.name.removeprefix("datasets/")
        if not self.facts["key"].startswith(key):
            await fail(context, NotFound(f"no dataset {request.name!r}"))
        return pb.GetDatasetResponse(dataset=self.dataset())

    async def ListDatasets(self, request, context):
        named = request.dataset_name in ("", "street")
        return pb.ListDatasetsResponse(datasets=[self.dataset()] if named else [])

    async def GetDownloadPlan(self, request, context):
        if not self.built():
            await fail(context, FailedPrecondition("the dataset is not ready"))
        url = f"{self.url}?made={time.time()}" if (self.home / "urls").exists() else ""
        return pb.GetDownloadPlanResponse(
            dataset=self.dataset(),
            url=url,
            manifest_offset=self.facts["manifest_offset"],
            manifest_size_bytes=self.facts["manifest_size_bytes"],
        )

    async def ReadShard(self, request, context):
        self.note("reads", f"{request.offset} {request.size_bytes}")
        with open(self.home / "archive.zip", "rb") as archive:
            archive.seek(request.offset)
            left = request.size_bytes
            while left:
                await asyncio.sleep(self.slow_s())
                chunk = archive.read(min(left, CHUNK_BYTES))
                left -= len(chunk)
                yield pb.ReadShardResponse(data=chunk)

    async def ReportDownload(self, request, context):
        self.note("downloads", f"{request.size_bytes} {request.requester}")
        return pb.ReportDownloadResponse()

    async def ReadLog(self, request, context):
        text = "a line\nanother line\n"[request.offset :]
        if text:
            yield pb.ReadLogResponse(text=text, next_offset=request.offset + len(text))

    def built(self) -> bool:
        return (self.home / "go").exists()

    def slow_s(self) -> float:
        path = self.home / "slow_s"
        return float(path.read_text()) if path.exists() else 0.0

    def note(self, name: str, line: str) -> None:
        with open(self.home / name, "a") as file:
            file.write(line + "\n")

    async def known(self, name: str, context) -> None:
        if not (self.home / name).exists():
            await fail(context, NotFound(f"no request {name!r}"))

    def dataset(self) -> pb.Dataset:
        facts = self.facts
        return pb.Dataset(
            name=f"datasets/{facts['key']}",
            key=facts["key"],
            dataset_name="street",
            handler_version="latest",
            state=pb.DATASET_STATE_READY if self.built() else pb.DATASET_STATE_BUILDING,
            archive=f"street_latest_{facts['key']}.zip",
            digest=facts["digest"],
            example_count=facts["examples"],
            size_bytes=facts["size_bytes"],
            shard_count=facts["shards"],
            splits=facts["splits"],
            started_by="anna@gpu3",
        )

    def request(self, name: str) -> pb.Request:
        path = self.home / name
        asked = json.loads(path.read_text())
        made = pb.Request(name=name, dataset_name="street", requester=asked["who"], key=self.facts["key"])
        made.read_options_json = json.dumps(asked["read"])
        # Each look at a build finds news, whichever registry is asked.
        made.revision = time.time_ns() // 1000
        made.progress.CopyFrom(pb.Progress(stage=pb.STAGE_BUILDING, shard_count=4, shards_done=1, example_count=100))
        made.dataset.CopyFrom(self.dataset())
        made.state = pb.REQUEST_STATE_BUILDING
        if path.with_suffix(".cancelled").exists():
            made.state = pb.REQUEST_STATE_CANCELLED
        elif asked["version"] == "broken":
            made.state = pb.REQUEST_STATE_FAILED
            made.failure.failure_class = pb.FAILURE_CLASS_HANDLER_ERROR
            made.failure.message = "the handler raised ZeroDivisionError: division by zero"
            made.failure.detail = "Traceback (most recent call last):\n  1 / 0\nZeroDivisionError: division by zero"
        elif asked["version"] == "misfit":
            made.state = pb.REQUEST_STATE_FAILED
            made.failure.failure_class = pb.FAILURE_CLASS_BAD_CONFIG
            made.failure.message = "config.crop_size: larger than the image"
            made.failure.violations.add(field="config.crop_size", description="larger than the image")
        elif self.built():
            made.state = pb.REQUEST_STATE_READY
            made.progress.stage = pb.STAGE_FINISHED
        return made


class ArchiveByUrl(BaseHTTPRequestHandler):
    """Answers byte ranges as an object store does; a URL works for as long as `url_lives_s` says."""

    protocol_version = "HTTP/1.1"
    home: Path

    def do_GET(self) -> None:
        made = float(parse_qs(urlparse(self.path).query)["made"][0])
        lives = self.home / "url_lives_s"
        if lives.exists() and time.time() - made > float(lives.read_text()):
            self.send_response(403)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        first, last = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
        with open(self.home / "archive.zip", "rb") as archive:
            archive.seek(first)
            body = archive.read(last - first + 1)
        self.send_response(206)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if (self.home / "cut").exists():  # one connection breaks in the middle
            (self.home / "cut").unlink()
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            return
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


async def fail(context, error: DarkroomError) -> None:
    await context.abort_with_status(rich_status(error))


async def serve(home: Path, port: int) -> None:
    ArchiveByUrl.home = home
    store = ThreadingHTTPServer(("127.0.0.1", 0), ArchiveByUrl)
    threading.Thread(target=store.serve_forever, daemon=True).start()
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    registry = SmallRegistry(home, f"http://127.0.0.1:{store.server_port}/archive.zip")
    dataset_pb2_grpc.add_DatasetServiceServicer_to_server(registry, server)
    server.add_insecure_port(f"localhost:{port}")
    await server.start()
    (home / "ready").touch()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
