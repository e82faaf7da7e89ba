"""Tries to get out of a sandbox, from inside; the runner starts it as foreign code is started, and reads what it says.

A program of its own that imports nothing of ours. Its argument says what there is outside to be reached. Each probe
returns a falsy value when it was stopped, or says in a few words what it got; an exception means that it was stopped.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import resource
import socket
import stat
import sys
import termios
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

OUTSIDE = json.loads(sys.argv[1])
LIBC = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: int) -> str:
    """Make a system call by its number; return whether the kernel did it."""
    number = OUTSIDE["calls"].get(name)
    if number is None:
        return ""
    return "the kernel did it" if LIBC.syscall(number, *map(ctypes.c_long, arguments)) >= 0 else ""


def text(value: bytes) -> int:
    """Return an argument for `call` that points to a string; it lives as long as the program."""
    KEPT.append(ctypes.create_string_buffer(value))
    return ctypes.addressof(KEPT[-1])


KEPT: list[Any] = []


def read(path: str) -> str:
    """Return whether a file can be read."""
    with open(path, "rb") as file:
        file.read(1)
    return "read " + path


def write(path: str) -> str:
    """Return whether a file can be made."""
    with open(path, "wb"):
        return "wrote " + path


def connect(family: int, kind: int, address: Any) -> str:
    """Return whether somebody outside answers."""
    with socket.socket(family, kind) as client:
        client.settimeout(0.5)
        client.connect(address)
        return "connected"


def first(attempt: Callable[[Any], object], values: Iterable[Any]) -> object:
    """Return the first success."""
    for value in values:
        try:
            got = attempt(value)
        except OSError:
            continue
        if got:
            return got
    return ""


def host_file() -> object:
    return first(read, [OUTSIDE["secret"], "/etc/shadow", "/etc/resolv.conf", "/etc/hostname"])


def folder_of_the_runner() -> object:
    return first(lambda path: " ".join(set(os.listdir(path)) - set(OUTSIDE["given"])), [OUTSIDE["folder"]])


def users_of_the_host() -> object:
    lines = Path("/etc/passwd").read_text().split()
    return f"there are {len(lines)}" if len(lines) > 1 else ""


def own_environment() -> object:
    return " ".join(sorted(set(os.environ) - set(OUTSIDE["variables"])))


def environment_of_others() -> object:
    numbers = [name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
    return first(lambda number: Path(f"/proc/{number}/environ").read_bytes() and "read " + number, numbers)


def other_processes() -> object:
    numbers = [name for name in os.listdir("/proc") if name.isdigit()]
    return f"saw {len(numbers)} processes" if len(numbers) > 3 else ""


def signal_to_the_runner() -> object:
    os.kill(OUTSIDE["pid"], 0)
    return "found the runner's number" if OUTSIDE["pid"] > 3 else ""


def network_interfaces() -> object:
    names = [line.split(":")[0].strip() for line in Path("/proc/net/dev").read_text().splitlines() if ":" in line]
    return " ".join(set(names) - {"lo"})


def network_by_tcp() -> object:
    return connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", OUTSIDE["tcp"]))


def network_by_udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        # Whether it arrives is seen outside.
        client.sendto(b"out", ("127.0.0.1", OUTSIDE["udp"]))


def unix_socket() -> object:
    return connect(socket.AF_UNIX, socket.SOCK_STREAM, OUTSIDE["unix"])


def abstract_socket() -> object:
    return connect(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + OUTSIDE["abstract"])


def raw_socket() -> object:
    kinds = [(17, socket.SOCK_RAW), (socket.AF_INET, socket.SOCK_RAW), (16, socket.SOCK_RAW), (40, 1), (38, 5)]
    return first(lambda kind: socket.socket(*kind) and f"made one of family {kind[0]}", kinds)


def write_beside() -> None:
    # The folder may stand in a /tmp of the sandbox's own: whether it is the runner's is seen outside.
    write(OUTSIDE["folder"] + "/out")


def write_outside() -> object:
    return first(write, ["/usr/out", "/etc/out", "/out", "/dev/out", "/sys/out", "/root/out"])


def write_what_is_readable() -> object:
    return first(write, [folder + "/out" for folder in OUTSIDE["readable"]])


def remount() -> object:
    return call("mount", text(b"none"), text(b"/"), 0, 32, 0) or call("mount", text(b"/"), text(b"/usr"), 0, 4096, 0)


def unmount() -> object:
    return call("umount2", text(b"/proc/sys"), 2)


def new_namespace() -> object:
    return first(lambda flag: call("unshare", flag), [0x10000000, 0x00020000, 0x40000000])


def enter_namespace() -> object:
    return call("setns", os.open("/proc/self/ns/mnt", os.O_RDONLY), 0)


def change_root() -> object:
    return call("chroot", text(b"/"))


def trace() -> object:
    # PTRACE_SEIZE, which does not stop the one that is traced.
    return call("ptrace", 0x4206, 1, 0, 0)


def memory_of_others() -> object:
    return call("process_vm_readv", 1, 0, 0, 0, 0, 0) or first(read, ["/proc/1/mem", "/proc/kcore"])


def raw_device() -> object:
    names = ["mem", "kmem", "kmsg", "port", "sda", "vda", "nvme0", "nvme0n1", "loop-control", "kvm", "fuse", "net/tun"]
    return first(read, ["/dev/" + name for name in names])


def make_device() -> object:
    os.mknod("device", stat.S_IFBLK | 0o600, os.makedev(8, 0))
    return "made one"


def keyring() -> object:
    return call("keyctl", 0, -3, 1) or call("add_key", text(b"user"), text(b"out"), text(b"x"), 1, -3)


def become_root() -> object:
    return first(lambda change: change(0) or "became root", [os.setuid, os.setgid]) or (
        "is root" if not os.getuid() else ""
    )


def kernel_settings() -> object:
    paths = ["sys/kernel/core_pattern", "sys/kernel/modprobe", "sysrq-trigger", "sys/vm/drop_caches"]
    return first(lambda path: f"opened {path} {os.open(f'/proc/{path}', os.O_WRONLY)}", paths)


def kernel_code() -> object:
    return first(lambda name: call(name, -1, 0, 0), ["finit_module", "init_module", "kexec_load", "bpf"])


def kernel_services() -> object:
    names = ["io_uring_setup", "perf_event_open", "userfaultfd", "memfd_create", "fsopen", "personality"]
    return first(lambda name: call(name, text(b"out"), 0, 0, 0, 0), names)


def file_by_handle() -> object:
    return call("open_by_handle_at", -1, text(b"\0" * 16), 0)


def type_into_terminal() -> object:
    opened = os.open("/dev/tty", os.O_RDWR)
    fcntl.ioctl(opened, termios.TIOCSTI, b"x")
    return "typed"


def link_out() -> object:
    os.symlink(OUTSIDE["secret"], "link")
    return read("link")


def open_descriptors() -> object:
    numbers = set(os.listdir("/proc/self/fd"))
    return " ".join(sorted(numbers - {"0", "1", "2", "3"}))


def filter_of_calls() -> object:
    lines = [line for number in (1, os.getpid()) for line in Path(f"/proc/{number}/status").read_text().splitlines()]
    modes = [line.split()[1] for line in lines if line.startswith("Seccomp:")]
    return "" if modes == ["2", "2"] else "there is none"


def capabilities() -> object:
    status = [
        line.split()
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith(("Cap", "NoNewPrivs"))
    ]
    return " ".join(name for name, value in status if int(value, 16) != (name == "NoNewPrivs:"))


def limits() -> object:
    kinds = {"RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_NOFILE", "RLIMIT_NPROC"}
    unset = [kind for kind in kinds if resource.getrlimit(getattr(resource, kind))[1] == resource.RLIM_INFINITY]
    return "not set: " + " ".join(unset) if unset else ""


PROBES: list[Callable[[], object]] = [
    # First, before the others open something.
    open_descriptors,
    *(host_file, folder_of_the_runner, users_of_the_host, own_environment, environment_of_others, other_processes),
    *(signal_to_the_runner, network_interfaces, network_by_tcp, network_by_udp, unix_socket, abstract_socket),
    *(
        raw_socket,
        write_beside,
        write_outside,
        write_what_is_readable,
        remount,
        unmount,
        new_namespace,
        enter_namespace,
    ),
    *(change_root, trace, memory_of_others, raw_device, make_device, keyring, become_root, kernel_settings),
    *(kernel_code, kernel_services, file_by_handle, type_into_terminal, link_out),
    *(filter_of_calls, capabilities, limits),
]


def main() -> None:
    found = {}
    for probe in PROBES:
        try:
            found[probe.__name__] = str(probe() or "")
        except Exception:
            found[probe.__name__] = ""
    print(json.dumps(found))


if __name__ == "__main__":
    main()
