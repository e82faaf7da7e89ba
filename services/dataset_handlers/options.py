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

import math
import typing
from typing import Any, Dict, Mapping, Optional, Sequence

from dataset_handlers.errors import BadConfig, HandlerError
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
        **limits: Any,
    ) -> None:
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


def declared(declaration: Any) -> Dict[str, Option]:
    """Returns the options of a declaration: a dict, or a list of named options or (name, option or default) pairs."""
    if isinstance(declaration, Mapping):
        pairs = list(declaration.items())
    elif isinstance(declaration, (list, tuple)):
        pairs = [_pair(item) for item in declaration]
    else:
        raise HandlerError(f"config_options() returned {type(declaration).__name__}; a dict of name: Option would do")
    options: Dict[str, Option] = {}
    for name, value in pairs:
        if not isinstance(name, str) or not name.isidentifier():
            raise HandlerError(f"config_options() names an option {name!r}; a name must be a Python identifier")
        options[name] = value if isinstance(value, Option) else option_of_default(name, value)
        options[name].name = name
    return options


def option_of_default(name: str, default: Any) -> Option:
    """Returns the option that a plain default declares: its type is the default's."""
    if isinstance(default, bool):
        return Boolean(default)
    if isinstance(default, int):
        return Integer(default)
    if isinstance(default, float) and math.isfinite(default):
        return Number(default)
    if isinstance(default, str):
        return String(default)
    if isinstance(default, (list, tuple)):
        return List(Option(), default)
    if isinstance(default, Mapping):
        return Object(None, default)
    if default is None:
        return Option(None)
    raise HandlerError(f"option {name!r} has the default {default!r}, which has no form in JSON; declare an Option")


def normalise_config(options: Mapping[str, Option], config: Mapping[str, Any]) -> Dict[str, Any]:
    """Returns every option's value, defaults filled in; raises ``BadConfig`` naming all that is wrong at once."""
    violations = [(f"config.{name}", _unknown(name, list(options))) for name in config if name not in options]
    values: Dict[str, Any] = {}
    for name, option in options.items():
        if name not in config:
            if option.required and not option.read_time:
                violations.append((f"config.{name}", f"is missing; {option.constraint} would do"))
            else:
                # A build does not know what only the reader will say.
                values[name] = None if option.required else option.default
            continue
        try:
            values[name] = option.normalise(config[name], f"config.{name}")
        except BadConfig as error:
            violations += error.violations
    if violations:
        raise BadConfig(violations)
    return values


def _pair(item: Any) -> Any:
    if isinstance(item, Option):
        return item.name, item
    if isinstance(item, (list, tuple)) and len(item) == 2:
        return item[0], item[1]
    raise HandlerError(f"config_options() lists {item!r}; a named Option or a (name, default) pair would do")


def _unknown(name: object, valid: typing.List[str]) -> str:
    import difflib

    near = difflib.get_close_matches(str(name), valid, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"no such option.{hint} Valid: {', '.join(sorted(valid)) or 'none'}"
