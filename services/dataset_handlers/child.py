"""The process that runs a handler's code for a runner: ``python -m dataset_handlers.child``.

It keeps the pipe it was started with to itself, so that nothing that a handler prints, forks or executes can reach
the runner but as log on stderr. Commands and events are frames of `child_protocol`:

=========  ==========================================================================  ================================
command    fields                                                                      result
=========  ==========================================================================  ================================
describe   repository, module?, path?                                                  what its handlers are
plan       ... handler, config, raw {role: folder}                                     shards, counts, max_bad, warnings
shard      ... shard {split, index, start, stop, digest?}, output                      examples, features, skipped
records    ... output_dir                                                              files, features
preview    ... sample_count, output                                                    samples
exit
=========  ==========================================================================  ================================

``repository`` "stock" means the handlers of this package; any other needs ``module``, the importable module whose
handlers are meant, and may name in ``path`` a folder to import it from. After an error the child goes on serving.
"""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import sys
import threading
import warnings
from typing import Any, Dict, Tuple

# Before NumPy and OpenCV are loaded: a child is one worker of many, and none may take all cores for itself.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
    os.environ.setdefault(_variable, "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from dataset_handlers import __version__  # noqa: E402
from dataset_handlers.child_protocol import PROTOCOL, BadFrame, read_frame, write_frame  # noqa: E402


class Channel:
    """The child's side of the pipe."""

    def __init__(self, commands_fd: int, events_fd: int) -> None:
        self.commands_fd, self._events_fd = commands_fd, events_fd
        self._lock = threading.Lock()
        self._owner = os.getpid()

    def receive(self) -> Any:
        """Returns the next command, or None once the runner has closed the pipe."""
        self._only_owner()
        return read_frame(self.commands_fd)

    def send(self, kind: str, **fields: Any) -> None:
        """Sends one event."""
        self._only_owner()
        with self._lock:
            write_frame(self._events_fd, {"type": kind, **fields})

    def _only_owner(self) -> None:
        # A fork of the handler that raises comes up to here, where the number may by now be another file's.
        if os.getpid() != self._owner:
            os._exit(1)


def main() -> int:
    """Serves commands until the runner says exit or closes the pipe."""
    channel = Channel(*take_pipe())
    # Ctrl-C reaches the whole process group; what becomes of a build is the runner's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_runner, args=(channel.commands_fd,), daemon=True).start()
    warnings.filterwarnings("ignore", message=".*multi-threaded.*fork", category=DeprecationWarning)
    channel.send(
        "hello",
        protocol=PROTOCOL,
        pid=os.getpid(),
        dataset_handlers=__version__,
        python=platform.python_version(),
    )
    while True:
        try:
            command = channel.receive()
        except BadFrame as error:
            print(f"child: {error}", file=sys.stderr)
            return 2
        if command is None or command.get("type") == "exit":
            return 0
        _answer(channel, command)


def take_pipe() -> Tuple[int, int]:
    """Moves stdin and stdout to private descriptors, and lets 0 read nothing and 1 write to stderr.

    Descriptors made by ``os.dup`` are closed on exec; a forked child closes them too.
    """
    sys.stdout.flush()
    commands_fd, events_fd = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    if hasattr(sys.stdout, "reconfigure"):
        # A log line should appear when it is printed, not when a buffer is full.
        sys.stdout.reconfigure(line_buffering=True)
    owner = os.getpid()

    def close_in_fork() -> None:
        if os.getpid() != owner:
            os.close(commands_fd)
            os.close(events_fd)

    os.register_at_fork(after_in_child=close_in_fork)
    return commands_fd, events_fd


def _die_with_runner(commands_fd: int) -> None:
    # A handler may be busy for hours; a runner that was killed must not leave it behind.
    import select

    poll = select.poll()
    poll.register(commands_fd, 0)
    poll.poll()
    os._exit(0)


def _answer(channel: Channel, command: Dict[str, Any]) -> None:
    number = command.get("id")
    # A handler that traces by itself finds here what its spans belong below.
    os.environ.pop("TRACEPARENT", None)
    if "traceparent" in command:
        os.environ["TRACEPARENT"] = str(command["traceparent"])
    try:
        # Here and not above: hello must not wait for NumPy.
        from dataset_handlers import commands

        result = commands.run(command, lambda **fields: channel.send("progress", id=number, **fields))
    except BaseException as error:
        from dataset_handlers.failures import failure_of

        event: Dict[str, Any] = {"id": number, **failure_of(error)}
        _flush()
        channel.send("error", **event)
    else:
        _flush()
        channel.send("done", id=number, result=result)


def _flush() -> None:
    # The log of a command should not arrive behind its end.
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()


if __name__ == "__main__":
    sys.exit(main())
