"""Makes any text safe to send and to store: what is not printable Unicode becomes a visible escape."""

from __future__ import annotations

import re

# Control characters that mean nothing in a log; NUL alone would be refused by some databases.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def printable(text: str) -> str:
    """Return the text with control characters and lone surrogates as escapes such as ``\\x00``.

    Tab, newline, carriage return and escape (colours) stay.
    """
    text = _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
    # Half a pair has no UTF-8; a byte of a file name that was none arrives as U+DC80 to U+DCFF.
    return _SURROGATE.sub(lambda match: _escape(ord(match[0])), text)


def printable_path(path: bytes) -> str:
    """Return a file's name for a message."""
    return printable(path.decode("utf-8", "backslashreplace"))


def _escape(surrogate: int) -> str:
    return f"\\x{surrogate - 0xDC00:02x}" if 0xDC80 <= surrogate <= 0xDCFF else f"\\u{surrogate:04x}"
