"""The filter for system calls, run through a model of the kernel's machine, and by effect in test_sandbox_probes."""

from __future__ import annotations

import errno
import struct

import pytest

from handler_runner.sandbox_seccomp import seccomp_filter
from handler_runner.sandbox_seccomp_calls import refused_calls, unknown_calls

ALLOWED, KILLED = 0x7FFF0000, 0x80000000
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def answer(program, audit, call, *arguments):
    """Return what the kernel would do with a call: the instructions are those of classic BPF."""
    data = struct.pack("=IIQ6Q", call, audit, 0, *arguments, *[0] * (6 - len(arguments)))
    steps = [struct.unpack_from("=HBBI", program, offset) for offset in range(0, len(program), 8)]
    place, loaded = 0, 0
    while True:
        code, if_true, if_false, value = steps[place]
        place += 1
        if code == 0x20:
            loaded = struct.unpack_from("=I", data, value)[0]
        elif code == 0x06:
            return value
        else:
            holds = {0x15: loaded == value, 0x25: loaded > value, 0x45: bool(loaded & value)}[code]
            place += if_true if holds else if_false


def refused(number):
    return 0x00050000 | number


@pytest.fixture(params=sorted(AUDIT))
def filtered(request):
    program = seccomp_filter(request.param)
    return request.param, lambda *call: answer(program, AUDIT[request.param], *call)


def test_every_listed_call_is_refused(filtered):
    architecture, decide = filtered
    assert {decide(number) for number in refused_calls(architecture).values()} == {refused(errno.EPERM)}
    assert {decide(number) for number in unknown_calls(architecture).values()} == {refused(errno.ENOSYS)}


def test_calls_that_programs_live_by_are_allowed(filtered):
    architecture, decide = filtered
    read, mmap, exit_group, execve = {"x86_64": (0, 9, 231, 59), "aarch64": (63, 222, 94, 221)}[architecture]
    assert {decide(number) for number in (read, mmap, exit_group, execve)} == {ALLOWED}


def test_calls_of_later_kernels_do_not_exist(filtered):
    _, decide = filtered
    # The second is the x32 variant of a call, a door of its own.
    assert decide(457) == decide(0x40000000 + 101) == refused(errno.ENOSYS)


def test_calls_of_another_architecture_end_the_process():
    assert answer(seccomp_filter("x86_64"), 0x40000003, 1) == KILLED


def test_threads_and_forks_are_allowed_and_namespaces_are_not(filtered):
    architecture, decide = filtered
    clone = {"x86_64": 56, "aarch64": 220}[architecture]
    assert decide(clone, 0x3D0F00) == decide(clone, 17) == ALLOWED
    for namespace in (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
        assert decide(clone, namespace | 17) == refused(errno.EPERM)


def test_typing_into_a_terminal_is_refused_and_asking_its_size_is_not(filtered):
    architecture, decide = filtered
    ioctl = {"x86_64": 16, "aarch64": 29}[architecture]
    assert decide(ioctl, 0, 0x5413) == ALLOWED
    # The kernel looks at the lower half of the number only.
    assert decide(ioctl, 0, 0x5412) == decide(ioctl, 0, 0x541C) == decide(ioctl, 0, (1 << 32) | 0x5412)
    assert decide(ioctl, 0, 0x5412) == refused(errno.EPERM)


def test_sockets_are_of_families_that_the_namespace_holds(filtered):
    architecture, decide = filtered
    socket = {"x86_64": 41, "aarch64": 198}[architecture]
    assert [decide(socket, family) for family in (1, 2, 10)] == [ALLOWED] * 3
    for family in (0, 3, 16, 17, 38, 40):
        assert decide(socket, family) == refused(errno.EAFNOSUPPORT)


def test_an_architecture_that_nobody_listed_has_no_filter():
    assert seccomp_filter("riscv64") is None
