"""What a child does for each command; a command is plain data, and so is its result."""

from __future__ import annotations

import json
import sys
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple, Type

from dataset_handlers.describe import describe
from dataset_handlers.discovery import find_handlers
from dataset_handlers.errors import HandlerError
from dataset_handlers.handler_class import make_handler, style_of
from dataset_handlers.plan import Plan, samples_digest
from dataset_handlers.sample import Sample

Progress = Callable[..., None]

_made: Dict[str, Any] = {}
_listed: Dict[str, Dict[str, List[Sample]]] = {}


def run(command: Mapping[str, Any], progress: Progress) -> Dict[str, Any]:
    """Returns the result of a command; raises whatever the handler raises."""
    kind = command.get("type")
    if kind not in _COMMANDS:
        raise HandlerError(f"no command {kind!r}; there are {', '.join(sorted(_COMMANDS))} and exit")
    return _COMMANDS[kind](command, progress)


def _describe(command: Mapping[str, Any], progress: Progress) -> Dict[str, Any]:
    return describe(_handlers(command))


def _plan(command: Mapping[str, Any], progress: Progress) -> Dict[str, Any]:
    handler_class = _handler_class(command)
    key, handler = _handler(command, handler_class, fresh=True)
    if style_of(handler_class) == "records":
        # Nothing is known of such a handler before it has run.
        return {**Plan([], 0, 0, 0, []).to_json(), "kind": "records"}
    from dataset_handlers.planning import list_samples, make_plan

    _listed[key] = list_samples(handler)
    return make_plan(handler, _listed[key]).to_json()


def _shard(command: Mapping[str, Any], progress: Progress) -> Dict[str, Any]:
    from dataset_handlers.shard_writer import write_shard

    handler, samples = _shard_samples(command, fresh=False)
    if samples is None:
        # A child may outlive the raw data that it listed.
        handler, samples = _shard_samples(command, fresh=True)
    if samples is None:
        raise HandlerError(
            "samples() lists others than at planning (shard {split}-{index:05}): the raw data changed, or samples() "
            "is not deterministic".format(**command["shard"])
        )
    result = write_shard(handler, samples, command["output"], lambda examples: progress(examples=examples))
    return {
        "examples": result.examples,
        "records": result.examples,
        "features": result.features,
        "skipped": [skipped._asdict() for skipped in result.skipped],
    }


def _records(command: Mapping[str, Any], progress: Progress) -> Dict[str, Any]:
    from dataset_handlers.records import run_as_tfrecord

    _, handler = _handler(command, _handler_class(command), fresh=True)
    return run_as_tfrecord(handler, command["output_dir"])


def _preview(command: Mapping[str, Any], progress: Progress) -> Dict[str, Any]:
    from dataset_handlers.preview import write_preview

    handler_class = _handler_class(command)
    if style_of(handler_class) == "records":
        raise HandlerError("a handler that overrides as_tfrecord() has no preview: it lists no samples")
    handler, listing = _listing(command, fresh=True)
    name = f"{command.get('repository', 'stock')}/{command['handler']}"
    samples = write_preview(handler, name, listing, command["sample_count"], command["output"])
    return {"samples": samples}


_COMMANDS: Dict[str, Callable[[Mapping[str, Any], Progress], Dict[str, Any]]] = {
    "describe": _describe,
    "plan": _plan,
    "shard": _shard,
    "records": _records,
    "preview": _preview,
}


def _handlers(command: Mapping[str, Any]) -> Dict[str, Type[Any]]:
    return find_handlers(command.get("repository", "stock"), command.get("module"), command.get("path"))


def _handler_class(command: Mapping[str, Any]) -> Type[Any]:
    handlers = _handlers(command)
    name = command["handler"]
    if name not in handlers:
        raise HandlerError(f"no handler {name!r} here; there are {', '.join(sorted(handlers)) or 'none'}")
    return handlers[name]


def _handler(command: Mapping[str, Any], handler_class: Type[Any], fresh: bool) -> Tuple[str, Any]:
    # The seed is the dataset's key: it differs once the raw data does.
    fields = ("repository", "module", "path", "handler", "config", "raw", "seed")
    key = json.dumps([command.get(field) for field in fields], sort_keys=True)
    if fresh or key not in _made:
        # One build at a time: a listing of a million samples should not outlive its build.
        _made.clear()
        _listed.clear()
        _made[key] = make_handler(handler_class, command["config"], command["raw"])
        if "cv2" in sys.modules:
            sys.modules["cv2"].setNumThreads(1)
    return key, _made[key]


def _shard_samples(command: Mapping[str, Any], fresh: bool) -> Tuple[Any, Optional[List[Sample]]]:
    shard = command["shard"]
    handler, listing = _listing(command, fresh)
    samples = listing.get(shard["split"], [])[shard["start"] : shard["stop"]]
    same = len(samples) == shard["stop"] - shard["start"]
    if same and "digest" in shard:
        same = samples_digest(samples) == shard["digest"]
    return handler, samples if same else None


def _listing(command: Mapping[str, Any], fresh: bool) -> Tuple[Any, Dict[str, List[Sample]]]:
    from dataset_handlers.planning import list_samples

    key, handler = _handler(command, _handler_class(command), fresh)
    if key not in _listed:
        _listed[key] = list_samples(handler)
    return handler, _listed[key]
