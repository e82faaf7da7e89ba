"""The options that a handler declares: each has a type, a default, a range and a sentence.

``config_options()`` returns them by name::

    {"image_size": Size([256, 256], "What each photo is scaled to"),
     "quality": Integer(95, "JPEG quality", minimum=1, maximum=100),
     "batch_size": Integer(None, "Examples in a batch", minimum=1, read_time=True),
     "blur": 0.5}                      # a plain default: its type is taken as declared

An option without a default is required. One whose default is None also accepts null. A read-time option belongs to
the reader of a dataset: it is never part of what the dataset is.
"""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence

from dataset_handlers.schema import constraint, normalise

REQUIRED: Any = type("Required", (), {"__repr__": lambda self: "REQUIRED"})()


class Option:
    """One option; this class takes any JSON value, its subclasses a typed one."""

    type_name = "any"

    def __init__(
        self,
        default: Any = REQUIRED,
        description: str = "",
        *,
        name: str = "",
        nullable: Optional[bool] = None,
        read_time: bool = False,
        choices: Optional[Sequence[Any]] = None,
        example: Any = None,
        **limits: Any,
    ) -> None:
        """``example``: a value worth trying, for the documentation; None: one is found where the schema says enough."""
        self.name = name
        self.description = description
        self.read_time = read_time
        self.schema: Dict[str, Any] = {"type": self.type_name}
        if nullable or (nullable is None and default is None):
            self.schema["nullable"] = True
        if choices is not None:
            self.schema["choices"] = list(choices)
        self.schema.update({limit: value for limit, value in limits.items() if value is not None})
        self.default = REQUIRED if default is REQUIRED else normalise(self.schema, default, f"default of {name!r}")
        self.example = None if example is None else normalise(self.schema, example, f"example of {name!r}")

    @property
    def required(self) -> bool:
        """Whether the caller must give it."""
        return self.default is REQUIRED

    @property
    def constraint(self) -> str:
        """What a value must be, in words."""
        return constraint(self.schema)

    def normalise(self, value: Any, field: str) -> Any:
        """Returns ``value`` in its one normal form, or raises ``BadConfig`` naming ``field``."""
        return normalise(self.schema, value, field)


class Integer(Option):
    """A whole number; 256.0 counts as 256."""

    type_name = "integer"

    def __init__(
        self,
        default: Any = REQUIRED,
        description: str = "",
        *,
        minimum: Optional[int] = None,
        maximum: Optional[int] = None,
        **rest: Any,
    ) -> None:
        super().__init__(default, description, minimum=minimum, maximum=maximum, **rest)


class Number(Option):
    """A finite number; the handler gets a float."""

    type_name = "number"

    def __init__(
        self,
        default: Any = REQUIRED,
        description: str = "",
        *,
        minimum: Optional[float] = None,
        maximum: Optional[float] = None,
        exclusive_minimum: Optional[float] = None,
        **rest: Any,
    ) -> None:
        limits: Dict[str, Any] = {"minimum": minimum, "maximum": maximum, "exclusive_minimum": exclusive_minimum}
        super().__init__(default, description, **limits, **rest)


class Boolean(Option):
    """True or false."""

    type_name = "boolean"


class String(Option):
    """Text."""

    type_name = "string"


class Choice(String):
    """One word of several."""

    def __init__(self, choices: Sequence[str], default: Any = REQUIRED, description: str = "", **rest: Any) -> None:
        super().__init__(default, description, choices=choices, **rest)


class Size(Option):
    """``[height, width]`` in pixels; one number means a square, and "256x512" is height x width."""

    type_name = "size"

    def __init__(
        self, default: Any = REQUIRED, description: str = "", *, maximum: Optional[int] = None, **rest: Any
    ) -> None:
        super().__init__(default, description, maximum=maximum, **rest)


class List(Option):
    """A list whose items all satisfy one option."""

    type_name = "list"

    def __init__(
        self,
        items: Option,
        default: Any = REQUIRED,
        description: str = "",
        *,
        min_items: Optional[int] = None,
        max_items: Optional[int] = None,
        **rest: Any,
    ) -> None:
        super().__init__(default, description, items=items.schema, min_items=min_items, max_items=max_items, **rest)


class InputAttributes(List):
    """Chooses what each record holds: the features that the handler can make, and those it makes by default."""

    def __init__(self, valid: Sequence[str], default: Sequence[str], description: str = "") -> None:
        super().__init__(
            Choice(valid), list(default), description or "What each record holds", min_items=1, max_items=len(valid)
        )


class Object(Option):
    """A mapping from text to values that all satisfy one option."""

    type_name = "object"

    def __init__(
        self, values: Optional[Option] = None, default: Any = REQUIRED, description: str = "", **rest: Any
    ) -> None:
        super().__init__(default, description, keys=values.schema if values else None, **rest)
