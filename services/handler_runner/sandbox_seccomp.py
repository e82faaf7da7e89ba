"""Assembles the seccomp filter of the sandbox: which system calls the kernel refuses to confined code.

The filter is a deny list in a closed world: every call up to the last one that was looked at when this was written,
less those of `sandbox_seccomp_calls`; later ones do not exist, nor do those of other architectures of the same
processor. The kernel's reference is Documentation/userspace-api/seccomp_filter.rst.
"""

from __future__ import annotations

import errno
import platform
import struct

from handler_runner.sandbox_seccomp_calls import LAST_KNOWN_CALL, looked_at_calls, refused_calls, unknown_calls

# The kernel's numbers of architectures, linux/audit.h.
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_LOAD, _JUMP_EQUAL, _JUMP_GREATER, _JUMP_BITS, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
# Offsets in struct seccomp_data, the low halves of the arguments on little-endian processors.
_NUMBER, _ARCHITECTURE, _ARGUMENT_0, _ARGUMENT_1 = 0, 4, 16, 24

# CLONE_NEWNS, -CGROUP, -UTS, -IPC, -USER, -PID, -NET
_NAMESPACES = 0x7E020000
# Typing into a terminal, and the console's ways of doing so.
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
# AF_UNIX, AF_INET, AF_INET6: the network namespace is empty, but the other families are not all in a namespace.
_FAMILIES = (1, 2, 10)


def seccomp_filter(architecture: str = platform.machine()) -> bytes | None:
    """Return the program, or None for an architecture whose calls nobody has listed here."""
    if architecture not in _AUDIT:
        return None
    looked_at = looked_at_calls(architecture)
    program = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_JUMP_EQUAL, _AUDIT[architecture], 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
        _step(_JUMP_GREATER, LAST_KNOWN_CALL, 0, 1),
        _step(_RETURN, _ERRNO | errno.ENOSYS),
    ]
    for numbers, number in ((unknown_calls(architecture), errno.ENOSYS), (refused_calls(architecture), errno.EPERM)):
        for call in numbers.values():
            program += [_step(_JUMP_EQUAL, call, 0, 1), _step(_RETURN, _ERRNO | number)]
    program += _looked_at(
        looked_at["clone"],
        [_step(_LOAD, _ARGUMENT_0), _step(_JUMP_BITS, _NAMESPACES, 0, 1), _step(_RETURN, _ERRNO | errno.EPERM)],
    )
    program += _looked_at(
        looked_at["ioctl"],
        [
            _step(_LOAD, _ARGUMENT_1),
            _step(_JUMP_EQUAL, _TIOCSTI, 1, 0),
            _step(_JUMP_EQUAL, _TIOCLINUX, 0, 1),
            _step(_RETURN, _ERRNO | errno.EPERM),
        ],
    )
    program += _looked_at(
        looked_at["socket"],
        [
            _step(_LOAD, _ARGUMENT_0),
            *(_step(_JUMP_EQUAL, family, len(_FAMILIES) - place, 0) for place, family in enumerate(_FAMILIES)),
            _step(_RETURN, _ERRNO | errno.EAFNOSUPPORT),
        ],
    )
    return b"".join([*program, _step(_RETURN, _ALLOW)])


def _looked_at(call: int, steps: list[bytes]) -> list[bytes]:
    """Return the steps for one call; whoever comes out of them is allowed."""
    return [_step(_JUMP_EQUAL, call, 0, len(steps) + 1), *steps, _step(_RETURN, _ALLOW)]


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
