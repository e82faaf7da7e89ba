"""Says what a running Darkroom serves, and what to type next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from darkroom_client.async_inpainting import beside
from darkroom_client.catalog import Handler, RawDataset, Runner
from darkroom_client.connection import DEFAULT_SERVER
from darkroom_client.output import size_text
from darkroom_client.up_repositories import Repositories, repository_lines

SHOWN_RAW_DATASETS = 20


def report(
    server: str,
    home: Path,
    raw_root: Path,
    raw_datasets: Sequence[RawDataset],
    handlers: Sequence[Handler],
    runners: Sequence[Runner],
    inpainting: str = "",
    repositories: Repositories | None = None,
) -> list[str]:
    """Return the lines that `darkroom up` prints once everything answers; ``inpainting`` is empty without it."""
    lines = [f"Darkroom is up at {server}", f"  home      {home}"]
    for title, raw in zip(["raw", *[""] * len(raw_datasets)], raw_datasets[:SHOWN_RAW_DATASETS], strict=False):
        lines.append(f"  {title:<8}  {raw.name}  {raw.file_count:,} files")
    if len(raw_datasets) > SHOWN_RAW_DATASETS:
        lines.append(f"            and {len(raw_datasets) - SHOWN_RAW_DATASETS} more: darkroom raw ls")
    if not raw_datasets:
        lines.append(f"  raw       none yet: put a folder of photos under {raw_root}")
    lines.append(f"  handlers  {', '.join(handler.name for handler in handlers) or 'none'}")
    lines += repository_lines(repositories or {}, runners)
    for runner in runners:
        lines.append(f"  runner    {runner.name}: {runner.cores} cores, {size_text(runner.free_bytes)} free")
        if runner.sandbox:
            lines.append(f"  sandbox   {runner.sandbox}")
    lines.append(f"  retouch   {inpainting or 'not here: pip install darkroom[inpaint]'}")
    lines += ["next, in another terminal:"]
    if server != DEFAULT_SERVER:
        lines.append(f"  export DARKROOM_SERVER={server}")
    if inpainting not in ("", beside(server)):
        lines.append(f"  export DARKROOM_INPAINTING={inpainting}")
    name = raw_datasets[0].name if raw_datasets else "street"
    handler, role = suggestion(handlers)
    lines += [
        f"  darkroom define {name.lower()} --handler {handler} --raw {role}={name}",
        f"  darkroom preview {name.lower()} -o sheet.png",
        f"  darkroom request {name.lower()} -- python train.py",
        *(["  darkroom inpaint photo.jpg --box 820,400,300,500 -o out.jpg"] if inpainting else []),
        "Ctrl-C here stops it.",
    ]
    return lines


def suggestion(handlers: Sequence[Handler]) -> tuple[str, str]:
    """Return a handler to begin with, and its first role."""
    ordered = sorted(handlers, key=lambda handler: (handler.name != "stock/inpainting", handler.name))
    for handler in ordered:
        if handler.roles:
            return handler.name, handler.roles[0]
    return "stock/inpainting", "photos"
