"""Makes a preview: the contact sheet of a few samples, made as a build would make them."""

from __future__ import annotations

import heapq
import itertools
import json
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from dataset_handlers.contact_sheet import CELL_PX, MAX_CELLS, Block, Cell, draw_sheet, overlaid
from dataset_handlers.errors import BadRawRecord
from dataset_handlers.handler import DatasetHandler
from dataset_handlers.handler_class import options_of
from dataset_handlers.image import Image
from dataset_handlers.image_header import read_header
from dataset_handlers.operations import encode_png, read_image
from dataset_handlers.operations.image_io import decode_image
from dataset_handlers.plan import Listing
from dataset_handlers.randomness import digest_integer
from dataset_handlers.sample import Sample
from dataset_handlers.shard_writer import sample_examples

Watch = Callable[[Sample, Sequence[Mapping[str, Any]], float, str], None]


def write_preview(
    handler: DatasetHandler,
    name: str,
    listing: Listing,
    sample_count: int,
    output: Union[str, Path],
    watch: Watch = lambda sample, examples, elapsed_s, reason: None,
) -> int:
    """Writes the sheet as PNG to ``output``; returns how many samples it shows.

    ``name``: what the handler is called. The samples are drawn by hash from all splits, the same ones each time.
    ``watch`` is told each sample, the examples made of it and the seconds that took, or why it cannot be read.
    """
    everything = [(split, sample) for split, samples in listing.items() for sample in samples]
    chosen = heapq.nsmallest(sample_count, everything, key=lambda pair: digest_integer("preview", pair[1].id))
    blocks = [_block(handler, split, sample, watch) for split, sample in chosen]
    counts = ", ".join(f"{split} {len(samples)}" for split, samples in listing.items())
    lines = [_config_line(handler), f"{len(chosen)} of {len(everything)} samples  ·  {counts}"]
    Path(output).write_bytes(encode_png(draw_sheet(name, lines, blocks), compression=6))
    return len(chosen)


def _block(handler: DatasetHandler, split: str, sample: Sample, watch: Watch) -> Block:
    path = _photo(handler, sample)
    cells = [_raw_cell(path)]
    facts = [split, *_raw_facts(path)]
    begin_s = time.perf_counter()
    try:
        examples = list(itertools.islice(sample_examples(handler, sample), MAX_CELLS))
        watch(sample, examples, time.perf_counter() - begin_s, "")
        groups = [_example_cells(sample, example) for example in examples]
    except BadRawRecord as error:
        watch(sample, (), time.perf_counter() - begin_s, error.reason)
        skipped = Cell("skipped", None, error.reason)
        shown = [skipped] if cells[0].note == error.reason else [*cells, skipped]
        return Block(shown, [sample.id, "  ·  ".join(facts)])
    several = len(groups) > 1
    for number, (group, more) in enumerate(groups):
        if len(cells) + len(group) <= MAX_CELLS:
            cells += [cell._replace(label=f"{cell.label} {number + 1}") if several else cell for cell in group]
        if number == 0:
            facts += more
    return Block(cells, [sample.id, "  ·  ".join(facts)])


def _raw_cell(path: Path) -> Cell:
    try:
        return Cell("raw", read_image(path, at_least=(CELL_PX, CELL_PX)))
    except (BadRawRecord, OSError) as error:
        return Cell("raw", None, error.reason if isinstance(error, BadRawRecord) else "no photo")


def _raw_facts(path: Path) -> List[str]:
    header = read_header(path.read_bytes()) if path.is_file() else None
    return ["raw {1}x{0}".format(*header.upright)] if header else []


def _photo(handler: DatasetHandler, sample: Sample) -> Path:
    paths = [folder / sample.photo for folder in handler.raw_data_paths.values()]
    return next((path for path in paths if path.is_file()), paths[0])


def _example_cells(sample: Sample, example: Mapping[str, Any]) -> Tuple[List[Cell], List[str]]:
    images = {
        name: image for name, image in ((name, _image(value)) for name, value in example.items()) if image is not None
    }
    photo = next((image for image in images.values() if image.ndim == 3), None)
    cells = []
    for name, image in images.items():
        if image.ndim == 2 and photo is not None and photo.shape[:2] == image.shape[:2]:
            cells.append(Cell(name, overlaid(photo[:, :, :3], image)))
        else:
            cells.append(Cell(name, image))
    facts = ["{1}x{0}".format(*next(iter(images.values())).shape)] if images else []
    # What the sheet shows already need not be said as well.
    said = {*images, *(("height", "width") if images else ())}
    facts += [
        f"{name} {_short(value)}"
        for name, value in example.items()
        if name not in said and not (isinstance(value, str) and value == sample.id)
    ]
    return cells, facts


def _image(value: Any) -> Optional[Image]:
    if isinstance(value, bytes):
        try:
            image = decode_image(value)
        except ValueError:
            return None
        return image if image.dtype == np.uint8 else (image // 257).astype(np.uint8)
    if isinstance(value, np.ndarray) and value.dtype == np.uint8 and (value.ndim == 2 or value.shape[2:] == (3,)):
        return value
    return None


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return "x".join(map(str, value.shape))
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], bytes):
        return f"{len(value)} files"
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _config_line(handler: DatasetHandler) -> str:
    options = options_of(type(handler))
    changed: Dict[str, Any] = {
        name: value
        for name, value in handler.config.items()
        if options[name].required or value != options[name].default
    }
    said = ["{}={}".format(name, _config_value(value)) for name, value in changed.items()]
    return "  ·  ".join([*said, "all else at its default" if said else "every option at its default"])


def _config_value(value: Any) -> str:
    if isinstance(value, Sequence) and len(value) == 2 and all(isinstance(side, int) for side in value):
        return "x".join(map(str, value))
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
