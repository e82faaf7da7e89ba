"""What the command prints, and where: the answer on standard output, what is said on the way on standard error."""

from __future__ import annotations

import dataclasses
import functools
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, ParamSpec, TypeVar

import typer

from darkroom_client.errors import DarkroomError, InvalidArgument, NotFound, OutOfRange, RequestFailed
from darkroom_client.tracing import command_span

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class ExitCode(IntEnum):
    """How the command ended."""

    DONE = 0
    FAILED = 1
    REFUSED = 2
    NOT_FOUND = 3
    DETACHED = 130


def exit_code(error: DarkroomError) -> ExitCode:
    """Return the exit code that an error means."""
    if isinstance(error, NotFound):
        return ExitCode.NOT_FOUND
    if isinstance(error, InvalidArgument | OutOfRange):
        return ExitCode.REFUSED
    if isinstance(error, RequestFailed) and error.failure.failure_class == "BAD_CONFIG":
        return ExitCode.REFUSED
    return ExitCode.FAILED


def reporting(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Turn the errors of a command into one message and an exit code; with ``--json``, also one object."""

    @functools.wraps(function)
    def call(*arguments: Parameters.args, **options: Parameters.kwargs) -> Result:
        try:
            with command_span(f"darkroom {function.__name__.replace('_', '-')}"):
                return function(*arguments, **options)
        except DarkroomError as error:
            say_error(error)
            if options.get("as_json"):
                print_json({"error": error_fields(error)})
            raise typer.Exit(exit_code(error)) from error
        except KeyboardInterrupt:
            raise typer.Exit(ExitCode.DETACHED) from None

    return call


def say(text: str) -> None:
    """Tell the person at the terminal."""
    print(text, file=sys.stderr, flush=True)


def say_error(error: DarkroomError) -> None:
    """Tell what went wrong: one line, or one per wrong field; a handler's traceback first."""
    violations = error.violations if isinstance(error, InvalidArgument) else ()
    if isinstance(error, RequestFailed):
        violations = error.failure.violations
        if error.failure.detail:
            say(error.failure.detail.rstrip())
    if violations:
        for violation in violations:
            say(f"error: {violation.field}: {violation.description}")
    else:
        say(f"error: {error.message}")


def error_fields(error: DarkroomError) -> dict[str, Any]:
    """Return an error as JSON shows it."""
    fields: dict[str, Any] = {"reason": error.reason, "message": error.message}
    if isinstance(error, InvalidArgument):
        fields["violations"] = error.violations
    if isinstance(error, RequestFailed):
        fields |= {"violations": error.failure.violations, "detail": error.failure.detail}
    return fields


def print_answer(text: str) -> None:
    """Print a line of the answer."""
    print(text, flush=True)


def print_json(value: Any) -> None:
    """Print the one JSON object."""
    print(json.dumps(_plain(value), indent=2, ensure_ascii=False), flush=True)


def print_table(titles: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print aligned columns, two spaces apart; numbers to the right."""
    cells = [list(titles), *[[str(cell) for cell in row] for row in rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    numeric = [bool(rows) and all(isinstance(row[i], int | float) for row in rows) for i in range(len(titles))]
    for line in cells:
        padded = [
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, numeric, strict=True)
        ]
        print_answer("  ".join(padded).rstrip())


def size_text(size_bytes: float) -> str:
    """Return bytes as people read them: 1.5 GB."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} TB"


def time_text(moment: datetime | None) -> str:
    """Return a moment in local time, to the minute."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M") if moment else "-"


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
