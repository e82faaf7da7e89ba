"""Says in words what came of a trial, or why it failed: the author's own code first, what would do last."""

from __future__ import annotations

import os
import sys
from typing import Any, Dict, List, Mapping, NamedTuple

from dataset_handlers.errors import BadConfig, RawMissing
from dataset_handlers.failures import causes, failure_of
from dataset_handlers.own_traceback import own_traceback
from dataset_handlers.trial import Trial


class ErrorReport(NamedTuple):
    """An error as a person reads it, as JSON shows it, and the exit code that it means."""

    text: str
    fields: Dict[str, Any]
    exit_code: int


class ProgressLine:
    """One line that says how far it is, written over and over on a terminal; elsewhere nothing is shown."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream if stream.isatty() else None
        self._shown = False

    def show(self, text: str) -> None:
        """Shows the newest."""
        if self._stream is not None:
            self._stream.write(f"\r\x1b[K{text}")
            self._stream.flush()
            self._shown = True

    def end(self) -> None:
        """Takes the line away."""
        if self._stream is not None and self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def trial_report(trial: Trial) -> str:
    """Returns the lines that say what the handler made."""
    lines = [f"{trial.handler}: {trial.description or 'no docstring says what it makes'}"]
    facts: List["tuple[str, str]"] = []
    if trial.samples:
        splits = ", ".join(f"{split} {count:,}" for split, count in trial.splits.items())
        facts.append(("samples", f"{trial.samples:,}: {splits}; listed in {_duration(trial.listing_s)}"))
    width = max(map(len, trial.features), default=0)
    for place, (name, feature) in enumerate(trial.features.items()):
        facts.append(("" if place else "features", f"{name:<{width}}  {feature_text(feature)}"))
    if trial.examples:
        everything_s = trial.example_s * trial.samples * trial.examples / max(1, trial.shown - len(trial.skipped))
        facts.append(
            (
                "takes",
                f"{_duration(trial.example_s)} for an example ({trial.examples} examples of {trial.shown} samples); "
                f"about {_duration(everything_s)} on one core for all {trial.samples:,} samples",
            )
        )
    facts += [("left out", skipped) for skipped in trial.skipped]
    facts += [("note", note) for note in trial.notes]
    return "\n".join([*lines, *(f"  {title:<9} {fact}" for title, fact in facts)])


def feature_text(feature: Mapping[str, Any]) -> str:
    """Returns a feature of the manifest in words: ``JPEG 256x256x3``; a side that varies is ``?``."""
    encoding = feature.get("encoding", "")
    if encoding in ("jpeg", "png"):
        return f"{encoding.upper()} {_shape(feature['image_shape'])}"
    if encoding == "raw":
        return f"{feature['raw_dtype']} array {_shape(feature['raw_shape'])}"
    kind = "text" if encoding == "utf8" else feature["dtype"]
    return f"{kind} {_shape(feature['shape'])}".rstrip()


def error_report(error: BaseException, folder: str) -> ErrorReport:
    """Returns what to say about an error that ended a trial of the code in ``folder``."""
    failure = failure_of(error)
    # A wrong config and missing photos are the caller's to mend: where they were noticed helps nobody.
    own = own_traceback(error, folder) if failure["traceback"] else ""
    # A stranger's traceback helps only where no line of the author's own does.
    detail = own or ("" if _is_plain(error) else failure["traceback"])
    lines = [detail.rstrip()] if detail else []
    violations = failure.get("violations", [])
    if violations:
        lines += [f"error: {each['field']}: {each['description']}" for each in violations]
    else:
        lines.append(f"error: {_message(error, failure['message'], folder)}")
    fields = {
        "reason": failure["class"],
        "message": _message(error, failure["message"], folder),
        "violations": violations,
        "detail": detail,
    }
    return ErrorReport("\n".join(lines), fields, _exit_code(error))


def _is_plain(error: BaseException) -> bool:
    """Whether the message says all: it is ours and nothing unforeseen led to it."""
    ours = type(error).__module__ == "dataset_handlers.errors" or isinstance(error, AssertionError)
    return ours and error.__cause__ is None


def _exit_code(error: BaseException) -> int:
    if isinstance(error, RawMissing):
        return 3
    return 2 if isinstance(error, BadConfig) else 1


def _message(error: BaseException, message: str, folder: str) -> str:
    absent = [link.name or "" for link in causes(error) if isinstance(link, ModuleNotFoundError)]
    module = absent[-1].split(".")[0] if absent else ""
    if not module or os.path.exists(os.path.join(folder, module)):
        return message
    python = "{}.{}".format(*sys.version_info[:2])
    return (
        f"the handler imports {module!r}, which this Python {python} ({sys.executable}) lacks. With its package under "
        "`dependencies` in pyproject.toml, an environment that `uv venv` and `uv pip install -r pyproject.toml` make "
        "has it: --python .venv/bin/python would do"
    )


def _shape(sides: Any) -> str:
    return "x".join("?" if side is None else str(side) for side in sides)


def _duration(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.1f} ms" if seconds < 0.01 else f"{seconds * 1000:.0f} ms"
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
