"""Confines foreign code with bubblewrap: namespaces of its own for everything, a filter for system calls, limits.

It sees the system's programs, the folders that it is given, a small /tmp and its own /proc; one folder is its to
write. It has no capability and can gain none, an empty network, and a user number that is nobody's inside. It enters
its cgroups before bubblewrap starts; rlimits are set inside, by the system's shell, before anything foreign runs.
"""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from handler_runner.sandbox import Confinement, SandboxLevel
from handler_runner.sandbox_cgroups import Cgroup
from handler_runner.sandbox_limits import LimitReached, SandboxLimits
from handler_runner.sandbox_seccomp import seccomp_filter
from handler_runner.sandbox_watch import Watch

log = structlog.get_logger()

INSIDE_UID = 1000
_SMALL_BYTES = 64 * 1024 * 1024
_KIB, _POSIX_BLOCK_BYTES = 1024, 512
# Beyond the limit that the watch reports, so that it sees it passed before the kernel only refuses.
_SPARE_PROCESSES = 64
# Top-level folders that are links into /usr on a modern system and folders on an old one.
_TOP_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
# What programs need to find libraries and the time zone; not who the users are, nor where the network's names are.
_ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime")
_MADE_ETC = {
    "passwd": f"handler:x:{INSIDE_UID}:{INSIDE_UID}::/:/bin/false\n",
    "group": f"handler:x:{INSIDE_UID}:\n",
    "hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
# Parts of /proc that the kernel protects by owner alone, and a runner that is root is their owner.
_PROC_READ_ONLY = ("sys", "sysrq-trigger", "irq", "bus", "fs", "asound", "scsi", "acpi", "driver", "mtrr", "pressure")
_PROC_EMPTY = (
    "kcore",
    "keys",
    "key-users",
    "kmsg",
    "kallsyms",
    "timer_list",
    "sched_debug",
    "slabinfo",
    "kpagecount",
    "kpageflags",
)

_ENTER = 'until [ "$1" = -- ]; do echo $$ >"$1" || exit 125; shift; done; shift; exec "$@"'
# dash and busybox say -p for processes, bash says -u. The first to be killed when the machine has no memory left.
_LIMIT = (
    "echo 1000 >/proc/self/oom_score_adj; ulimit -c 0; ulimit -f {file}; ulimit -d {data}; ulimit -n {open}; "
    '{{ ulimit -p {processes} || ulimit -u {processes}; }} 2>/dev/null; exec "$@"'
)


class BubblewrapSandbox:
    """See `Sandbox`. ``program`` is the path of bwrap; ``cgroups`` are folders that were handed to the runner."""

    def __init__(self, program: str, limits: SandboxLimits, cgroups: Sequence[Path] = ()) -> None:
        self.limits = limits
        self.level = SandboxLevel("none", "it has not been proven yet")
        self._program = program
        self._cgroups = tuple(cgroups)
        self._filter = seccomp_filter()
        self._watch = Watch(limits)

    def proven(self, level: SandboxLevel) -> BubblewrapSandbox:
        """Take what its probes found as its level, and return it."""
        self.level = level
        return self

    def popen(
        self, argv: Sequence[str], confinement: Confinement, variables: Mapping[str, str], **how: Any
    ) -> subprocess.Popen[bytes]:
        """See `Sandbox.popen`. Call from a thread that lives as long as the runner: it dies with that thread."""
        cgroup = self._cgroup()
        with contextlib.ExitStack() as files:
            arguments, descriptors = self._arguments(confinement, variables, files)
            settings = files.enter_context(_as_file("\0".join(arguments).encode()))
            command = [self._program, "--args", str(settings), "--", *self._limited(argv)]
            if cgroup:
                command = ["/bin/sh", "-c", _ENTER, "sh", *map(str, cgroup.doors), "--", *command]
            how = {"bufsize": 0, "cwd": "/", "start_new_session": True, **how}
            passed = (*how.pop("pass_fds", ()), *descriptors, settings)
            try:
                process = subprocess.Popen(command, env={}, pass_fds=passed, **how)
            except OSError:
                if cgroup:
                    cgroup.remove()
                raise
        self._watch.add(process, confinement.writable, cgroup)
        return process

    def reached(self, process: subprocess.Popen[bytes]) -> LimitReached | None:
        """See `Sandbox.reached`."""
        return self._watch.reached(process)

    def _cgroup(self) -> Cgroup | None:
        return Cgroup(self._cgroups, self.limits) if self._cgroups else None

    def _limited(self, argv: Sequence[str]) -> list[str]:
        script = _LIMIT.format(
            file=_within(resource.RLIMIT_FSIZE, self.limits.file_bytes) // _POSIX_BLOCK_BYTES,
            data=_within(resource.RLIMIT_DATA, self.limits.process_memory_bytes) // _KIB,
            open=_within(resource.RLIMIT_NOFILE, self.limits.open_files),
            processes=_within(resource.RLIMIT_NPROC, self.limits.processes + _SPARE_PROCESSES),
        )
        return ["/bin/sh", "-c", script, "sh", *argv]

    def _arguments(
        self, confinement: Confinement, variables: Mapping[str, str], files: contextlib.ExitStack
    ) -> tuple[list[str], list[int]]:
        descriptors: list[int] = []

        def given(text: bytes) -> str:
            descriptors.append(files.enter_context(_as_file(text)))
            return str(descriptors[-1])

        arguments = ["--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"]
        arguments += ["--cap-drop", "ALL", "--uid", str(INSIDE_UID), "--gid", str(INSIDE_UID)]
        arguments += ["--hostname", "sandbox", "--clearenv"]
        for name, value in variables.items():
            arguments += ["--setenv", name, value]
        if self._filter is not None:
            arguments += ["--seccomp", given(self._filter)]
        arguments += _system()
        for name, text in _MADE_ETC.items():
            arguments += ["--perms", "0444", "--ro-bind-data", given(text.encode()), f"/etc/{name}"]
        writable = confinement.writable.absolute()
        # From the outside in, so that none hides another; what may be written comes last among equals.
        binds = sorted(
            {(_depth(path), 0, path.absolute()) for path in confinement.readable} - {(_depth(writable), 0, writable)}
        )
        for _, write, path in sorted([*binds, (_depth(writable), 1, writable)]):
            arguments += ["--bind" if write else "--ro-bind", str(path), str(path)]
        return [*arguments, "--remount-ro", "/", "--chdir", str(writable)], descriptors


def _system() -> Iterator[str]:
    yield from ("--ro-bind", "/usr", "/usr")
    for name in _TOP_FOLDERS:
        folder = Path("/", name)
        if folder.is_symlink():
            yield from ("--symlink", os.readlink(folder), str(folder))
        elif folder.is_dir():
            yield from ("--ro-bind", str(folder), str(folder))
    for name in _ETC:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    # How many processors there are; libraries ask here.
    yield from ("--ro-bind-try", "/sys/devices/system/cpu", "/sys/devices/system/cpu")
    yield from ("--proc", "/proc")
    for name in _PROC_READ_ONLY:
        if os.path.exists(f"/proc/{name}"):
            yield from ("--ro-bind", f"/proc/{name}", f"/proc/{name}")
    for name in _PROC_EMPTY:
        if os.path.exists(f"/proc/{name}"):
            yield from ("--ro-bind", "/dev/null", f"/proc/{name}")
    yield from ("--dev", "/dev", "--size", str(_SMALL_BYTES), "--tmpfs", "/dev/shm", "--remount-ro", "/dev")
    yield from ("--size", str(_SMALL_BYTES), "--tmpfs", "/tmp")


@contextlib.contextmanager
def _as_file(text: bytes) -> Iterator[int]:
    """Give a file in memory that only whoever gets its number can read."""
    descriptor = os.memfd_create("sandbox")
    try:
        os.write(descriptor, text)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


def _within(kind: int, value: int) -> int:
    """Return the value, or less where the runner's own hard limit is lower: nothing can be raised."""
    hard = resource.getrlimit(kind)[1]
    return value if hard == resource.RLIM_INFINITY else min(value, hard)


def _depth(path: Path) -> int:
    return len(path.absolute().parts)
