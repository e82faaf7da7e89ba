"""Makes any text safe to send and to store: what is not printable Unicode becomes a visible escape."""

from __future__ import annotations

import re

# Control characters that mean nothing in a log; NUL alone would be refused by some databases.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]")


def printable(text: str) -> str:
    """Return the text with control characters and lone surrogates as escapes such as ``\\x00``.

    Tab, newline, carriage return and escape (colours) stay.
    """
    text = _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
    try:
        text.encode()
    except UnicodeEncodeError:
        # File names that are not UTF-8 arrive with surrogates in place of their bytes.
        text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return text


def printable_path(path: bytes) -> str:
    """Return a file's name for a message."""
    return printable(path.decode("utf-8", "backslashreplace"))
