"""Values at the edges of what a field can hold, and texts that harm whoever takes them for more than text."""

from __future__ import annotations

import math
import random
import string

from google.protobuf.descriptor import FieldDescriptor

# No word here may look like what a verdict takes for a leak: messages repeat what they were given.
_TEXTS = (
    "", " ", "a", "\0", "a\0b", "\n", "\t", "\r\n", "\x1b[31m", "\x7f", "\ufeff", "\u202e", "a\u200b", "\ufffd",
    "\U0010ffff", "ü", "日本",
    "🙂", "Ａ", "ﬁ", "İ", "e\u0301" * 50, "ß" * 300, "0", "-1", "1e999", "NaN", "null", "true", "[]",
    "{}", "..", "../" * 40 + "etc/passwd", "/etc/passwd", "/", "//", "a/../b", "\\\\host\\share", "C:\\x", "%2e%2e%2f",
    "'", '"', "' OR 1=1 --", "'; DROP TABLE datasets; --", "%' OR '%'='", "_", "%", "*", "?", "{0}", "{{7*7}}",
    "%n%s%d", "$(id)", "`id`", ";id", "|id", "--upload-pack=id", "-c", "ext::sh -c id", "HEAD@{1}", "main^{}", "refs/*",
    "@{u}", "<script>", "${jndi:ldap://x}", "*)(uid=*", "datasets/", "requests/", "work/", "photos/", "batchJobs/",
    "datasets/..",
    "requests/00000000-0000-0000-0000-000000000000", "photos/" + "0" * 64, "batchJobs/" + "f" * 64, "datasets/000000",
    "work/00000000-0000-0000-0000-000000000000", "a" * 128, "a" * 129, "a" * 2001, "🙂" * 2001, "a" * 100_000,
)  # fmt: skip
_DOCUMENTS = (
    "{", "}", "[1]", "1", '"a"', "null", '{"a": 1, "a": 2}', '{"a": NaN}', '{"a": Infinity}', '{"a": 1e999}',
    '{"a": -1e999}', '{"a": 1e308}', '{"a": -0.0}', '{"\\u0000": "\\u0000"}', '{"a": "\\ud800"}', '{"\\udfff": 1}',
    '{"image_size": [64, 64]}', '{"image_size": [-1, 1e30]}', '{"image_size": [true, null]}', '{"image_size": {}}',
    '{"image_size": [99999999999999999999, 1]}', '{"image_size": "64"}', '{"": {"": {"": ""}}}',
    '{"a.b": 1, "a": {"b": 2}}',
    '{"seed": 18446744073709551616}', '{"seed": -9223372036854775809}', '{"seed": 0.1}',
    '{"variations_per_sample": 1e9}',
    '{"a": ' + "9" * 5000 + "}", '{"a": 0.' + "1" * 5000 + "}", "[" * 100_000, '{"a":' * 900 + "1" + "}" * 900,
    '{"a":' * 50_000, '{"a": [' + "0," * 20_000 + "0]}", '{"' + "k" * 70_000 + '": 1}',
    "{" + ",".join(f'"k{number}": {number}' for number in range(2000)) + "}", "{}" + " " * 300_000,
)  # fmt: skip
_TOKENS = (
    "=", "====", "a", "bnVsbA==", "W10=", "e30=", "WyJhIl0=", "WzEsMl0=", "W251bGxd", "WzFlOTk5LCAiYSJd",
    "W05hTiwgImEiXQ==",
    "WyJcdWQ4MDAiXQ==", "WyJcdTAwMDAiXQ==", "W1tdLCBbXV0=", "W3RydWUsIHRydWVd", "WzAuMSwgMC4xXQ==", "ü", "A" * 70_000,
    "W10" * 9000, "WzEsICJhIl0=", "WzE4NDQ2NzQ0MDczNzA5NTUxNjE2LCAiYSJd", "WzEuMCwgIngiXQ==", "//8=",
)  # fmt: skip
_REALS = (0.0, -0.0, 0.5, -1.0, 1e-300, 5e-324, 1e30, 1e300, -1e300, math.inf, -math.inf, math.nan)
_KINDS = FieldDescriptor
_BITS = {
    _KINDS.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    _KINDS.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    _KINDS.CPPTYPE_UINT32: (0, 2**32 - 1),
    _KINDS.CPPTYPE_UINT64: (0, 2**64 - 1),
}


def whole(chance: random.Random, kind: int) -> int:
    """Return an integer that a field of that kind holds, most often one at an edge."""
    lowest, highest = _BITS[kind]
    near = (0, 1, 2, 3, 16, 64, 100, 1000, 1001, 65_536, highest, highest - 1, lowest, max(lowest, -1), highest // 2)
    return chance.choice(near) if chance.random() < 0.8 else chance.randint(lowest, highest)


def real(chance: random.Random) -> float:
    """Return a floating-point number, most often one at an edge."""
    return chance.choice(_REALS) if chance.random() < 0.7 else chance.uniform(-1e4, 1e4)


def text(chance: random.Random, field_name: str) -> str:
    """Return a text that the field's name invites."""
    if field_name.endswith("_json") and chance.random() < 0.7:
        return chance.choice(_DOCUMENTS)
    if field_name.endswith("_token") and chance.random() < 0.7:
        return chance.choice(_TOKENS)
    if chance.random() < 0.7:
        return chance.choice(_TEXTS)
    letters = string.printable if chance.random() < 0.5 else string.ascii_lowercase + "/.-_äß日🙂\0"
    return "".join(chance.choices(letters, k=chance.choice((1, 3, 10, 64, 500))))


def data(chance: random.Random) -> bytes:
    """Return bytes of any content, seldom many."""
    return chance.randbytes(chance.choice((0, 1, 7, 100, 1000, 1000, 70_000)))
