"""The system calls that no handler needs and that attacks begin with, by their numbers on two architectures."""

from __future__ import annotations

# Higher numbers than this are calls that were invented later; they are refused until somebody has looked at them.
LAST_KNOWN_CALL = 456

# Name, number on x86_64, number on aarch64; `-` where there is none. Refused with EPERM.
_REFUSED = """
acct 163 89
add_key 248 217
adjtimex 159 171
bpf 321 280
chroot 161 51
clock_adjtime 305 266
clock_settime 227 112
create_module 174 -
delete_module 176 106
fanotify_init 300 262
fanotify_mark 301 263
finit_module 313 273
fsconfig 431 431
fsmount 432 432
fsopen 430 430
fspick 433 433
get_kernel_syms 177 -
init_module 175 105
ioperm 173 -
iopl 172 -
kcmp 312 272
kexec_file_load 320 294
kexec_load 246 104
keyctl 250 219
lookup_dcookie 212 18
mbind 237 235
migrate_pages 256 238
modify_ldt 154 -
mount 165 40
mount_setattr 442 442
move_mount 429 429
move_pages 279 239
msgget 68 186
name_to_handle_at 303 264
nfsservctl 180 42
open_by_handle_at 304 265
open_tree 428 428
perf_event_open 298 241
personality 135 92
pidfd_getfd 438 438
pivot_root 155 41
process_madvise 440 440
process_mrelease 448 448
process_vm_readv 310 270
process_vm_writev 311 271
ptrace 101 117
query_module 178 -
quotactl 179 60
quotactl_fd 443 443
reboot 169 142
request_key 249 218
set_mempolicy 238 237
set_mempolicy_home_node 450 450
setdomainname 171 162
sethostname 170 161
setns 308 268
settimeofday 164 170
swapoff 168 225
swapon 167 224
sysctl 156 -
sysfs 139 -
syslog 103 116
umount2 166 39
unshare 272 97
uselib 134 -
userfaultfd 323 282
ustat 136 -
vhangup 153 58
vmsplice 278 75
"""

# Libraries go on by other ways when the kernel seems not to have these. clone3 hides its flags from a filter; memory
# behind a memfd or a SysV segment would count for nobody.
_UNKNOWN = """
clone3 435 435
io_uring_enter 426 426
io_uring_register 427 427
io_uring_setup 425 425
memfd_create 319 279
memfd_secret 447 447
shmat 30 196
shmget 29 194
"""

# Allowed, but for some of their arguments.
_LOOKED_AT = """
clone 56 220
ioctl 16 29
socket 41 198
"""

_ARCHITECTURES = ("x86_64", "aarch64")


def refused_calls(architecture: str) -> dict[str, int]:
    """Return name to number of the calls refused with EPERM."""
    return _numbers(_REFUSED, architecture)


def unknown_calls(architecture: str) -> dict[str, int]:
    """Return name to number of the calls that look as if the kernel had them not."""
    return _numbers(_UNKNOWN, architecture)


def looked_at_calls(architecture: str) -> dict[str, int]:
    """Return name to number of the calls whose arguments decide."""
    return _numbers(_LOOKED_AT, architecture)


def _numbers(table: str, architecture: str) -> dict[str, int]:
    column = 1 + _ARCHITECTURES.index(architecture)
    rows = (line.split() for line in table.split("\n") if line)
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}
