"""Runs the validation suite: `python -m inpainting_models.evaluate --help`."""

from __future__ import annotations

import sys

from inpainting_models.evaluation.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
