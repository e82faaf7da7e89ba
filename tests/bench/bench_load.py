"""Measures what a registry bears: crowds that watch, bursts, silent and stopped peers, and too many calls.

.venv/bin/python tests/bench/bench_load.py [NAME] [--small | --full]
    NAME: watchers, requests, burst, silent, stopped, overload or traces; all without. --small: a tenth of everything;
    --full: a reader that is stopped for 10 minutes and a minute of overload, where 60 and 20 seconds are usual.

Registry and clients are processes of their own on one machine and share its cores; the catalogue is SQLite with fsync.
"""

from __future__ import annotations

import asyncio
import itertools
import resource
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from figures import HEADER, alternate, ratio, row  # noqa: E402
from load_client_process import started  # noqa: E402
from load_registry import LoadRegistry  # noqa: E402
from measurements import run  # noqa: E402

from tests.e2e.collector import collector  # noqa: E402

PROCESSES = 4
CHANNELS = 5
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HALF_SETTINGS = b"\x00\x00\x00\x04"
NUMBERS = itertools.count()


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    watchers: int = 10_000
    requests: int = 1_000
    changes: int = 10
    burst: int = 5_000
    silent: int = 1_000
    stopped_s: float = 60.0
    overload_s: float = 20.0
    traced: int = 5
    traced_s: float = 5.0


SIZES = {
    "--small": Size(
        watchers=1_000, requests=100, changes=5, burst=500, silent=100, stopped_s=10, overload_s=5, traced=2
    ),
    "--full": Size(stopped_s=600, overload_s=60),
}
SIZE = next((SIZES[each] for each in sys.argv[1:] if each in SIZES), Size())


@contextmanager
def registry(folder: Path, **variables: str) -> Iterator[LoadRegistry]:
    made = LoadRegistry(folder / "home", **variables)
    try:
        yield made
    finally:
        made.stop()


def watchers(folder: Path) -> None:
    """Many who watch one dataset."""
    with registry(folder) as served:
        watch(served, f"{SIZE.watchers:,} watchers of one dataset", [f"datasets/{served.building}"] * SIZE.watchers)


def requests(folder: Path) -> None:
    """Many who asked for one dataset, each watching a request of its own."""
    with registry(folder) as served:
        names = [served.request(1).name for _ in range(SIZE.requests)]
        watch(served, f"{SIZE.requests:,} requests for one dataset, each watched", names)


def watch(served: LoadRegistry, title: str, names: Sequence[str]) -> None:
    """Watch each name, move the build, and print how late each change was seen and what it cost."""
    with started(("probe", served.server, f"datasets/{served.ready}")) as [alone]:
        time.sleep(5.0)
        calm = [ms for _, ms in alone.found()]
    before = served.memory_mib()
    began = time.monotonic()
    commands = [("watch", served.server, CHANNELS, *names[number::PROCESSES]) for number in range(PROCESSES)]
    with started(*commands) as crowd:
        opened_s = time.monotonic() - began
        held = served.memory_mib() - before
        with started(("probe", served.server, f"datasets/{served.ready}")) as [probe]:
            time.sleep(5.0)
            quiet_until_s, used_s = time.monotonic(), served.processor_s()
            sent = {}
            for number in range(1, SIZE.changes + 1):
                sent[number] = served.beat(number)
                time.sleep(3.0)
            used_s = served.processor_s() - used_s
            asked = probe.found()
        most = served.memory_mib() - before
        found = [each.found() for each in crowd]
    lost = [text for each in found for text in each["lost"]]
    late = {
        number: sorted(at - sent_s for each in found for at in each["seen"].get(str(number), ()))
        for number, sent_s in sent.items()
    }
    missed = sum(len(names) - len(times) for times in late.values())
    all_s = [times[-1] for times in late.values() if times]
    # By then what they left behind has been given back.
    time.sleep(25.0)
    print(f"\n### {title}, {PROCESSES} processes, {PROCESSES * CHANNELS} channels\n\n{HEADER}")
    print(row("all are watching, clients' start included", "s", [opened_s], f"{len(lost)} lost {lost[:1] or ''}"))
    print(row("all have seen a change", "s", all_s, f"goal 1; {missed} of {len(names) * len(sent):,} not seen"))
    print(row("a watcher has seen a change", "s", [statistics.median(times) for times in late.values()]))
    print(row("processor time of a change, calls meanwhile included", "s", [used_s / len(sent)]))
    each_kib = held * 1024 / len(names)
    print(row("memory of a watcher", "KiB", [each_kib], f"goal 30; {most * 1024 / len(names):.1f} at most"))
    print(row("memory kept when all have left", "MiB", [served.memory_mib() - before], "goal 50"))
    print_calls("a call, nobody watching", calm)
    print_calls("a call, all watching", [ms for at, ms in asked if at < quiet_until_s], "; goal 10")
    print_calls("a call, all being told, every 3 s", [ms for at, ms in asked if at >= quiet_until_s], "; goal 10")


