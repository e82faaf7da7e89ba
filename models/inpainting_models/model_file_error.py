"""What is raised when a model file or its description cannot be used."""

from pathlib import Path


class ModelFileError(ValueError):
    """A model file that is missing, broken, or not what its description says; the message names the file."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = Path(path)
        self.reason = reason
