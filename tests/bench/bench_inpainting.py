"""Measures retouching side by side with bare networks, painters and OpenCV, and prints Markdown tables.

make bench                                              everything, after the datasets
.venv/bin/python tests/bench/bench_inpainting.py NAME   one of: network, patchmatch, service, concurrent, overhead
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from figures import HEADER, alternate, ratio, row
from inpainting_house import InpaintingHouse
from inpainting_photos import cut, hole, make_photo
from measurements import run

HERE = Path(__file__).resolve().parent
ROUNDS = 3
MEGAPIXELS_12 = (4000, 3000)
MEGAPIXELS_100 = (11600, 8700)
NETWORK_SIZE = (512, 680)
NETWORK_BOX = (280, 200, 120, 120)
# Compiled is what the service runs, too: without Python's work for each layer.
PEERS = {"bare Keras call": False, "bare, tf.function": True}
SMALL_SIDE_PX = 128
SMALL_BOX = (40, 40, 48, 48)
REQUESTS = 64
ALONE = 8
CONCURRENCY = 8
CANCEL_AFTER_S = (0.05, 0.3, 0.6, 1.0, 1.5)


class Bare:
    """A fresh process that does the work without the service."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "inpainting_bare.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        )

    def do(self, what: str, **fields: Any) -> dict[str, Any]:
        """Return the answer to one piece of work."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"do": what, **fields}, default=str) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"the bare process failed in {what}")
        return json.loads(line)

    def __enter__(self) -> Bare:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(20)


def network(folder: Path) -> None:
    """GMCNN at its training size, through the service and bare; bfloat16 where the processor has it."""
    files = [save_network(folder / "gmcnn-f32.keras", NETWORK_SIZE)]
    if has_bfloat16():
        files.append(save_network(folder / "gmcnn-bf16.keras", NETWORK_SIZE, "mixed_bfloat16"))
    large = make_photo(folder / "large.jpg", *MEGAPIXELS_12)
    [photo] = cut(large, [folder / "photo.jpg"], *NETWORK_SIZE[::-1])
    with Bare() as bare, InpaintingHouse(folder / "home") as house:
        runs: dict[str, Callable[[], float]] = {}
        for file in files:
            house.add(file)
            # The defaults hold this round's values.
            runs[f"{file.stem}, service"] = lambda file=file: house.seconds(photo, NETWORK_BOX, file.stem, "baseline")
            asked = {"file": file, "photo": photo, "box": NETWORK_BOX}
            for peer, compiled in PEERS.items():
                runs[f"{file.stem}, {peer}"] = lambda asked=asked | {"compiled": compiled}: bare.do("network", **asked)[
                    "seconds"
                ]
        alternate(1, runs)  # loads and compiles
        figures = alternate(ROUNDS, runs)
        apart = bare.do("difference", files=files, photo=photo, box=NETWORK_BOX) if len(files) > 1 else None
    print(f"\n### GMCNN, 512x680, fresh weights: from a JPEG to a JPEG, and the network alone{load()}\n\n{HEADER}")
    for name, seconds in figures.items():
        call, compiled = (figures[f"{name.partition(',')[0]}, {peer}"] for peer in PEERS)
        note = f"{ratio(seconds, call):.2f}x the call (goal 1.05), {ratio(seconds, compiled):.2f}x compiled"
        print(row(name, "s", seconds, note if name.endswith("service") else ""))
    if apart:
        gain = ratio(figures["gmcnn-f32, service"], figures["gmcnn-bf16, service"])
        print(
            f"\nbf16 is {gain:.2f}x as fast as f32. Predictions differ by {apart['largest']:.4f} at most and "
            f"{apart['mean']:.5f} on average, of values from -1 to 1 that spread by {apart['spread']:.3f}."
        )
    else:
        print("\nThis processor has no bfloat16.")


def patchmatch(folder: Path) -> None:
    """PatchMatch on a 12 MP photo, each run in a fresh process, with OpenCV alongside."""
    width, height = MEGAPIXELS_12
    photo = make_photo(folder / "photo.jpg", width, height)
    for share, goal_s in ((0.01, 3), (0.05, 12)):
        box = hole(width * height, share)
        peaks = []

        def ours(box: tuple[int, ...] = box, peaks: list[float] = peaks) -> float:
            with Bare() as bare:
                answer = bare.do("paint", photo=photo, box=box)
            peaks.append(answer["peak_mib"])
            return answer["seconds"]

        with Bare() as other:
            runs: dict[str, Callable[[], float]] = {"ours": ours}
            for method in ("telea", "ns"):
                asked = {"method": method, "photo": photo, "box": box}
                # The default holds this round's value.
                runs[method] = lambda asked=asked, other=other: other.do("opencv", **asked)["seconds"]
            figures = alternate(ROUNDS, runs)
        size = f"{box[2]}x{box[3]}"
        print(f"\n### PatchMatch, 12 MP, hole of {share:.0%} ({size}), fresh processes{load()}\n\n{HEADER}")
        print(row("PatchMatch", "s", figures["ours"], f"goal {goal_s}"))
        print(row("peak memory of its process", "MiB", peaks, "goal 700"))
        for method, name in (("telea", "Telea"), ("ns", "Navier-Stokes")):
            times = ratio(figures["ours"], figures[method])
            print(row(f"OpenCV {name} on the crop", "s", figures[method], f"PatchMatch takes {times:.1f}x as long"))
    with Bare() as bare:
        stops = [bare.do("cancel", photo=photo, box=box, after_s=after_s)["seconds"] for after_s in CANCEL_AFTER_S]
    moments = ", ".join(f"{each:g}" for each in CANCEL_AFTER_S)
    found = [each for each in stops if each is not None]
    note = f"goal 0.3 at most; {len(found)} of {len(stops)} before it was done"
    print(row(f"stopped after {moments} s: until it has ended", "s", found, note))


def service(folder: Path) -> None:
    """Large JPEG photos from request to result by `auto`, with the service's largest memory."""
    tables = []
    for name, (width, height), rounds in (("12 MP", MEGAPIXELS_12, ROUNDS), ("100 MP", MEGAPIXELS_100, 2)):
        photo = make_photo(folder / f"{width}.jpg", width, height)
        box = hole(width * height, 0.01)
        with InpaintingHouse(folder / f"home-{width}") as house:
            house.forget_peak()
            seconds, painting = [], []
            for _ in range(rounds):
                began = time.perf_counter()
                found = house.inpaint(photo, box, "auto")
                seconds.append(time.perf_counter() - began)
                painting.append(found.elapsed.total_seconds())
            peak = house.peak_mib()
        megabytes = photo.stat().st_size / 1e6
        tables.append(row(f"{name}, {megabytes:.0f} MB, hole of 1 %: request to result", "s", seconds))
        tables.append(row(f"{name}: painting alone", "s", painting, found.how))
        tables.append(row(f"{name}: the service's peak memory", "MiB", [peak], "goal 1430 (1.5 GB)"))
    print(f"\n### Large JPEGs through the service: decode, `auto`, encode{load()}\n\n{HEADER}")
    print("\n".join(tables))


