"""Fills a photo without a service: the service's own code, in a process of this machine."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from darkroom_client.errors import DarkroomError, FailedPrecondition, Internal, InvalidArgument, NotFound
from darkroom_client.inpainting import Candidate, InpaintProgress, Marks
from darkroom_client.snapshot import Violation

NEEDED = ("inpainting", "inpainting_models", "cv2", "structlog", "pydantic_settings")
KINDS: dict[str, type[DarkroomError]] = {
    "NOT_FOUND": NotFound,
    "FAILED_PRECONDITION": FailedPrecondition,
}


def inpaint_local(
    photo: Path,
    mask: str | None,
    marks: Marks,
    *,
    model: str = "",
    strategy: str = "auto",
    seed: int = 0,
    candidates: int = 1,
    on_progress: Callable[[InpaintProgress], None] = lambda progress: None,
) -> list[Candidate]:
    """Return results as `AsyncInpainting.inpaint_candidates` does. Raises the same, and `FailedPrecondition` for a
    light installation.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise FailedPrecondition(
            f"--local needs {', '.join(missing)}, which this installation lacks: pip install 'darkroom[inpaint]'"
        )
    with tempfile.TemporaryDirectory(prefix="darkroom-inpaint-") as folder:
        request = {
            "photo": str(photo),
            "mask": mask,
            "marks": asdict(marks),
            "options": {"model": model, "strategy": strategy, "seed": seed, "candidate_count": candidates},
            "folder": folder,
        }
        command = [sys.executable, "-m", "inpainting.local"]
        # A terminal's Ctrl-C reaches its whole group; here it reaches this process, which ends the other.
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.close()
            for line in process.stdout:
                event = json.loads(line)
                if "progress" in event:
                    on_progress(InpaintProgress(**event["progress"]))
                elif "error" in event:
                    raise _error(event["error"])
                else:
                    return [_candidate(each) for each in event["candidates"]]
            raise Internal(f"the process that fills photos ended with code {process.wait()}")
        finally:
            process.kill()
            process.wait()


def _candidate(fields: dict[str, Any]) -> Candidate:
    return Candidate(
        Path(fields["path"]).read_bytes(),
        fields["model"],
        fields["strategy"],
        fields["reason"],
        tuple(fields["warnings"]),
        fields["pass_count"],
        timedelta(seconds=fields["elapsed_s"]),
        fields["seed"],
        tuple(fields["methods"]),
    )


def _error(fields: dict[str, Any]) -> DarkroomError:
    if fields["violations"]:
        return InvalidArgument(fields["message"], [Violation(*each) for each in fields["violations"]])
    return KINDS.get(fields["code"], Internal)(fields["message"], reason=fields["reason"])
