"""A large JSON file is read item by item, and each item can be read again from its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataset_handlers.json_spans import Span, read_lists, read_span

VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def items_of(path: Path, *keys: str) -> dict[str, list[tuple[Any, Span]]]:
    found: dict[str, list[tuple[Any, Span]]] = {key: [] for key in keys}

    def visitor(key: str) -> Any:
        return lambda item, span: found[key].append((item, span))

    read_lists(path, {key: visitor(key) for key in keys})
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.sampled_from(["a", "b", "é"]), st.lists(VALUE, max_size=4)), st.data())
def test_items_are_what_the_whole_file_says(tmp_path: Path, content: dict[str, list[Any]], data: st.DataObject) -> None:
    path = tmp_path / "a.json"
    indent = data.draw(st.sampled_from([None, 1]))
    text = json.dumps({"x": {"a": [1]}, **content, "y": 1}, ensure_ascii=data.draw(st.booleans()), indent=indent)
    path.write_bytes(data.draw(st.sampled_from([b"", b"\xef\xbb\xbf", b" \n"])) + text.encode())
    found = items_of(path, "a", "b")
    with path.open("rb") as file:
        for key, items in found.items():
            assert [item for item, _ in items] == content.get(key, [])
            assert [read_span(file, span) for _, span in items] == content.get(key, [])


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"a"}', '{"a": 1}', '{"a": [1, 2', '{"a": [1 2]}', '{"a": [1], ', '{"a": {}}', "{'a': []}"]
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"empty|cut off|not '|Expecting"):
        items_of(path, "a")
