"""Brings archives that another system built into a registry's catalogue."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path

from darkroom.dataset.v1 import dataset_pb2
from darkroom_client.archive_name import with_version
from darkroom_client.async_datasets import AsyncDatasets
from darkroom_client.errors import InvalidArgument, NotFound, RequestFailed
from darkroom_client.snapshot import DatasetSnapshot, DatasetState, Failure
from darkroom_client.snapshot_proto import dataset_snapshot
from darkroom_client.upload import Upload

OnUpload = Callable[[int, int], None] | None
OnImport = Callable[[DatasetSnapshot], None] | None


class AsyncImports(AsyncDatasets):
    """The calls that bring datasets in."""

    server: str
    requester: str
    _patience_s: float

    async def import_archive(
        self,
        path: str | Path,
        *,
        name: str | None = None,
        version: str | None = None,
        on_upload: OnUpload = None,
        on_progress: OnImport = None,
    ) -> DatasetSnapshot:
        """Return the dataset that an archive ``{dataset_name}_{handler_version}_{md5}.zip`` has become, ready.

        ``name`` is the archive's name where the file has another, ``version`` the version in it where an underscore
        could belong to either part; ``on_upload`` hears of bytes sent and bytes there are. The same archive again is
        answered at once. Raises `InvalidArgument` for a name or file that is none,
        `AlreadyExists` when the catalogue has another archive of that name, `RequestFailed` when it is damaged.
        """
        sent = await self.send_archive(path, name=name, version=version, on_upload=on_upload)
        return await self.finish_import(sent, on_progress)

    async def finish_import(self, found: DatasetSnapshot, on_progress: OnImport = None) -> DatasetSnapshot:
        """Return the dataset of an archive that was sent, once it is ready. Raises `RequestFailed`."""
        if not found.final:
            async for newer in self.watch_dataset(found.name):
                found = newer
                if on_progress is not None:
                    on_progress(found)
        if found.state is not DatasetState.READY:
            raise RequestFailed(found.failure or Failure(str(found.state), f"{found.name} is {found.state}"))
        return found

    async def send_archive(
        self,
        path: str | Path,
        *,
        name: str | None = None,
        version: str | None = None,
        on_upload: OnUpload = None,
    ) -> DatasetSnapshot:
        """Return the dataset as it stands once the archive is in the store; a runner checks it from then on."""
        path = Path(path)
        file_name = with_version(name or path.name, version) if version else name or path.name
        try:
            size_bytes, sha256 = await asyncio.to_thread(_facts, path)
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            raise (NotFound if missing else InvalidArgument)(f"{path} cannot be read: {error.strerror}") from error
        header = dataset_pb2.ImportHeader(
            file_name=file_name, size_bytes=size_bytes, requester=self.requester, sha256=sha256
        )
        await self._connection.contact()
        upload = Upload(self.server, path, header, on_upload or (lambda sent, size_bytes: None), self._patience_s)
        work = asyncio.ensure_future(asyncio.to_thread(upload.run))
        try:
            return dataset_snapshot((await asyncio.shield(work)).dataset)
        finally:
            if not work.done():
                upload.stop()
                with contextlib.suppress(BaseException):
                    await work


def _facts(path: Path) -> tuple[int, str]:
    with path.open("rb", buffering=0) as file:
        digest = hashlib.file_digest(file, "sha256")
        return file.tell(), digest.hexdigest()
