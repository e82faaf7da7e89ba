"""Asks an inpainting service to remove what is marked from photos, and looks after its models."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import grpc

from darkroom.inpainting.v1 import inpainting_pb2 as pb
from darkroom.inpainting.v1 import inpainting_pb2_grpc
from darkroom_client.channel import open_channel
from darkroom_client.connection import CONTACT_TIMEOUT_S, PATIENCE_S, backoff_s, passing, server_address
from darkroom_client.errors import Unavailable, error_from_rpc
from darkroom_client.fork_check import check_process
from darkroom_client.inpainting import BatchJob, Candidate, InpaintModel, InpaintProgress, Marks
from darkroom_client.inpainting_proto import job_value, mask_message, model_value, progress_value
from darkroom_client.replicas import split_servers
from darkroom_client.silence import why_silent

if TYPE_CHECKING:
    import numpy as np

    from darkroom_client.inpainting_photo import Photo

V = TypeVar("V")
OnProgress = Callable[[InpaintProgress], None] | None

# The ports of a Darkroom stand together: 50050 the registry's, 50052 the inpainting service's.
PORT_OFFSET = 2
CHUNK_BYTES = 1 << 20
# A message holds 16 MiB, photo and mask together.
INLINE_BYTES = 6 << 20
SERVICE = "inpainting service"


def inpainting_address(server: str | None = None, registry: str | None = None) -> str:
    """Return the service's address: as given, else ``DARKROOM_INPAINTING``, else beside the registry."""
    return server or os.environ.get("DARKROOM_INPAINTING") or beside(server_address(registry))


def beside(registry: str) -> str:
    """Return where the inpainting service of a registry answers, if nobody says otherwise: two ports further."""
    first = split_servers(registry)[0]
    host, _, port = first.rpartition(":")
    return f"{host}:{int(port) + PORT_OFFSET}" if port.isdigit() else first