def concurrent(folder: Path) -> None:
    """64 requests at once for one network, against the same one after the other."""
    file = save_network(folder / "gmcnn-small.keras", (SMALL_SIDE_PX, SMALL_SIDE_PX))
    large = make_photo(folder / "large.jpg", *MEGAPIXELS_12)
    photos = cut(large, [folder / f"{number}.png" for number in range(REQUESTS)], SMALL_SIDE_PX, SMALL_SIDE_PX)
    with InpaintingHouse(folder / "home", concurrency=CONCURRENCY) as house:
        house.add(file)
        asked = (SMALL_BOX, file.stem, "baseline")
        house.inpaint_at_once(photos, *asked)  # compiles
        before = house.metrics()
        together, alone = [], []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            found = house.inpaint_at_once(photos, *asked)
            together.append(REQUESTS / (time.perf_counter() - began))
            if not alone:
                middle = house.metrics()
            began = time.perf_counter()
            single = [house.inpaint(photo, *asked) for photo in photos[:ALONE]]
            alone.append(ALONE / (time.perf_counter() - began))
        after = house.metrics()
    levels = max(
        int(np.abs(one.pixels().astype(int) - other.pixels().astype(int)).max())
        for one, other in zip(found, single, strict=False)
    )
    sizes = {size: middle.batch_sizes[size] - before.batch_sizes[size] for size in sorted(middle.batch_sizes)}
    print(f"\n### {REQUESTS} requests at once, GMCNN at 128x128, concurrency {CONCURRENCY}{load()}\n\n{HEADER}")
    print(row(f"{REQUESTS} at once", "images/s", together, f"{ratio(together, alone):.2f}x one after the other"))
    print(row("one after the other", "images/s", alone))
    lost = ROUNDS * (REQUESTS + ALONE) - (after.done_count - before.done_count)
    failed = after.failed_count + after.rejected_count + after.cancelled_count + after.expired_count
    runs = ", ".join(f"{count} of {size}" for size, count in sizes.items() if count)
    print(
        f"\nLost: {lost}; failed, rejected, cancelled or expired: {failed}. Runs of the first {REQUESTS}, by images, "
        f"from GetMetrics: {runs}. Together and alone differ by at most {levels} of 255 levels."
    )