def burst(folder: Path) -> None:
    """Calls that all begin at once."""
    each = SIZE.burst // PROCESSES
    with registry(folder) as served:
        commands = [("burst", served.server, f"datasets/{served.ready}", each)] * PROCESSES
        with started(*commands) as clients:
            for client in clients:
                client.begin()
            found = [client.found() for client in clients]
    bare = sum((Counter(each["bare"]) for each in found), Counter())
    errors = [error for each in found for error in each["errors"]]
    print(f"\n### {SIZE.burst:,} calls at once\n\n{HEADER}")
    lost = SIZE.burst - bare["OK"] - bare["RESOURCE_EXHAUSTED"]
    counts = f"{bare['OK']:,} and {bare['RESOURCE_EXHAUSTED']:,}"
    print(f"| answered, or told when to come again | {counts} | {lost} lost, goal 0 |")
    answered = row("all answered by the SDK", "s", [max(each["seconds"] for each in found)])
    print(answered.rstrip("| ") + f" | {len(errors)} errors, goal 0 {errors[:1] or ''} |")


def silent(folder: Path) -> None:
    """Connections that never say what they want."""
    with registry(folder) as served, started(("probe", served.server, f"datasets/{served.ready}")) as [probe]:
        time.sleep(2.0)
        words = {
            "nothing": b"",
            "half of what HTTP/2 begins with": PREFACE[:10],
            "half a frame": PREFACE + HALF_SETTINGS,
        }
        lasted = {name: asyncio.run(connections(served.server, SIZE.silent, text)) for name, text in words.items()}
        asked = [ms for _, ms in probe.found()]
        files = served.process.num_fds()
    print(f"\n### {SIZE.silent:,} connections that say nothing, or half of something\n\n{HEADER}")
    for name, seconds in lasted.items():
        print(row(f"all who said {name} are gone", "s", [max(seconds)], f"goal 6; {SIZE.silent - len(seconds)} stayed"))
    print_calls("a call meanwhile", asked, "; goal 20")
    print(f"| files that the registry has open afterwards | {files} | |")


async def connections(server: str, count: int, words: bytes) -> list[float]:
    """Return after how many seconds each was closed; those that stay longer than 30 s are left out."""
    host, _, port = server.rpartition(":")

    async def one() -> float | None:
        began = time.monotonic()
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(words)
        try:
            async with asyncio.timeout(30):
                with suppress(ConnectionError):
                    while await reader.read(4096):
                        pass
        except TimeoutError:
            return None
        finally:
            writer.close()
        return time.monotonic() - began

    return [each for each in await asyncio.gather(*(one() for _ in range(count))) if each is not None]


