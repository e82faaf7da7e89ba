"""What a dataset's archive holds, as its manifest says: shards, splits, features."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from darkroom_client.errors import DataLoss

FORMAT = 1
Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Shard:
    """One TFRecord file; ``offset`` is its first byte in the archive."""

    name: str
    split: str
    index: int
    offset: int
    size_bytes: int
    sha256: str
    records: int

    @property
    def end(self) -> int:
        """The first byte behind it in the archive."""
        return self.offset + self.size_bytes


@dataclass(frozen=True)
class Feature:
    """How one feature of an example is stored, and what a reader makes of it.

    ``dtype`` is bytes, int64 or float32 and ``shape`` the stored shape. ``encoding`` of bytes: jpeg or png (then
    ``image_shape``, `(height, width, channels)`), raw (an array of ``raw_dtype`` and ``raw_shape``), utf8, or empty.
    In every shape None stands for a length that varies.
    """

    name: str
    dtype: str
    shape: Shape
    encoding: str = ""
    image_shape: Shape = (None, None, None)
    raw_dtype: str = ""
    raw_shape: Shape = (None,)

    @property
    def is_image(self) -> bool:
        """Whether its bytes are an encoded picture."""
        return self.encoding in ("jpeg", "png")

    @property
    def is_static(self) -> bool:
        """Whether every example's decoded value has the same shape, so that they stack."""
        inner = self.image_shape if self.is_image else self.raw_shape if self.encoding == "raw" else ()
        return None not in (*self.shape, *inner)


@dataclass(frozen=True)
class Manifest:
    """The facts about a dataset; its digest is the sha256 of the manifest's bytes."""

    key: str
    dataset_name: str
    preimage: Mapping[str, Any]
    features: Mapping[str, Feature]
    splits: Mapping[str, int]
    shards: tuple[Shard, ...]
    skipped: tuple[str, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of all shards."""
        return sum(shard.size_bytes for shard in self.shards)

    @classmethod
    def parse(cls, content: bytes) -> Manifest:
        """Return the manifest that ``content`` holds. Raises `DataLoss` when it is none that is known here."""
        try:
            fields = json.loads(content)
            if fields["format"] != FORMAT:
                raise DataLoss(
                    f"the dataset has format {fields['format']}, this client reads {FORMAT}; install a newer darkroom"
                )
            return cls(
                key=fields["key"],
                dataset_name=fields["dataset_name"],
                preimage=fields["preimage"],
                features={name: _feature(name, spec) for name, spec in fields["features"].items()},
                splits={name: split["examples"] for name, split in fields["splits"].items()},
                shards=tuple(map(_shard, fields["shards"])),
                skipped=tuple(fields.get("skipped", ())),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise DataLoss(f"the manifest cannot be read: {error!r}") from error


def _shard(fields: Mapping[str, Any]) -> Shard:
    name = str(fields["name"])
    if "/" in name or name.startswith("."):
        raise ValueError(f"the shard name {name!r} leads out of the folder")
    return Shard(
        name=name,
        split=fields["split"],
        index=fields["index"],
        offset=fields["offset"],
        size_bytes=fields["size_bytes"],
        sha256=fields["sha256"],
        records=fields["records"],
    )


def _feature(name: str, spec: Mapping[str, Any]) -> Feature:
    return Feature(
        name=name,
        dtype=spec["dtype"],
        shape=tuple(spec["shape"]),
        encoding=spec.get("encoding") or "",
        image_shape=tuple(spec.get("image_shape") or (None, None, None)),
        raw_dtype=spec.get("raw_dtype") or "",
        raw_shape=tuple(spec.get("raw_shape", (None,))),
    )
