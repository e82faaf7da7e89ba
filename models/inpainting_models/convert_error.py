"""What is raised when published weights cannot be converted."""


class ConversionError(ValueError):
    """The weights are not those of the network; the message says which are missing or of the wrong shape."""
