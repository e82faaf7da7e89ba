"""The errors that a handler can mean: a wrong config, an unreadable photo, missing raw data, a mistake in its code."""

from __future__ import annotations

from typing import Iterable, NamedTuple, Tuple, Union


class Violation(NamedTuple):
    """One wrong field: where it is (``config.crop_size``), and what was received and what would do."""

    field: str
    description: str


class BadConfig(Exception):
    """The config cannot be used. ``violations`` names each wrong field; every one of them is reported, not the first.

    Raise it from ``check()`` for a rule that needs code::

        raise BadConfig([("config.crop_size", "[800, 800] is larger than image_size [256, 256]")])
    """

    def __init__(self, violations: Iterable[Union[Violation, Tuple[str, str]]]) -> None:
        self.violations = [Violation(*violation) for violation in violations]
        super().__init__("; ".join(f"{field}: {description}" for field, description in self.violations))

    def __reduce__(self) -> Tuple[type, Tuple[object]]:
        return type(self), (self.violations,)


class BadRawRecord(Exception):
    """One source file cannot be read. Its sample is skipped and listed; only too many of them fail a build."""

    def __init__(self, path: object, reason: str) -> None:
        self.path = str(path)
        self.reason = reason
        super().__init__(f"{self.path}: {reason}")

    def __reduce__(self) -> Tuple[type, Tuple[object, str]]:
        return type(self), (self.path, self.reason)


class RawMissing(Exception):
    """A raw folder is not there, or holds nothing that the handler can use."""


class HandlerError(Exception):
    """The handler breaks its contract, or raised; the message says where and what would do."""
