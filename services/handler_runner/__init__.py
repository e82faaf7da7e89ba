"""Runs handlers next to the raw photos: pulls work from the registry, builds, uploads, reports."""
