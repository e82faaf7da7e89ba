"""Runs a handler that writes its own TFRecord files, and finds out what it wrote."""

from __future__ import annotations

import itertools
import os
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence, Union

from dataset_handlers.errors import HandlerError
from dataset_handlers.example import BadExample, decode_example
from dataset_handlers.features import Signature, feature_of, merge_signatures
from dataset_handlers.tfrecord import BadTFRecord, count_records, read_records

INFERENCE_RECORDS = 64

_SPLIT_PREFIX = re.compile(r"^(train|validation|valid|val|test)(?![a-z])", re.IGNORECASE)
_SPLITS = {"train": "train", "validation": "validation", "valid": "validation", "val": "validation", "test": "test"}


def run_as_tfrecord(handler: Any, output_dir: Union[str, Path]) -> Dict[str, Any]:
    """Returns ``files`` (path, split, records; in the handler's order) and ``features``.

    The handler runs with ``output_dir`` as its current folder and for its temporary files; it may write elsewhere.
    Raises ``HandlerError`` for an answer that is no list of whole TFRecord files.
    """
    with _inside(Path(output_dir)):
        files = [Path(os.path.abspath(path)) for path in _paths(handler.as_tfrecord())]
        if len(set(files)) < len(files):
            raise HandlerError("as_tfrecord() returned a file twice")
        if not files:
            raise HandlerError("as_tfrecord() returned no file")
        described = [{"path": str(path), "split": split_of_file(path), "records": _count(path)} for path in files]
    return {"files": described, "features": infer_features(files)}


def split_of_file(path: Path) -> str:
    """Returns the split that a file's name, or else its folder's, begins with: train, validation (val) or test."""
    for name in (path.name, path.parent.name):
        found = _SPLIT_PREFIX.match(name)
        if found:
            return _SPLITS[found.group(1).lower()]
    return "train"


def infer_features(files: Sequence[Path]) -> Dict[str, Any]:
    """Returns the features that the first records hold; nothing if they are no ``tf.train.Example``."""
    seen: Dict[str, List[Signature]] = {}
    records = itertools.chain.from_iterable(read_records(path) for path in files)
    try:
        for record in itertools.islice(records, INFERENCE_RECORDS):
            for name, values in decode_example(record).items():
                seen.setdefault(name, []).append(_signature(values))
        return {name: merge_signatures(name, seen[name]) for name in sorted(seen)}
    except (BadExample, HandlerError):
        return {}


def _signature(values: Any) -> Signature:
    return feature_of(values[0] if len(values) == 1 else values).signature


def _count(path: Path) -> int:
    try:
        return count_records(path)
    except FileNotFoundError:
        raise HandlerError(f"as_tfrecord() returned {path}, which is not there") from None
    except BadTFRecord as error:
        raise HandlerError(f"as_tfrecord() returned a file that is no TFRecord file: {error}") from None


def _paths(returned: Any) -> List[str]:
    if isinstance(returned, (str, bytes, os.PathLike)):
        returned = [returned]
    try:
        return [os.fsdecode(path) for path in returned]
    except TypeError:
        raise HandlerError(
            f"as_tfrecord() returned {type(returned).__name__}; a list of the paths of .tfrecord files would do"
        ) from None


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    before, temporary, cached = os.getcwd(), os.environ.get("TMPDIR"), tempfile.tempdir
    os.chdir(folder)
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None
    try:
        yield
    finally:
        os.chdir(before)
        os.environ.pop("TMPDIR") if temporary is None else os.environ.update(TMPDIR=temporary)
        tempfile.tempdir = cached
