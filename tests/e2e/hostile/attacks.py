"""What an attacker tries from inside: each attack says in a few words what it got, or nothing when it was stopped.

It stands in the hostile repository and in its hostile dependency. `outside.json` beside it says what there is to be
got. Where an attack would do harm if it succeeded it stops before: a file is opened for writing and left as it is.
"""

import ctypes
import fcntl
import glob
import json
import os
import socket
import stat
import struct
import subprocess
import tempfile
import termios

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "outside.json")) as _file:
    OUTSIDE = json.load(_file)
LIBC = ctypes.CDLL(None, use_errno=True)
CANARY = OUTSIDE["canary"]


def first(attempt, values):
    for value in values:
        try:
            got = attempt(value)
        except Exception:
            continue
        if got:
            return str(got)[:200]
    return ""


def read(path):
    with open(path, "rb") as file:
        return "read " + path + " " + file.read(20).hex()


def write(path):
    there = os.path.lexists(path)
    with open(path, "ab"):
        pass
    if not there:
        os.unlink(path)
    return "could write " + path


def listed(path):
    return "listed " + path + " " + " ".join(os.listdir(path))


def connected(family, address, timeout_s=0.5):
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(timeout_s)
        client.connect(address)
        return "connected to " + str(address)


def did(result):
    return "the kernel did it" if result >= 0 else ""


def numbers():
    return [name for name in os.listdir("/proc") if name.isdigit()]


# Files of the host.
def password_file():
    return read("/etc/shadow")


def users():
    with open("/etc/passwd") as file:
        return "saw many" if len(file.readlines()) > 1 else ""


def name_servers():
    return read("/etc/resolv.conf")


def home_of_root():
    return first(listed, ["/root/.ssh", "/root/.cache", "/root/.config", "/home/darkroom"])


def secret_beside_the_raw_root():
    return first(read, [OUTSIDE["secret"]])


def other_raw_data():
    return first(listed, [OUTSIDE["other_raw"]])


def catalogue():
    return first(read, glob.glob(OUTSIDE["house"] + "/registry/*.sqlite*"))


def home_of_the_runner():
    return first(read, [OUTSIDE["house"] + "/runner-1/runner.lock", *glob.glob(OUTSIDE["house"] + "/runner-1/*.json")])


def store():
    return first(listed, [OUTSIDE["house"] + "/store"])


def store_write():
    return first(write, glob.glob(OUTSIDE["house"] + "/store/*/*/*"))


def works_of_others():
    return first(listed, [OUTSIDE["house"] + "/runner-1/work"])


def children_of_others():
    found = glob.glob(OUTSIDE["house"] + "/runner-1/children/*")
    return " ".join(path for path in found if path != os.environ.get("HOME"))


def mirrors_of_repositories():
    return first(listed, [OUTSIDE["house"] + "/runner-1/environments/mirrors"])


def old_root_of_the_container():
    return first(listed, ["/proc/1/root" + OUTSIDE["house"] + "/store", "/proc/1/root/var", "/oldroot", "/newroot"])


def parent_descriptors():
    paths = [os.readlink(path) for path in glob.glob("/proc/self/fd/*") if os.path.exists(path)]
    return " ".join(path for path in paths if path.startswith(OUTSIDE["house"]) and "/store" in path)


# Variables and processes.
def own_variables():
    return "found it" if CANARY in json.dumps(dict(os.environ)) else ""


def told(number, name):
    with open("/proc/" + number + "/" + name, "rb") as file:
        return file.read()


def variables_of_processes():
    return first(lambda number: CANARY.encode() in told(number, "environ") and "in " + number, numbers())


def process_list():
    def runner(number):
        return b"handler_runner\0" in told(number, "cmdline") and "saw " + number

    return first(runner, numbers())


def signal_to_the_runner():
    os.kill(OUTSIDE["victim"], 0)
    return "reached it"


def memory_of_the_parent():
    return first(read, [f"/proc/{os.getppid()}/mem", "/proc/1/mem", "/proc/kcore", "/dev/mem"])


def trace():
    return did(LIBC.ptrace(0x4206, os.getppid(), 0, 0))


def limits_of_others():
    os.setpriority(os.PRIO_PROCESS, OUTSIDE["victim"], 0)
    return "set it"


# Network.
def registry_by_tcp():
    return connected(socket.AF_INET, ("127.0.0.1", OUTSIDE["registry"]))


def listener_by_tcp():
    return connected(socket.AF_INET, ("127.0.0.1", OUTSIDE["tcp"]))


def listener_by_unix_socket():
    return connected(socket.AF_UNIX, OUTSIDE["unix"])


def listener_by_abstract_socket():
    return connected(socket.AF_UNIX, "\0" + OUTSIDE["abstract"])


def names():
    return str(socket.getaddrinfo("example.org", 80)[0][4])


def metadata_address():
    return connected(socket.AF_INET, ("169.254.169.254", 80))


def somewhere():
    return connected(socket.AF_INET, ("1.1.1.1", 53))


def own_interfaces():
    return " ".join(name for _, name in socket.if_nameindex() if name != "lo")


def virtual_machine_socket():
    return "made it" if socket.socket(40, socket.SOCK_STREAM) else ""


def packet_socket():
    return "made it" if socket.socket(17, socket.SOCK_RAW) else ""


