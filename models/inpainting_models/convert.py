"""Converts published weights into this project's model files.

python -m inpainting_models.convert gmcnn CHECKPOINT_DIR OUT     the authors' TensorFlow 1 checkpoints, any cnum
python -m inpainting_models.convert pconv WEIGHTS.h5 OUT         the Keras repository's weights
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from inpainting_models.convert_error import ConversionError
from inpainting_models.model_file_keras import save


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; 0 when the file is written, 2 when the weights cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m inpainting_models.convert", description=__doc__.split("\n")[0])
    networks = parser.add_subparsers(dest="network", required=True)
    for network, source, size in (("gmcnn", "CHECKPOINT_DIR", "256x256"), ("pconv", "WEIGHTS.h5", "512x512")):
        command = networks.add_parser(network)
        command.add_argument("source", type=Path, metavar=source)
        command.add_argument("out", type=Path, metavar="OUT", help="the model file to write, by custom NAME.keras")
        command.add_argument(
            "--training-size",
            type=_size,
            default=size,
            metavar="HxW",
            help=f"height x width that the weights were trained at ({size}); GMCNN's Places2 weights: 512x680",
        )
    options = parser.parse_args(arguments)
    try:
        if options.network == "gmcnn":
            from inpainting_models.convert_gmcnn import convert_gmcnn as convert
        else:
            from inpainting_models.convert_pconv import convert_pconv as convert
        model = convert(options.source, options.training_size)
        save(model, options.out)
    except ConversionError as error:
        print(error, file=sys.stderr)
        return 2
    height, width = model.training_size
    print(f"{options.out}: {options.network}, {model.count_params():,} parameters, trained at {height}x{width}")
    return 0


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9]\d*)[xX]([1-9]\d*)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not HEIGHTxWIDTH, as 512x680")
    return int(match.group(1)), int(match.group(2))


if __name__ == "__main__":
    sys.exit(main())
