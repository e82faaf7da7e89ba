"""What each RPC asks of its caller: one table, which a new RPC must enter before anybody may call it."""

from __future__ import annotations

from collections.abc import Collection

READ, REQUEST, RUN, ADMIN = "read", "request", "run", "admin"

# Each scope with those that it brings along.
SCOPES: dict[str, frozenset[str]] = {
    READ: frozenset({READ}),
    REQUEST: frozenset({REQUEST, READ}),
    RUN: frozenset({RUN, READ}),
    ADMIN: frozenset({ADMIN, REQUEST, RUN, READ}),
}
SCOPE_TEXTS: dict[str, str] = {
    READ: "see what there is, watch, and download",
    REQUEST: "define and ask for datasets and retouched photos, and withdraw what was asked",
    RUN: "work as a runner",
    ADMIN: "delete, import, and change what others rely on",
}

_DATASET = "/darkroom.dataset.v1.DatasetService/"
_RUNNER = "/darkroom.handler.v1.RunnerService/"
_HANDLER_RUNNER = "/darkroom.handler.v1.HandlerRunnerService/"
_INPAINTING = "/darkroom.inpainting.v1.InpaintingService/"

REQUIRED: dict[str, str] = {
    _DATASET + "DefineDataset": REQUEST,
    _DATASET + "GetDefinition": READ,
    _DATASET + "ListDefinitions": READ,
    _DATASET + "RequestDataset": REQUEST,
    _DATASET + "GetRequest": READ,
    _DATASET + "ListRequests": READ,
    _DATASET + "WatchRequest": READ,
    _DATASET + "CancelRequest": REQUEST,
    _DATASET + "ResolveDataset": REQUEST,
    _DATASET + "PreviewDataset": REQUEST,
    _DATASET + "GetDataset": READ,
    _DATASET + "ListDatasets": READ,
    _DATASET + "WatchDataset": READ,
    _DATASET + "PinDataset": REQUEST,
    _DATASET + "UnpinDataset": REQUEST,
    _DATASET + "DeleteDataset": ADMIN,
    _DATASET + "VerifyDataset": REQUEST,
    _DATASET + "GetDownloadPlan": READ,
    _DATASET + "ReadShard": READ,
    _DATASET + "ReportDownload": READ,
    _DATASET + "GetUsage": READ,
    _DATASET + "GetHealthReport": READ,
    _DATASET + "ReadLog": READ,
    _DATASET + "ListHandlers": READ,
    _DATASET + "GetHandler": READ,
    _DATASET + "ListRawDatasets": READ,
    _DATASET + "ScanRawDataset": REQUEST,
    _DATASET + "ListRunners": READ,
    _DATASET + "RelockRepository": ADMIN,
    _DATASET + "ImportDataset": ADMIN,
    _RUNNER + "ClaimWork": RUN,
    _RUNNER + "Heartbeat": RUN,
    _RUNNER + "CommitShard": RUN,
    _RUNNER + "ListShards": RUN,
    _RUNNER + "FinishWork": RUN,
    _HANDLER_RUNNER + "GetRunner": READ,
    _INPAINTING + "UploadPhoto": REQUEST,
    _INPAINTING + "ReadPhoto": REQUEST,
    _INPAINTING + "Inpaint": REQUEST,
    _INPAINTING + "WatchInpaint": REQUEST,
    _INPAINTING + "InpaintBatch": REQUEST,
    _INPAINTING + "StartBatchJob": REQUEST,
    _INPAINTING + "WatchBatchJob": READ,
    _INPAINTING + "CancelBatchJob": REQUEST,
    _INPAINTING + "ListModels": READ,
    _INPAINTING + "GetModel": READ,
    _INPAINTING + "AddModel": ADMIN,
    _INPAINTING + "RemoveModel": ADMIN,
    _INPAINTING + "SetDefaultModel": ADMIN,
    _INPAINTING + "GetMetrics": READ,
}
# Liveness must be seen by whoever routes or restarts, and tells nothing.
OPEN = frozenset({"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch", "/grpc.health.v1.Health/List"})
_REFLECTION = "/grpc.reflection."


def required_scope(method: str) -> str | None:
    """Return the scope that a full method name needs; None: anybody may call it. An unknown one needs ``admin``."""
    if method in OPEN:
        return None
    if method.startswith(_REFLECTION):
        return READ
    return REQUIRED.get(method, ADMIN)


def allows(scopes: Collection[str], needed: str) -> bool:
    """Return whether a caller with these scopes has the one that is needed."""
    return any(needed in SCOPES.get(scope, ()) for scope in scopes)
