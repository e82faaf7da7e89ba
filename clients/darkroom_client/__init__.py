"""Asks a Darkroom for datasets and reads them, and retouches photos: light, without TensorFlow.

>>> from darkroom_client import Client
>>> with Client() as client:
...     dataset = client.request_dataset("street", "latest", {"image_size": [256, 256]}).get()
>>> train = dataset.as_tf("train", shuffle_seed=7)
"""

import os

# gRPC tells of each idle connection that a server closes, in the middle of a training's output.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")

from darkroom_client.async_client import AsyncClient
from darkroom_client.async_inpainting import AsyncInpainting
from darkroom_client.async_request import AsyncDatasetRequest
from darkroom_client.cache import Cache
from darkroom_client.client import Client, DatasetRequest, Inpainting
from darkroom_client.dataset import Dataset, open_dataset
from darkroom_client.errors import (
    Aborted,
    AlreadyExists,
    DarkroomError,
    DataLoss,
    DiskFull,
    FailedPrecondition,
    Internal,
    InvalidArgument,
    NotFound,
    OutOfRange,
    RequestFailed,
    ResourceExhausted,
    Unavailable,
)
from darkroom_client.inpainting import BatchJob, Candidate, InpaintModel, InpaintProgress, Marks, Stroke
from darkroom_client.resolution import BuildCost, Difference, NearDataset, RawDifference, Resolution
from darkroom_client.snapshot import (
    DatasetSnapshot,
    DatasetState,
    Failure,
    Progress,
    RequestSnapshot,
    RequestState,
    Stage,
    Violation,
)

__all__ = [
    "Aborted",
    "AlreadyExists",
    "AsyncClient",
    "AsyncDatasetRequest",
    "AsyncInpainting",
    "BatchJob",
    "BuildCost",
    "Cache",
    "Candidate",
    "Client",
    "DarkroomError",
    "DataLoss",
    "Dataset",
    "DatasetRequest",
    "DatasetSnapshot",
    "DatasetState",
    "Difference",
    "DiskFull",
    "FailedPrecondition",
    "Failure",
    "InpaintModel",
    "InpaintProgress",
    "Inpainting",
    "Internal",
    "InvalidArgument",
    "Marks",
    "NearDataset",
    "NotFound",
    "OutOfRange",
    "Progress",
    "RawDifference",
    "RequestFailed",
    "RequestSnapshot",
    "RequestState",
    "Resolution",
    "ResourceExhausted",
    "Stage",
    "Stroke",
    "Unavailable",
    "Violation",
    "open_dataset",
]