def stopped(folder: Path) -> None:
    """A reader that is stopped while what it watches goes on."""
    with registry(folder) as served:
        name = f"datasets/{served.building}"
        with started(("watch", served.server, 1, name), ("watch", served.server, 1, name)) as [slow, other]:
            number = 0
            for number in range(1, 201):
                served.beat(number)
            before = served.memory_mib()
            slow.process.suspend()
            samples = []
            until_s = time.monotonic() + SIZE.stopped_s
            while time.monotonic() < until_s:
                number += 1
                served.beat(number)
                if number % 20 == 0:
                    samples.append(served.memory_mib() - before)
                time.sleep(0.05)
            slow.process.resume()
            resumed_s = time.monotonic()
            time.sleep(5.0)
            found = slow.found()
            other.found()
    changes = number - 200
    after = min((at for step, times in found["seen"].items() for at in times if int(step) == number), default=None)
    skipped = sum(1 for step in range(201, number) if str(step) not in found["seen"])
    print(f"\n### A reader that is stopped for {SIZE.stopped_s:.0f} s while {changes:,} changes go by\n\n{HEADER}")
    print(row("memory that the registry has grown by", "MiB", samples, "goal: flat"))
    when = f"{after - resumed_s:.2f} s" if after is not None else "not seen"
    print(f"| it sees the newest after it goes on | {when} | {skipped:,} skipped, {len(found['lost'])} times let go |")


def overload(folder: Path) -> None:
    """Five times as many calls as the registry can answer, whatever it says."""
    with registry(folder) as served:
        for title, call, callers in (
            ("requests for a ready dataset", "hit", 32),
            ("questions for a dataset", f"datasets/{served.ready}", 32),
        ):
            peak = sum(code == "OK" for code, _ in both(served, "loop", call, callers // 2)) / SIZE.overload_s
            ends = both(served, "flood", call, round(5 * peak / 2))
            good = [ms for code, ms in ends if code == "OK"]
            refused = [ms for code, ms in ends if code == "RESOURCE_EXHAUSTED"]
            print(
                f"\n### Overload: {title}, 5 times the peak of {peak:.0f} a second, {SIZE.overload_s:.0f} s\n\n{HEADER}"
            )
            goodput = len(good) / SIZE.overload_s
            others = len(ends) - len(good) - len(refused)
            print(f"| answered of {len(ends):,} | {goodput:.0f}/s | {goodput / peak:.0%} of the peak, goal 90 % |")
            print(f"| neither answered nor told when to come again | {others} | goal 0 |")
            print_calls("an answer", good)
            print_calls("a refusal", refused, "; goal 20")


def traces(folder: Path) -> None:
    """What it costs to tell a collector of every call."""

    def answered(**variables: str) -> float:
        with registry(folder / str(next(NUMBERS)), **variables) as served:
            used_s = served.processor_s()
            ends = both(served, "loop", "hit", 4, seconds=SIZE.traced_s)
            return (served.processor_s() - used_s) * 1000 / len(ends)

    with collector() as found:
        figures = alternate(
            SIZE.traced, {"without": answered, "with": lambda: answered(DARKROOM_TRACES=found.endpoint)}
        )
    print(f"\n### Hits, told to a collector of traces, 8 callers\n\n{HEADER}")
    print(row("processor time of a hit", "ms", figures["without"]))
    more = ratio(figures["with"], figures["without"]) - 1
    print(row("with traces", "ms", figures["with"], f"{more:+.1%} (goal +5 %); {len(found.spans):,} spans arrived"))


def both(served: LoadRegistry, *command: object, seconds: float | None = None) -> list[tuple[str, float]]:
    kind, *rest = command
    with started(*[(kind, served.server, *rest, seconds or SIZE.overload_s)] * 2) as clients:
        for client in clients:
            client.begin()
        return [(code, ms) for client in clients for code, ms in client.found()]


def print_calls(name: str, times_ms: Sequence[float], note: str = "") -> None:
    if not times_ms:
        print(f"| {name} | none | |")
        return
    ninety_nine = sorted(times_ms)[int(len(times_ms) * 0.99)]
    print(row(name, "ms", times_ms, f"p99 {ninety_nine:.1f} ms of {len(times_ms):,}{note}"))


MEASUREMENTS: dict[str, Callable[[Path], None]] = {
    "watchers": watchers,
    "requests": requests,
    "burst": burst,
    "silent": silent,
    "stopped": stopped,
    "overload": overload,
    "traces": traces,
}


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sys.argv[1:] = [each for each in sys.argv[1:] if each not in SIZES]
    run(MEASUREMENTS, 1)
