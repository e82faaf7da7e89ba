"""Runs the ``darkroom`` command: ``python -m darkroom_client``."""

from darkroom_client.command import main

main()
