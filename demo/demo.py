"""Runs the main jobs as a user would type them: up, define, preview, request, train, retouch; says where all lies.

python demo/demo.py [--raw DIR] [--photo FILE --box X,Y,W,H] [--output DIR]
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import skimage
from default_photo import MarkedPhoto, default_photo
from retouch import retouch

HERE = Path(__file__).resolve().parent
# Photos among what scikit-image ships; the rest are charts, scans and microscopy.
SHIPPED = (
    "astronaut.png", "brick.png", "chelsea.png", "coffee.png", "grass.png", "gravel.png", "hubble_deep_field.jpg",
    "motorcycle_left.png", "motorcycle_right.png", "rocket.jpg",
)  # fmt: skip
DARKROOM = (sys.executable, "-m", "darkroom_client")


def main() -> int:
    """Run the demo; the exit code is that of the first command that failed, or 0."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--raw", type=Path, help="a folder of photos; absent: photos that scikit-image ships")
    arguments.add_argument("--photo", type=Path, help="a photo to retouch; absent: one from a Debian package")
    arguments.add_argument("--box", metavar="X,Y,W,H", help="what is to go from it, in pixels")
    arguments.add_argument("--output", type=Path, default=Path("demo-output"), help="where everything goes")
    options = arguments.parse_args()
    output = options.output.absolute()
    output.mkdir(parents=True, exist_ok=True)
    raw = options.raw.absolute() if options.raw else ship_photos(output / "photos")
    if not raw.is_dir():
        sys.stderr.write(f"{raw} is no folder; RAW=DIR takes a folder of photos\n")
        return 2
    if (options.photo is None) != (options.box is None) or (options.photo and not options.photo.is_file()):
        sys.stderr.write("PHOTO=FILE BOX=X,Y,W,H take a photo of yours and what is to go from it, both together\n")
        return 2
    # A fresh home: the demo shows a build, not what an earlier demo left.
    for name in ("home", "cache", "retouched"):
        shutil.rmtree(output / name, ignore_errors=True)
    os.environ["DARKROOM_SERVER"] = server = f"localhost:{free_port()}"
    os.environ["DARKROOM_CACHE"] = str(output / "cache")
    os.environ["DARKROOM_INPAINTING"] = inpainting = f"localhost:{free_port()}"
    title("1. Registry, runner and inpainting service start, on this machine alone")
    addresses = ["--listen", server, "--inpainting", inpainting]
    up = subprocess.Popen([*DARKROOM, "up", "--raw", str(raw), "--home", str(output / "home"), *addresses])
    try:
        photo = MarkedPhoto(options.photo.absolute(), options.box) if options.photo else None
        return run_the_job(output, many=options.raw is None) or retouch_a_photo(output, photo) or say_where(output)
    finally:
        up.send_signal(signal.SIGINT)
        up.wait(30)


def run_the_job(output: Path, *, many: bool) -> int:
    """Ask, watch, download, train, look; ``many`` variations where there are few photos."""
    raw = first_raw_dataset()
    variations = 60 if many else 2
    config = ["--set", "image_size=128x128", "--set", f"variations_per_sample={variations}"]
    turned = ["--set", f"variations_per_sample={variations}", "--set", "image_size=[128, 128]"]
    train = ["--", sys.executable, str(HERE / "train.py"), str(output / "filled.png")]
    sheet = str(output / "sheet.png")
    define = ["define", "demo", "--handler", "stock/inpainting", "--raw", f"photos={raw}"]
    preview = ["preview", "demo", *config[:2], "--set", "variations_per_sample=3", "-n", "8", "-o", sheet]
    steps = {
        "2. A dataset is defined: which handler, which photos": define,
        "3. A contact sheet, before anything is built": preview,
        "4. The dataset is built once, watched, fetched; then a small Keras model trains on it": [
            *("request", "demo", *config, *train)
        ],
        "5. Asked again with the keys in another order: a hit, no build": ["request", "demo", *turned],
        "6. What there is now": ["ls"],
    }
    for heading, command in steps.items():
        title(heading)
        code = say_and_run(command)
        if code:
            return code
    return 0


def retouch_a_photo(output: Path, photo: MarkedPhoto | None) -> int:
    """Remove something from a photo by each strategy; without a photo say how to bring one, and go on."""
    title("7. What is marked in a photo is removed, by each strategy")
    try:
        photo = photo or default_photo(output / "photo-to-retouch")
    except LookupError as reason:
        print(f"Skipped: {reason}.\nYour own: make demo PHOTO=photo.jpg BOX=820,400,300,500  (x, y, width, height)")
        return 0
    if photo.origin:
        print(photo.origin)
    return retouch(photo, output / "retouched")


def say_where(output: Path) -> int:
    """Say where everything lies, and what is next."""
    path = subprocess.run([*DARKROOM, "get", "demo"], check=True, capture_output=True, text=True).stdout.strip()
    title("Done. Where everything lies")
    for what, where in {
        "contact sheet": output / "sheet.png",
        "holes filled by the model": output / "filled.png",
        "photo retouched, one sheet": output / "retouched" / "sheet.png",
        "dataset, ready to read": Path(path),
        "archive and catalogue": output / "home",
    }.items():
        if where.exists():
            print(f"  {what:26} {where}")
    print("\nNext, with your own photos:\n  make demo RAW=~/photos PHOTO=photo.jpg BOX=820,400,300,500")
    print("  .venv/bin/darkroom up --raw ~/photos\n  .venv/bin/darkroom inpaint photo.jpg --box 820,400,300,500")
    return 0


def ship_photos(folder: Path) -> Path:
    """Copy scikit-image's photos to a folder of their own, once."""
    folder.mkdir(exist_ok=True)
    for name in SHIPPED:
        if not (folder / name).exists():
            shutil.copyfile(Path(skimage.__file__).parent / "data" / name, folder / name)
    return folder


def first_raw_dataset() -> str:
    """Wait until the runner serves its photos; return the first raw dataset's name."""
    for _ in range(120):
        found = subprocess.run([*DARKROOM, "raw", "ls", "--json"], capture_output=True, text=True, check=False)
        served = json.loads(found.stdout)["raw_datasets"] if found.returncode == 0 else []
        if served:
            return str(served[0]["name"])
        time.sleep(0.5)
    raise SystemExit("registry and runner did not come up; their logs are in the demo's home")


def say_and_run(command: Sequence[str]) -> int:
    """Print the command as one would type it, and run it on this terminal."""
    shown = [Path(word).name if word == sys.executable else word for word in command]
    print(f"$ darkroom {shlex.join(shown)}", flush=True)
    return subprocess.run([*DARKROOM, *command], check=False).returncode


def title(text: str) -> None:
    """Print a heading."""
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
