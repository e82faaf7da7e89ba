"""A real PostgreSQL server of the tests: a cluster in a temporary folder, whose locale sorts unlike code points."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from itertools import count
from pathlib import Path

import psycopg
import pytest

from .ports import free_port

START_TIMEOUT_S = 120
# Whom the server runs as where the tests run as root, which PostgreSQL refuses.
UNPRIVILEGED = ("postgres", "nobody")


class PostgresServer:
    """A server on a loopback port of its own; it keeps port and data over `stop` and `start`."""

    user = "darkroom"
    password = "not-in-any-log-5f1c"

    def __init__(self, binaries: Path, folder: Path, **settings: object) -> None:
        """``folder``: empty, soon the server's own; ``settings``: other than those of tests, which need not last."""
        self._settings = settings
        self._binaries = binaries
        self._folder = folder
        self._owner = _owner()
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count()
        self._make_cluster()

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    @property
    def binaries(self) -> Path:
        """Where `pg_dump` and its like lie."""
        return self._binaries

    def url(self, database: str, password: str = password) -> str:
        """Return the URL of a database as an operator would set it."""
        return f"postgresql+psycopg://{self.user}:{password}@127.0.0.1:{self.port}/{database}"

    def new_database(self, template: str = "template1") -> str:
        """Make a database like another one, by default an empty one, and return its URL."""
        name = f"test_{next(self._numbers)}"
        with self.connect("postgres") as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Remove a database with all that is connected to it; the server must run."""
        with self.connect("postgres") as connection:
            connection.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def connect(self, database: str) -> psycopg.Connection:
        """Return a connection of the tests' own, that commits each statement."""
        parts = {"host": "127.0.0.1", "port": self.port, "user": self.user, "password": self.password}
        return psycopg.connect(dbname=database, autocommit=True, connect_timeout=5, **parts)

    def start(self) -> None:
        """Return once the server answers; nothing happens if it runs already."""
        if self._process:
            return
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "full_page_writes": "off",
            "shared_buffers": "64MB",
            "max_connections": 60,
            "deadlock_timeout": "100ms",
            **self._settings,
        }
        command = [*self._prefix(), self._binaries / "postgres", "-D", self._folder / "data"]
        command += [f"--{name}={value}" for name, value in settings.items()]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, env=self._environment(), stdout=log, stderr=log, cwd=self._folder)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"PostgreSQL does not start:\n{self.log}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End the server at once, every connection broken, as a crash would; nothing happens if it does not run."""
        if self._process:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def _make_cluster(self) -> None:
        shutil.chown(self._folder, self._owner.get("user"), self._owner.get("group"))
        password = self._folder / "password"
        password.write_text(self.password)
        password.chmod(0o644)
        command = [*self._prefix(), self._binaries / "initdb", "--pgdata", self._folder / "data"]
        command += ["--username", self.user]
        command += ["--auth", "scram-sha-256", "--pwfile", password, "--encoding", "UTF8", "--no-sync"]
        command += ["--locale", "C.UTF-8", "--locale-provider", "icu", "--icu-locale", "en-US", "--no-instructions"]
        done = subprocess.run(command, env=self._environment(), capture_output=True, text=True, cwd=self._folder)
        if done.returncode:
            pytest.fail(f"initdb fails:\n{done.stdout}\n{done.stderr}")

    def _prefix(self) -> list[str]:
        # Not `Popen(user=...)`: that forks this process, and its gRPC threads may leave a lock behind for the child.
        if not self._owner:
            return []
        return ["setpriv", f"--reuid={self._owner['user']}", f"--regid={self._owner['group']}", "--clear-groups", "--"]

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self._folder), "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    def _ready(self) -> bool:
        try:
            self.connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True


def find_postgres() -> Path:
    """Return the folder of PostgreSQL's programs. Without one the test fails: it is never left untested."""
    on_path = shutil.which("postgres")
    candidates = [
        Path(os.environ["DARKROOM_POSTGRES"]) if "DARKROOM_POSTGRES" in os.environ else None,
        Path(on_path).resolve().parent if on_path else None,
        *sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name), reverse=True),
    ]
    for folder in candidates:
        if folder and all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb")):
            return folder
    pytest.fail(
        "this test needs PostgreSQL: install Debian's package `postgresql`, or set DARKROOM_POSTGRES to the folder of "
        "its programs",
        pytrace=False,
    )


def _owner() -> dict[str, int]:
    """Return as whom the server must run, if this is root, whom PostgreSQL does not accept."""
    if os.geteuid() != 0:
        return {}
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid}
    pytest.fail(f"PostgreSQL refuses to run as root, and there is no user {' or '.join(UNPRIVILEGED)}", pytrace=False)
