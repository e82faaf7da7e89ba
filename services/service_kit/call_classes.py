"""Which RPCs share a room: one table, which a new RPC must enter, and how many calls each room has place for."""

from __future__ import annotations

from enum import StrEnum


class CallClass(StrEnum):
    """Calls that cost the same kind of thing; each class has a room of its own, so none crowds out another."""

    READ = "read"
    """One answer out of the catalogue."""
    WRITE = "write"
    """One answer, and a transaction that others wait for."""
    RUN = "run"
    """What runners need to hold on to their work: clients in a crowd may not stop builds."""
    WATCH = "watch"
    """Waits nearly all of its time, for news or for work to end."""
    BYTES = "bytes"
    """Carries photos, archives or models, piece by piece."""
    PAINT = "paint"
    """Retouching; its own queue says more exactly how long it would take."""


# A call waits behind those of its room: reads take about a millisecond, transactions about ten.
PLACES: dict[CallClass, int] = {
    CallClass.READ: 500,
    CallClass.WRITE: 500,
    CallClass.RUN: 2000,
    CallClass.WATCH: 20_000,
    CallClass.BYTES: 500,
    CallClass.PAINT: 2000,
}

_DATASET = "/darkroom.dataset.v1.DatasetService/"
_RUNNER = "/darkroom.handler.v1.RunnerService/"
_HANDLER_RUNNER = "/darkroom.handler.v1.HandlerRunnerService/"
_INPAINTING = "/darkroom.inpainting.v1.InpaintingService/"

CLASSES: dict[str, CallClass] = {
    _DATASET + "DefineDataset": CallClass.WRITE,
    _DATASET + "GetDefinition": CallClass.READ,
    _DATASET + "ListDefinitions": CallClass.READ,
    _DATASET + "RequestDataset": CallClass.WRITE,
    _DATASET + "GetRequest": CallClass.READ,
    _DATASET + "ListRequests": CallClass.READ,
    _DATASET + "WatchRequest": CallClass.WATCH,
    _DATASET + "CancelRequest": CallClass.WRITE,
    _DATASET + "ResolveDataset": CallClass.WATCH,
    _DATASET + "PreviewDataset": CallClass.WATCH,
    _DATASET + "GetDataset": CallClass.READ,
    _DATASET + "ListDatasets": CallClass.READ,
    _DATASET + "WatchDataset": CallClass.WATCH,
    _DATASET + "PinDataset": CallClass.WRITE,
    _DATASET + "UnpinDataset": CallClass.WRITE,
    _DATASET + "DeleteDataset": CallClass.WRITE,
    _DATASET + "VerifyDataset": CallClass.BYTES,
    _DATASET + "GetDownloadPlan": CallClass.READ,
    _DATASET + "ReadShard": CallClass.BYTES,
    _DATASET + "ReportDownload": CallClass.WRITE,
    _DATASET + "GetUsage": CallClass.READ,
    _DATASET + "GetHealthReport": CallClass.READ,
    _DATASET + "ReadLog": CallClass.WATCH,
    _DATASET + "ListHandlers": CallClass.READ,
    # It may wait for git and for a runner.
    _DATASET + "GetHandler": CallClass.WATCH,
    _DATASET + "ListRawDatasets": CallClass.READ,
    _DATASET + "ScanRawDataset": CallClass.WATCH,
    _DATASET + "ListRunners": CallClass.READ,
    _DATASET + "RelockRepository": CallClass.WATCH,
    _DATASET + "ImportDataset": CallClass.BYTES,
    _RUNNER + "ClaimWork": CallClass.RUN,
    _RUNNER + "Heartbeat": CallClass.RUN,
    _RUNNER + "CommitShard": CallClass.RUN,
    _RUNNER + "ListShards": CallClass.RUN,
    _RUNNER + "FinishWork": CallClass.RUN,
    _HANDLER_RUNNER + "GetRunner": CallClass.READ,
    _INPAINTING + "UploadPhoto": CallClass.BYTES,
    _INPAINTING + "ReadPhoto": CallClass.BYTES,
    _INPAINTING + "Inpaint": CallClass.PAINT,
    _INPAINTING + "WatchInpaint": CallClass.PAINT,
    _INPAINTING + "InpaintBatch": CallClass.PAINT,
    _INPAINTING + "StartBatchJob": CallClass.WRITE,
    _INPAINTING + "WatchBatchJob": CallClass.WATCH,
    _INPAINTING + "CancelBatchJob": CallClass.WRITE,
    _INPAINTING + "ListModels": CallClass.READ,
    _INPAINTING + "GetModel": CallClass.READ,
    _INPAINTING + "AddModel": CallClass.BYTES,
    _INPAINTING + "RemoveModel": CallClass.WRITE,
    _INPAINTING + "SetDefaultModel": CallClass.WRITE,
    _INPAINTING + "GetMetrics": CallClass.READ,
}
