"""Says how a model file wants its photos and masks, and how to read what it gives back."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Pictures:
    """How pictures are in the file's own numbers."""

    range: tuple[float, float] = (0.0, 1.0)
    """The numbers of black and of white."""
    channels: str = "rgb"
    """``rgb`` or ``bgr``."""
    hole: float | None = None
    """The number that hole pixels are set to before the model sees them; None: they are left as they are."""


@dataclass(frozen=True)
class Masks:
    """How masks are in the file's own numbers."""

    hole: float = 1.0
    known: float = 0.0
    channels: int = 1


@dataclass(frozen=True)
class ModelDescription:
    """Everything about a model that its file does not say by itself."""

    image: Pictures = field(default_factory=Pictures)
    mask: Masks = field(default_factory=Masks)
    output: Pictures = field(default_factory=Pictures)
    layout: str = "nhwc"
    """``nhwc`` or ``nchw``."""
    inputs: tuple[tuple[str, tuple[str, ...]], ...] = (("", ("image",)), ("", ("mask",)))
    """For each input its name in the file ("": found by part or order) and the parts joined in it, as channels."""
    output_name: str = ""
    """Which output holds the pictures; "": the first."""
    multiple: int = 1
    """Sides must be multiples of this. A file whose sides are fixed says so itself."""
    fixed_size: tuple[int, int] | None = None
    """Height and width, where no others work although the file allows them."""
    training_size: tuple[int, int] | None = None
    """Height and width at which it works best; None: a fixed size, or any."""
    batch: bool = True
    """Whether several pictures may be given at once."""

    def channels_of(self, parts: tuple[str, ...]) -> int:
        """How many channels an input of these parts has."""
        return sum({"image": 3, "mask": self.mask.channels, "ones": 1}[part] for part in parts)