def container_service():
    return first(
        lambda path: connected(socket.AF_UNIX, path), ["/var/run/docker.sock", "/run/containerd/containerd.sock"]
    )


# Writing where it should not.
def raw_data():
    return first(write, glob.glob(OUTSIDE["raw"] + "/*")[:1])


def raw_data_new():
    return write(OUTSIDE["raw"] + "/pwned.jpg")


def own_sources():
    return write(os.path.abspath(__file__))


def own_packages():
    import sys

    folders = [path for path in sys.path if path.endswith("site-packages")]
    return first(lambda folder: write(folder + "/pwned.pth"), folders)


def own_interpreter():
    import sys

    return first(write, [os.path.realpath(sys.executable), sys.executable])


def system_programs():
    return first(write, ["/usr/bin/pwned", "/etc/ld.so.preload", "/etc/cron.d/pwned", "/usr/lib/pwned.so"])


def seen_outside():
    # May land in a /tmp of its own; the test looks whether it came out.
    with open(OUTSIDE["mark"], "w"):
        return ""


def link_out():
    link = os.path.join(tempfile.mkdtemp(), "link")
    os.symlink(OUTSIDE["secret"], link)
    return read(link)


def hard_link_to_raw_data():
    link = os.path.join(tempfile.mkdtemp(), "link")
    os.link(glob.glob(OUTSIDE["raw"] + "/*")[0], link)
    return write(link)


# The kernel.
def become_root():
    os.setuid(0)
    return "became root" if os.getuid() == 0 else ""


def setuid_program():
    path = os.path.join(tempfile.mkdtemp(), "id")
    with open("/usr/bin/id", "rb") as source, open(path, "wb") as target:
        target.write(source.read())
    os.chmod(path, 0o4755)
    said = subprocess.run([path, "-u"], capture_output=True, text=True, check=True).stdout.strip()
    return "became root" if said == "0" else ""


def super_user_programs():
    done = subprocess.run(
        ["/bin/su", "-c", "id"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return done.stdout if "uid=0" in done.stdout else ""


def device_node():
    path = os.path.join(tempfile.mkdtemp(), "disk")
    os.mknod(path, stat.S_IFBLK | 0o600, os.makedev(OUTSIDE["disk"] >> 8, OUTSIDE["disk"] & 255))
    return read(path)


def raw_device():
    return first(read, ["/dev/vda", "/dev/sda", "/dev/nvme0n1", "/dev/kmsg", "/dev/kvm"])


def mount():
    return did(LIBC.mount(b"none", tempfile.mkdtemp().encode(), b"tmpfs", 0, None))


def remount_raw_data():
    return did(LIBC.mount(b"none", OUTSIDE["raw"].encode(), None, 32 | 4096, None))


def new_namespace():
    return did(LIBC.unshare(0x10000000)) or did(LIBC.unshare(0x00020000))


def change_root():
    return did(LIBC.chroot(b"/usr"))


def kernel_settings():
    return first(lambda path: os.open(path, os.O_WRONLY) and "opened " + path, ["/proc/sys/kernel/core_pattern"])


def control_groups():
    return first(lambda path: os.mkdir(path + "/pwned") or "made one", ["/sys/fs/cgroup", "/sys/fs/cgroup/memory"])


def keyring():
    return did(LIBC.syscall(250, 0, -3, 1))


def kernel_programs():
    return did(LIBC.syscall(321, 0, struct.pack("IIIIQ", 2, 4, 4, 1, 0), 24))


def io_rings():
    return did(LIBC.syscall(425, 1, ctypes.create_string_buffer(256)))


def page_faults():
    return did(LIBC.syscall(323, 0))


def performance_events():
    return did(LIBC.syscall(298, ctypes.create_string_buffer(struct.pack("IIQ", 1, 128, 1), 128), 0, -1, -1, 0))


def type_into_terminal():
    return "typed" if not fcntl.ioctl(os.open("/dev/tty", os.O_RDWR), termios.TIOCSTI, b"x") else ""


ATTACKS = [
    *(password_file, users, name_servers, home_of_root, secret_beside_the_raw_root, other_raw_data, catalogue),
    *(home_of_the_runner, store, store_write, works_of_others, children_of_others, mirrors_of_repositories),
    *(old_root_of_the_container, parent_descriptors, own_variables, variables_of_processes, process_list),
    *(signal_to_the_runner, memory_of_the_parent, trace, limits_of_others, registry_by_tcp, listener_by_tcp),
    *(listener_by_unix_socket, listener_by_abstract_socket, names, metadata_address, somewhere, own_interfaces),
    *(virtual_machine_socket, packet_socket, container_service, raw_data, raw_data_new, own_sources, own_packages),
    *(own_interpreter, system_programs, seen_outside, link_out, hard_link_to_raw_data, become_root, setuid_program),
    *(super_user_programs, device_node, raw_device, mount, remount_raw_data, new_namespace, change_root),
    *(kernel_settings, control_groups, keyring, kernel_programs, io_rings, page_faults, performance_events),
    type_into_terminal,
]


def attack(names=None):
    """Try everything, or those of that name; return name to what was got."""
    found = {}
    for each in ATTACKS:
        if names is None or each.__name__ in names:
            try:
                found[each.__name__] = str(each() or "")
            except Exception:
                found[each.__name__] = ""
    return found
