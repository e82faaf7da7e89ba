"""The services that are fuzzed, as real processes, and what is valid for each."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from google.protobuf.descriptor import ServiceDescriptor

from darkroom.dataset.v1 import dataset_pb2
from darkroom.handler.v1 import handler_pb2
from darkroom.inpainting.v1 import inpainting_pb2

from ..e2e.house import House
from ..e2e.inpainting_house import InpaintingHouse
from ..e2e.photos import make_photos
from ..e2e.process import Process
from ..ports import free_port

MIB = 1 << 20


@dataclass(frozen=True)
class Target:
    """One process, the services that it answers for, what fits their fields, and folders that nobody should read of."""

    process: Process
    server: str
    services: tuple[ServiceDescriptor, ...]
    known: dict[str, Iterable[Any]]
    places: tuple[str, ...]


def services_of(*files: Any) -> tuple[ServiceDescriptor, ...]:
    """Return every service that these protos declare."""
    return tuple(service for file in files for service in file.DESCRIPTOR.services_by_name.values())


SERVICES = services_of(dataset_pb2, handler_pb2, inpainting_pb2)


@contextmanager
def deployment(folder: Path, names: Iterable[str], **registry: object) -> Iterator[dict[str, Target]]:
    """Start what is named of registry, runner and inpainting; ``registry``: its settings."""
    house = House(folder / "house", make_photos(folder / "raw" / "street", 6).parent, None, **registry)
    inpainting = InpaintingHouse(folder / "inpainting", MAX_PIXELS=4_000_000, MAX_MODEL_BYTES=4 * MIB)
    listen = f"localhost:{free_port()}"
    found = {}
    try:
        if {"registry", "runner"} & set(names):
            house.registry.start()
            house.start_runner(LISTEN=listen)
            house.wait_for_handlers()
            found["registry"] = _registry(house)
            found["runner"] = Target(house.runner, listen, services_named("HandlerRunnerService"), {}, (str(folder),))
        if "inpainting" in names:
            found["inpainting"] = _inpainting(inpainting.start(), folder)
        yield {name: found[name] for name in names}
    finally:
        inpainting.end()
        house.end()


def services_named(*names: str) -> tuple[ServiceDescriptor, ...]:
    """Return the services of these names."""
    return tuple(service for service in SERVICES if service.name in names)


def _registry(house: House) -> Target:
    house.client.define("street", "stock/inpainting", {"photos": "street"})
    done = house.client.request_dataset("street", dataset_config={"image_size": [64, 64]})
    done.wait()
    [dataset] = house.client.list_datasets()
    requests, datasets = [done.name], [dataset.name, dataset.key[:8]]
    of_requests = ("GetRequest", "WatchRequest", "CancelRequest")
    known: dict[str, Iterable[Any]] = {
        "dataset_name": ["street"],
        "handler": ["stock/inpainting", "test/slow"],
        "handler_version": ["latest"],
        "version": ["latest"],
        "repository": ["stock", "test"],
        "config_json": ["", "{}", '{"image_size": [64, 64]}', '{"image_size": [32, 48]}'],
        "request_id": [str(uuid.UUID(int=number)) for number in range(4)],
        "download_id": [str(uuid.UUID(int=number)) for number in range(4)],
        "requester": ["anna@here"],
        "name": datasets,
        "key": [dataset.key],
        "page_size": [0, 1, 2, 1000],
        "page_token": [""],
        "RawEntry.key": ["photos"],
        "RawEntry.value": ["street"],
        "ReadLogRequest.name": [*datasets, *requests],
        "GetHandlerRequest.name": ["stock/inpainting", "test/slow"],
        "ScanRawDatasetRequest.name": ["street"],
        "RunnerDescription.name": ["fuzz", "other"],
        "instance": ["one", "two"],
        "ServedRepository.name": ["stock", "test"],
        "ServedRawDataset.name": ["street"],
        "offset": [0, 1, 1000],
        "size_bytes": [1, 1000],
        "sample_count": [1, 4],
        "rebuild_count": [0, 1],
        "split": ["train", "validation"],
        "index": [0, 1],
        "sha256": ["0" * 64],
        "digest": ["0" * 64],
        "object": [f"{dataset.key}/1/train-00000.tfrecord"],
        "archive_object": [f"{dataset.key}/1/archive.zip"],
        "file_name": ["street_latest_" + "0" * 64 + ".zip"],
        "description_json": ["{}", '{"handlers": {}}', '{"handlers": []}', '{"handlers": {"a": {}}}'],
        **{f"{name}Request.name": requests for name in of_requests},
    }
    services = services_named("DatasetService", "RunnerService")
    return Target(house.registry, house.server, services, known, (str(house.folder),))


def _inpainting(house: InpaintingHouse, folder: Path) -> Target:
    picture = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    mask = np.zeros((24, 32), np.uint8)
    mask[4:9, 5:15] = 255
    for path, pixels in (("in/a.png", picture), ("in/b.jpg", picture), ("masks/a.png", mask)):
        (house.store / path).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(house.store / path), pixels)
    files = [(house.store / name).read_bytes() for name in ("in/a.png", "in/b.jpg")]
    marked = (house.store / "masks/a.png").read_bytes()
    known: dict[str, Iterable[Any]] = {
        "content": [*files, marked],
        "chunk": [*files, files[0][:100]],
        "object": ["in/a.png", "in/b.jpg"],
        "x": [0, 3],
        "y": [0, 3],
        "width": [1, 9],
        "height": [1, 9],
        "width_px": [1.0, 4.0],
        "grow_px": [0, 2],
        "feather_px": [0, 2],
        "candidate_count": [0, 1, 2],
        "model": ["", "ns", "telea", "mean"],
        "strategy": ["", "auto", "native", "baseline"],
        "id": [f"item-{number}" for number in range(40)],
        "photo_prefix": ["in/"],
        "mask_prefix": ["masks/"],
        "output_prefix": ["out/", "other/"],
        "page_size": [0, 1, 2, 1000],
        "page_token": [""],
        "GetModelRequest.name": ["ns", "telea"],
        "SetDefaultModelRequest.name": ["ns", "telea"],
        "AddModelRequest.name": ["mine", "other"],
        "RemoveModelRequest.name": ["mine", "ns"],
        "file_name": ["mine.onnx", "mine.tflite", "mine.keras", "mine.weights.h5"],
        "io": ["", "lama", "migan", "inputs: {}"],
    }
    services = services_named("InpaintingService")
    return Target(house.service, house.server, services, known, (str(folder),))