class AsyncInpainting:
    """An inpainting service's client; calls outlast a service that is full or away for up to ``patience_s``."""

    def __init__(
        self, server: str | None = None, *, registry: str | None = None, patience_s: float = PATIENCE_S
    ) -> None:
        check_process()
        self.server = inpainting_address(server, registry)
        self._patience_s = patience_s
        self._channel = open_channel(self.server)
        self._stub = inpainting_pb2_grpc.InpaintingServiceStub(self._channel)
        self._contacted = False

    async def inpaint(
        self,
        photo: Photo,
        mask: Photo | None = None,
        *,
        marks: Marks | None = None,
        model: str = "",
        strategy: str = "auto",
        seed: int = 0,
        on_progress: OnProgress = None,
    ) -> np.ndarray[Any, Any]:
        """Return the photo without what is marked, as an array: uint8 or uint16 `(height, width, channels)`, RGB.

        ``photo`` and ``mask`` (white, or True, is hole) are paths, files' bytes or arrays. Raises `InvalidArgument`
        naming the field, and needs OpenCV or Pillow for the array; `inpaint_candidates` returns files.
        """
        found = await self.inpaint_candidates(
            photo, mask, marks=marks, model=model, strategy=strategy, seed=seed, on_progress=on_progress
        )
        return found[0].pixels()

    async def inpaint_candidates(
        self,
        photo: Photo,
        mask: Photo | None = None,
        *,
        marks: Marks | None = None,
        model: str = "",
        strategy: str = "auto",
        seed: int = 0,
        candidates: int = 1,
        on_progress: OnProgress = None,
    ) -> list[Candidate]:
        """Return results to choose from, by seed: each a file in the photo's own format, and how it was made."""
        content = await _read(photo, "photo")
        image = None if mask is None else await _read(mask, "mask.image")
        tell = on_progress or (lambda progress: None)

        async def attempt() -> list[Candidate]:
            request = pb.WatchInpaintRequest(
                photo=await self._sent(content, tell),
                mask=mask_message(marks or Marks(), None if image is None else await self._sent(image, tell)),
                options=pb.InpaintOptions(model=model, strategy=strategy, seed=seed, candidate_count=candidates),
            )
            call = self._stub.WatchInpaint(request)
            try:
                async for event in call:
                    if event.WhichOneof("event") == "progress":
                        tell(progress_value(event.progress))
                    elif event.WhichOneof("event") == "result":
                        return [await self._received(each) for each in event.result.candidates]
            finally:
                call.cancel()
            raise Unavailable(f"the {SERVICE} at {self.server} ended the stream early")

        return await self._patiently(attempt, lambda words: tell(InpaintProgress("WAITING", words)))

    async def list_models(self) -> list[InpaintModel]:
        """Return the models, by name."""
        found: list[InpaintModel] = []
        token = ""
        while True:
            request = pb.ListModelsRequest(page_size=1000, page_token=token)
            page = await self._call("ListModels", request)
            found += map(model_value, page.models)
            token = page.next_page_token
            if not token:
                return found

    async def add_model(self, path: str | Path, name: str, io: str = "") -> InpaintModel:
        """Send a model's file to the service, which keeps it.

        ``io`` says what its inputs and outputs mean: a known description's name (``lama``, ``migan``), one as YAML, or
        nothing for this project's own networks. Raises `InvalidArgument`, `AlreadyExists`, `NotFound`.
        """
        content = await _read(path, "file")

        def parts() -> Iterator[pb.AddModelRequest]:
            yield pb.AddModelRequest(name=name, file_name=Path(path).name, io=io)
            for chunk in chunks(content):
                yield pb.AddModelRequest(chunk=chunk)

        async def attempt() -> InpaintModel:
            return model_value((await self._stub.AddModel(parts())).model)

        return await self._patiently(attempt)

    async def remove_model(self, name: str) -> None:
        """Forget a model that was added. Raises `NotFound`, `FailedPrecondition` for one of Darkroom's own."""
        await self._call("RemoveModel", pb.RemoveModelRequest(name=name))

    async def set_default_model(self, name: str) -> InpaintModel:
        """Make a model the one that is used when none is named. Raises `NotFound`."""
        return model_value((await self._call("SetDefaultModel", pb.SetDefaultModelRequest(name=name))).model)

    async def start_batch_job(self, request: pb.StartBatchJobRequest) -> BatchJob:
        """Start a job over a prefix of the service's store, or go on with it."""
        return job_value((await self._call("StartBatchJob", request)).job)

    async def watch_batch_job(self, name: str) -> AsyncGenerator[BatchJob, None]:
        """Yield the job each time it changes, its final state last; re-attaches by itself."""
        pauses, lost_since_s = backoff_s(), None
        await self._contact()
        while True:
            try:
                async for response in self._stub.WatchBatchJob(pb.WatchBatchJobRequest(name=name)):
                    pauses, lost_since_s = backoff_s(), None
                    job = job_value(response.job)
                    yield job
                    if job.state != "RUNNING":
                        return
            except grpc.aio.AioRpcError as error:
                meaning = error_from_rpc(error, self.server, SERVICE)
                lost_since_s = lost_since_s or time.monotonic()
                if not passing(error, meaning) or time.monotonic() - lost_since_s > self._patience_s:
                    raise meaning from error
            await asyncio.sleep(next(pauses))

    async def cancel_batch_job(self, name: str) -> BatchJob:
        """Stop a job; results that are there stay. Raises `NotFound`."""
        return job_value((await self._call("CancelBatchJob", pb.CancelBatchJobRequest(name=name))).job)

    async def close(self) -> None:
        """Drop the connection; jobs go on."""
        await self._channel.close()

    async def __aenter__(self) -> AsyncInpainting:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def _sent(self, content: bytes, tell: Callable[[InpaintProgress], None]) -> pb.Photo:
        if len(content) <= INLINE_BYTES:
            return pb.Photo(content=content)

        async def parts() -> AsyncIterator[pb.UploadPhotoRequest]:
            for number, chunk in enumerate(chunks(content)):
                megabytes = len(content) / 1e6
                tell(InpaintProgress("UPLOADING", f"{number * CHUNK_BYTES / 1e6:.0f} of {megabytes:.0f} MB"))
                yield pb.UploadPhotoRequest(chunk=chunk)

        return pb.Photo(name=(await self._stub.UploadPhoto(parts())).name)

    async def _received(self, message: pb.Candidate) -> Candidate:
        content = message.photo.content
        if message.photo.name:
            request = pb.ReadPhotoRequest(name=message.photo.name)
            content = b"".join([each.chunk async for each in self._stub.ReadPhoto(request)])
        return Candidate(
            content,
            message.model,
            message.strategy,
            message.reason,
            tuple(message.warnings),
            message.pass_count,
            message.elapsed.ToTimedelta(),
            message.seed,
            tuple(message.methods),
        )

    async def _call(self, method: str, request: Any) -> Any:
        async def attempt() -> Any:
            return await getattr(self._stub, method)(request)

        return await self._patiently(attempt)

    async def _patiently(
        self, attempt: Callable[[], Awaitable[V]], tell: Callable[[str], None] = lambda words: None
    ) -> V:
        """Return what an attempt returns, made again while the service is full or away."""
        await self._contact()
        deadline_s, pauses = time.monotonic() + self._patience_s, backoff_s()
        while True:
            try:
                return await attempt()
            except grpc.aio.AioRpcError as error:
                meaning = error_from_rpc(error, self.server, SERVICE)
                pause_s = max(next(pauses), meaning.retry_after_s or 0.0)
                if not passing(error, meaning) or time.monotonic() + pause_s > deadline_s:
                    raise meaning from error
                tell(meaning.message)
            await asyncio.sleep(pause_s)

    async def _contact(self) -> None:
        if self._contacted:
            return
        try:
            await asyncio.wait_for(self._channel.channel_ready(), CONTACT_TIMEOUT_S)
        except TimeoutError:
            if why := await asyncio.to_thread(why_silent, self.server):
                raise Unavailable(why, reason="NOT_BELIEVED") from None
            raise Unavailable(
                f"no Darkroom inpainting service answers at {self.server}; start one with `darkroom up` or "
                "`python -m inpainting`, name another with --server or DARKROOM_INPAINTING, or add --local",
                reason="NO_INPAINTING_SERVICE",
            ) from None
        self._contacted = True


async def _read(photo: Photo, field: str) -> bytes:
    # Here, because who only asks for datasets should not wait for NumPy.
    from darkroom_client.inpainting_photo import photo_bytes

    return await asyncio.to_thread(photo_bytes, photo, field)


def chunks(content: bytes) -> Iterator[bytes]:
    """Yield the bytes in chunks of at most 1 MiB."""
    for at in range(0, len(content), CHUNK_BYTES):
        yield content[at : at + CHUNK_BYTES]
