"""Writes the reference pages that the code itself knows: docs/settings.md and docs/rpcs.md.

python docs/generate.py        after changing a setting, a proto or the table of errors; a test compares
"""

from __future__ import annotations

import inspect
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from google.protobuf import descriptor_pb2
from pydantic_settings import BaseSettings

from dataset_registry.settings import RegistrySettings
from handler_runner.settings import RunnerSettings
from inpainting.settings import InpaintingSettings
from service_kit.errors import STATUS_CODES, DarkroomError

DOCS = Path(__file__).resolve().parent
PROTOS = DOCS.parent / "protos"
SERVICE, METHOD = 6, 2  # field numbers in descriptor.proto: FileDescriptorProto.service, ServiceDescriptorProto.method

SETTINGS = {
    "Registry": ("python -m dataset_registry", RegistrySettings),
    "Runner": ("python -m handler_runner", RunnerSettings),
    "Inpainting": ("python -m inpainting", InpaintingSettings),
}

CLIENT = """## Client

| variable | default | what it is |
|---|---|---|
| `DARKROOM_SERVER` | `localhost:50050` | The registry, or several: `HOST:PORT,HOST:PORT`; `--server` overrides it. |
| `DARKROOM_INPAINTING` | two ports beyond the registry | The inpainting service; `--server` goes over it. |
| `DARKROOM_CACHE` | `~/.cache/darkroom` | Folder of this machine's copies of datasets. |
| `DARKROOM_BANDWIDTH` | | Bytes a second that downloads may take: `800K`, `10M`, `1.5G`; `--limit-rate` overrides it. |
| `DARKROOM_REQUEST_ID` | a new one | The id under which all services log what this client does. |
| `DARKROOM_TRACES` | | Client and services: the URL of an OTLP collector for spans ([metrics.md](metrics.md#traces)). |

`darkroom request ... -- COMMAND` sets for the command:

| variable | what it is |
|---|---|
| `DARKROOM_DATASET` | Folder of the dataset: shards and `manifest.json`. |
| `DARKROOM_READ_OPTIONS` | The read-time options of the config, JSON. |
| `DARKROOM_KEY` | The dataset's key. |

## Tests

| variable | what it is |
|---|---|
| `DARKROOM_MINIO` | The MinIO server that tests start; absent: the one on the PATH, or what `make minio` built. |
| `DARKROOM_POSTGRES` | Folder of the PostgreSQL programs that tests use; absent: by the PATH, or Debian's newest. |
| `DARKROOM_TEST_PHOTOS` | A folder of real photos for tests and benchmarks that want more than those shipped. |
"""


def settings_page() -> str:
    """Return docs/settings.md."""
    parts = [
        "# Settings\n\nEach is an environment variable, read once at start. A wrong value stops the service with a "
        "line that names the variable.\nMade by `python docs/generate.py`.\n"
    ]
    parts += [settings_table(name, *each) for name, each in SETTINGS.items()]
    return "\n".join([*parts, CLIENT])


def settings_table(name: str, command: str, kind: type[BaseSettings]) -> str:
    """Return one service's settings."""
    prefix = kind.model_config["env_prefix"]
    rows = [f"## {name}\n\n`{command}`\n", "| variable | default | what it is |", "|---|---|---|"]
    for field, info in kind.model_fields.items():
        match field:
            case "name":
                default = "the host's name"
            case "workers":
                default = "the number of cores"
            case _:
                default = (
                    "needed" if info.is_required() else f"`{info.default}`" if info.default not in (None, "") else ""
                )
        rows.append(f"| `{prefix}{field.upper()}` | {default} | {info.description} |")
    return "\n".join(rows) + "\n"


def rpcs_page() -> str:
    """Return docs/rpcs.md."""
    parts = [
        "# RPCs and errors\n\nThe protos in `protos/darkroom` are the contract, and each field has its comment there. "
        "Made by `python docs/generate.py`.\n",
        "## Errors\n\nEvery status carries a `google.rpc.ErrorInfo` with the domain `darkroom` and a `reason`; "
        "`INVALID_ARGUMENT` a\n`google.rpc.BadRequest` that names each field; what may be tried again a "
        "`google.rpc.RetryInfo`.\n\n| status | meaning |\n|---|---|",
    ]
    parts += [
        f"| `{code.name}` | {inspect.cleandoc(kind.__doc__ or '').splitlines()[0]} |"
        for kind, code in STATUS_CODES.items()
        if kind is not DarkroomError
    ]
    parts.append("| `INTERNAL` | A defect of Darkroom; the message holds an id, the service's log the story. |")
    parts.append("")
    for service, comment, methods in services():
        parts += [f"## {service}\n", comment, ""]
        for signature, text in methods:
            parts += [f"### {signature}\n", text, ""]
    return "\n".join(parts)


def services() -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """Yield (full name, comment, [(signature, comment)]) of every service in the protos."""
    for file in described().file:
        comments = {tuple(each.path): each.leading_comments for each in file.source_code_info.location}
        for place, service in enumerate(file.service):
            methods = []
            for number, method in enumerate(service.method):
                stream, streams = ("stream " * each for each in (method.server_streaming, method.client_streaming))
                request, response = (kind.rpartition(".")[2] for kind in (method.input_type, method.output_type))
                text = prose(comments[(SERVICE, place, METHOD, number)])
                methods.append((f"{method.name}({streams}{request}) returns ({stream}{response})", text))
            yield f"{file.package}.{service.name}", prose(comments[(SERVICE, place)]), methods


def described() -> descriptor_pb2.FileDescriptorSet:
    """Return every proto's descriptor, comments included."""
    sources = sorted(path for path in PROTOS.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "set"
        includes = [f"-I{PROTOS}", f"-I{resources.files('grpc_tools') / '_proto'}"]
        # A process of its own: in one that has TensorFlow loaded the compiler crashes.
        command = [sys.executable, "-m", "grpc_tools.protoc", *includes, "--include_source_info"]
        subprocess.run([*command, f"--descriptor_set_out={out}", *map(str, sources)], check=True)
        return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())


def prose(comment: str) -> str:
    """Return a proto comment as Markdown."""
    return "\n".join(line.removeprefix(" ").rstrip() for line in comment.strip().splitlines()).strip()


PAGES = {"settings.md": settings_page, "rpcs.md": rpcs_page}

if __name__ == "__main__":
    for page, make in PAGES.items():
        (DOCS / page).write_text(make())
