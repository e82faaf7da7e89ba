"""The options that the commands about photos share."""

from __future__ import annotations

from typing import Annotated

import typer

InpaintingServer = Annotated[
    str | None,
    typer.Option("--server", metavar="HOST:PORT", help="The inpainting service; else DARKROOM_INPAINTING."),
]
MaskFile = Annotated[
    str | None, typer.Option("--mask", metavar="FILE", help="An image of the photo's size; white is what goes.")
]
Boxes = Annotated[
    list[str] | None, typer.Option("--box", metavar="X,Y,W,H", help="A rectangle that goes, in pixels. Repeatable.")
]
Polygons = Annotated[
    list[str] | None, typer.Option("--polygon", metavar='"X,Y X,Y X,Y"', help="An outline that goes. Repeatable.")
]
Strokes = Annotated[
    list[str] | None, typer.Option("--stroke", metavar='"WIDTH X,Y X,Y"', help="A brush stroke that goes. Repeatable.")
]
Grow = Annotated[int, typer.Option("--grow", metavar="PX", help="Grow what is marked by so many pixels.")]
Feather = Annotated[int, typer.Option("--feather", metavar="PX", help="Width of a soft edge around it.")]
ModelName = Annotated[str, typer.Option("--model", metavar="NAME", help="See `darkroom models ls`; else the default.")]
StrategyName = Annotated[
    str,
    typer.Option(
        "--strategy", metavar="NAME", help="auto, native, detail, baseline, shrinking_mask, two_step, combined."
    ),
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Equal seeds give equal pixels.")]
Local = Annotated[
    bool,
    typer.Option("--local", help="Without a service, on this machine; needs darkroom[inpaint]."),
]