def overhead(folder: Path) -> None:
    """A 12 MP JPEG by PatchMatch through the service, against a script that does the same with OpenCV as codec."""
    width, height = MEGAPIXELS_12
    photo = make_photo(folder / "photo.jpg", width, height)
    box = hole(width * height, 0.01)
    painting: dict[str, list[float]] = {"service": [], "script": []}
    with Bare() as bare, InpaintingHouse(folder / "home") as house:

        def through() -> float:
            began = time.perf_counter()
            painting["service"].append(house.inpaint(photo, box, "patchmatch").elapsed.total_seconds())
            return time.perf_counter() - began

        def script() -> float:
            answer = bare.do("script", photo=photo, box=box)
            painting["script"].append(answer["painting_s"])
            return answer["seconds"]

        runs = {"service": through, "script": script}
        alternate(1, runs)
        for each in painting.values():
            each.clear()
        figures = alternate(2 * ROUNDS - 1, runs)
    print(f"\n### PatchMatch on a 12 MP JPEG, hole of 1 %: service and bare script{load()}\n\n{HEADER}")
    times = ratio(figures["service"], figures["script"])
    print(row("service: decode, paint, encode, transport", "s", figures["service"], f"{times:.3f}x (goal 1.05)"))
    print(row("script: decode, paint, encode", "s", figures["script"]))
    times = ratio(painting["service"], painting["script"])
    print(row("painting in the service", "s", painting["service"], f"{times:.3f}x (goal 1.05)"))
    print(row("painting in the script", "s", painting["script"]))


def save_network(path: Path, training_size: tuple[int, int], dtype: str | None = None) -> Path:
    """Write a GMCNN with the weights that it begins its training with, the same each time."""
    code = (
        "import sys, keras; from inpainting_models.gmcnn import GMCNNGenerator as G;"
        "from inpainting_models.model_file_keras import save, with_dtype;"
        "keras.utils.set_random_seed(0); size = (int(sys.argv[2]), int(sys.argv[3])); g = G(training_size=size);"
        "save(with_dtype(g, sys.argv[4]) if sys.argv[4] else g, sys.argv[1])"
    )
    # In a process of its own: TensorFlow's threads and memory would stay in this one.
    arguments = [str(path), *map(str, training_size), dtype or ""]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, env=environment, stderr=subprocess.DEVNULL)
    return path


def has_bfloat16() -> bool:
    """Say whether the processor multiplies in bfloat16 by itself."""
    processor = Path("/proc/cpuinfo")
    # avx512_bf16 and amx_bf16 of x86, bf16 of ARM.
    return processor.exists() and "bf16" in processor.read_text()


def load() -> str:
    """Return the machine's load in words, for a table's title: others may be at work."""
    return f" (load {os.getloadavg()[0]:.1f})"


MEASUREMENTS: dict[str, Callable[[Path], None]] = {
    "network": network,
    "patchmatch": patchmatch,
    "service": service,
    "concurrent": concurrent,
    "overhead": overhead,
}


if __name__ == "__main__":
    run(MEASUREMENTS, ROUNDS)
