"""Looks after the inpainting service's models: ``darkroom models ls``, ``add``, ``rm`` and ``default``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from darkroom_client.client import Inpainting
from darkroom_client.command_options import AsJson
from darkroom_client.errors import InvalidArgument, NotFound
from darkroom_client.inpainting import InpaintModel
from darkroom_client.inpainting_options import InpaintingServer
from darkroom_client.output import print_answer, print_json, print_table, reporting, say

models_app = typer.Typer(help="Look after the inpainting service's models.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The model's name.")]


@models_app.command("ls")
@reporting
def list_models(as_json: AsJson = False, server: InpaintingServer = None) -> None:
    """List the models that can fill holes."""
    with Inpainting(server) as client:
        found = client.list_models()
    if as_json:
        print_json({"models": found})
        return
    rows = [
        (
            each.name + (" (default)" if each.default else ""),
            size_words(each),
            "added" if each.added else "built in",
            each.description,
        )
        for each in found
    ]
    print_table(["MODEL", "TRAINED AT", "FROM", "WHAT IT IS"], rows)


@models_app.command("add")
@reporting
def add_model(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An .onnx, .tflite, .keras or .h5 file.")],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What it is called: a-z, 0-9 and . _ -")],
    io: Annotated[
        str,
        typer.Option(
            "--io",
            metavar="lama|migan|FILE.yaml",
            help="What its inputs and outputs mean; nothing for Darkroom's own networks.",
        ),
    ] = "",
    as_json: AsJson = False,
    server: InpaintingServer = None,
) -> None:
    """Send a model's file to the service, which tries it and keeps it."""
    if not file.is_file():
        raise NotFound(f"there is no file {file}")
    with Inpainting(server) as client:
        added = client.add_model(file, name, read_io(io))
    if as_json:
        print_json(added)
    else:
        say(f"{added.name} is there: {added.description}, trained at {size_words(added)}")
        say(f"next: darkroom inpaint PHOTO --box X,Y,W,H --model {added.name}, or darkroom models default {added.name}")


@models_app.command("rm")
@reporting
def remove_model(name: Name, as_json: AsJson = False, server: InpaintingServer = None) -> None:
    """Forget a model that was added."""
    with Inpainting(server) as client:
        client.remove_model(name)
    if as_json:
        print_json({"name": name, "removed": True})
    else:
        say(f"{name} is gone")


@models_app.command("default")
@reporting
def default_model(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new default; nothing: say which it is.")] = "",
    as_json: AsJson = False,
    server: InpaintingServer = None,
) -> None:
    """Choose the model that is used when none is named, or say which it is."""
    with Inpainting(server) as client:
        chosen = client.set_default_model(name) if name else default_of(client.list_models())
    if as_json:
        print_json(chosen)
    else:
        print_answer(chosen.name)


def default_of(models: list[InpaintModel]) -> InpaintModel:
    """Return the one that is used when none is named; there always is one."""
    return next(each for each in models if each.default)


def read_io(text: str) -> str:
    """Return a description: the name as it stands, or the words of the YAML file. Raises `NotFound`."""
    if not text.endswith((".yaml", ".yml")):
        return text
    try:
        return Path(text).read_text()
    except FileNotFoundError:
        raise NotFound(f"--io {text}: there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidArgument(f"--io {text} cannot be read: {error}") from error


def size_words(model: InpaintModel) -> str:
    """Return the size at which a model was trained, height first."""
    return "x".join(map(str, model.training_size)) if model.training_size else "any size"
