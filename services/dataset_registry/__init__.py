"""Builds each dataset once, and lets anyone watch: the service that knows every request, dataset and piece of work."""
