"""What tests of several parts share: real MinIO and PostgreSQL servers, started when the first test asks for them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import urllib3

from dataset_registry.catalog_sqlalchemy import SqlCatalog
from service_kit.object_store_settings import ObjectStoreSettings

from .ports import free_port
from .postgres import PostgresServer, find_postgres

# A shell that starts the tests in the background has them ignore Ctrl-C, and every process that they start would too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

START_TIMEOUT_S = 120
REPOSITORY = Path(__file__).parent.parent


class MinioServer:
    """A MinIO server on a loopback port of its own; it keeps port and data over `stop` and `start`."""

    access_key = "darkroom-test"
    secret_key = "darkroom-test-secret"

    def __init__(self, binary: Path, folder: Path) -> None:
        self._binary = binary
        self._folder = folder
        self._address = f"127.0.0.1:{free_port()}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://{self._address}"

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    def start(self) -> None:
        """Return once the server answers; nothing happens if it runs already."""
        if self._process:
            return
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "MINIO_ROOT_USER": self.access_key,
            "MINIO_ROOT_PASSWORD": self.secret_key,
            "MINIO_SITE_REGION": "us-east-1",
            "MINIO_BROWSER": "off",
            "MINIO_UPDATE": "off",
        }
        command = [self._binary, "server", "--quiet", "--address", self._address, self._folder / "data"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=self._folder)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"MinIO does not start:\n{self.log}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Kill the server, as a crash would; nothing happens if it does not run."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Make the server silent: its port stays open and nobody answers."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)
        # Its threads stop one after the other.
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)

    def resume(self) -> None:
        """Let a paused server go on."""
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def settings(self, bucket: str, **rest: object) -> ObjectStoreSettings:
        """Return settings for a bucket of this server."""
        facts = {
            "store": "minio",
            "store_endpoint": self.endpoint,
            "store_access_key": self.access_key,
            "store_secret_key": self.secret_key,
            "store_bucket": bucket,
        }
        return ObjectStoreSettings.model_validate(facts | rest)

    def environment(self, prefix: str, bucket: str) -> dict[str, str]:
        """Return the same as variables for a process, for example with the prefix `DARKROOM_RUNNER_`."""
        return {
            f"{prefix}STORE": "minio",
            f"{prefix}STORE_ENDPOINT": self.endpoint,
            f"{prefix}STORE_ACCESS_KEY": self.access_key,
            f"{prefix}STORE_SECRET_KEY": self.secret_key,
            f"{prefix}STORE_BUCKET": bucket,
        }

    def _ready(self) -> bool:
        with urllib3.PoolManager(retries=False, timeout=1.0) as http:
            try:
                return http.request("GET", f"{self.endpoint}/minio/health/ready").status == 200
            except urllib3.exceptions.HTTPError:
                return False


@pytest.fixture(scope="session")
def minio_server() -> Iterator[MinioServer]:
    """A running MinIO server; a test that stops it starts it again."""
    with tempfile.TemporaryDirectory(prefix="darkroom-minio-") as folder:
        server = MinioServer(find_minio(), Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.stop()


@pytest.fixture
def minio_settings(minio_server: MinioServer) -> ObjectStoreSettings:
    """Settings for a bucket that nobody else uses and that is not there yet."""
    return minio_server.settings(f"test-{uuid4().hex}")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running PostgreSQL server; a test that stops it starts it again."""
    with tempfile.TemporaryDirectory(prefix="darkroom-postgres-") as folder:
        server = PostgresServer(find_postgres(), Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.stop()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of a database that is empty and that nobody else uses."""
    url = postgres_server.new_database()
    yield url
    postgres_server.start()
    postgres_server.drop_database(url)


@pytest.fixture(scope="session")
def _migrated_template(postgres_server: PostgresServer) -> str:
    url = postgres_server.new_database()
    catalog = SqlCatalog(url)
    catalog.migrate()
    catalog.close()
    return url.rpartition("/")[2]


@pytest.fixture
def migrated_postgres_url(postgres_server: PostgresServer, _migrated_template: str) -> Iterator[str]:
    """The URL of a database with a catalogue's tables, all empty, that nobody else uses."""
    url = postgres_server.new_database(_migrated_template)
    yield url
    postgres_server.start()
    postgres_server.drop_database(url)


def find_minio() -> Path:
    """Return the MinIO binary. Without one the test fails: the store for deployments is never left untested."""
    built = REPOSITORY / ".cache" / "bin" / "minio"
    found = os.environ.get("DARKROOM_MINIO") or shutil.which("minio") or (built.is_file() and str(built))
    if not found or not os.access(found, os.X_OK):
        pytest.fail(
            "this test needs a MinIO server: `make minio` builds one, or set DARKROOM_MINIO to the path of its binary",
            pytrace=False,
        )
    return Path(found)
