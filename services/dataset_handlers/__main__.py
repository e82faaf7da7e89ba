"""Tries a handler that is being written: ``python -m dataset_handlers preview DIR --raw photos=DIR2 -o sheet.png``.

`darkroom handler try` runs this; it works alone as well, in whatever Python the handler needs. The answer goes to
standard output, everything else, the handler's own prints too, to standard error. Ends with 0; 1 when the handler
failed, 2 when the input is refused, 3 when a folder is not there.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any, Dict, Optional, Sequence, Tuple

DONE, FAILED, REFUSED, NOT_FOUND, INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    asked = _parser().parse_args(arguments)
    answer = _take_stdout()
    from dataset_handlers.trial_report import ProgressLine, error_report, trial_report

    progress = ProgressLine(sys.stderr)
    try:
        trial = _run(asked, progress.show)
    except KeyboardInterrupt:
        progress.end()
        return INTERRUPTED
    except BaseException as error:
        progress.end()
        sys.stdout.flush()
        report = error_report(error, asked.folder)
        print(report.text, file=sys.stderr, flush=True)
        if asked.json:
            answer.write(json.dumps({"error": report.fields}, indent=2) + "\n")
        return report.exit_code
    progress.end()
    sys.stdout.flush()
    if asked.json:
        answer.write(json.dumps(vars(trial), indent=2) + "\n")
        return DONE
    print(trial_report(trial), file=sys.stderr, flush=True)
    if trial.sheet:
        answer.write(trial.sheet + "\n")
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dataset_handlers", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.required = True
    preview = commands.add_parser("preview", help="draw a contact sheet of a few samples of a handler in a folder")
    preview.add_argument("folder", metavar="DIR", nargs="?", default=".", help="the repository; else this folder")
    preview.add_argument("--raw", metavar="ROLE=DIR", action="append", default=[], help="a raw folder; repeatable")
    preview.add_argument("--module", metavar="NAME", default="", help="the module with the handlers; else the only one")
    preview.add_argument("--handler", metavar="NAME", default="", help="the handler; else the only one")
    preview.add_argument("--config", metavar="FILE", help="the config, JSON; - reads standard input")
    preview.add_argument("-n", "--samples", metavar="N", type=int, default=20, help="samples to try, 1 to 64; else 20")
    preview.add_argument("-o", "--output", metavar="FILE", default="sheet.png", help="where the sheet goes")
    preview.add_argument("--check", action="store_true", help="check the handler's contract too")
    preview.add_argument("--json", action="store_true", help="print exactly one JSON object on standard output")
    return parser


def _take_stdout() -> Any:
    """Keeps standard output for the answer, and sends what the handler prints to standard error."""
    sys.stdout.flush()
    answer = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)
    return answer


def _run(asked: argparse.Namespace, say: Any) -> Any:
    from dataset_handlers.errors import BadConfig
    from dataset_handlers.trial import Wish, run_trial

    if not 1 <= asked.samples <= 64:
        raise BadConfig([("-n", f"{asked.samples} is not from 1 to 64")])
    output = Path(asked.output).absolute()
    for what, folder in (("DIR", Path(asked.folder)), ("-o", output.parent)):
        if not folder.is_dir():
            raise BadConfig([(what, f"there is no folder {folder}")])
    wish = Wish(
        folder=Path(asked.folder).resolve(),
        module=asked.module,
        handler=asked.handler,
        config=_config(asked.config),
        raw=dict(map(_raw, asked.raw)),
        sample_count=asked.samples,
        output=output,
        check=asked.check,
    )
    return run_trial(wish, say)


def _raw(assignment: str) -> Tuple[str, str]:
    role, equals, folder = assignment.partition("=")
    # One folder alone plays the only role.
    return (role, folder) if equals else ("", assignment)


def _config(path: Optional[str]) -> Dict[str, Any]:
    from dataset_handlers.errors import BadConfig

    if path is None:
        return {}
    text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    try:
        config = json.loads(text)
    except ValueError as error:
        raise BadConfig([("--config", f"{path} is no JSON: {error}")]) from None
    if not isinstance(config, dict):
        raise BadConfig([("--config", f"{path} holds {type(config).__name__}; an object would do")])
    return config


if __name__ == "__main__":
    sys.exit(main())
