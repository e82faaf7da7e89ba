"""The laws of the key."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_registry.options import Option, normalise
from dataset_registry.spec import DatasetSpec, Platform, canonical_json, parse_config
from service_kit.errors import InvalidArgument

OPTIONS = [
    Option("image_size", {"type": "size"}, default=[256, 256]),
    Option("gain", {"type": "number", "minimum": 0, "maximum": 10}, default=1.0),
    Option("names", {"type": "list", "items": {"type": "string"}}, default=[]),
    Option("rest", {"type": "any", "nullable": True}, default=None),
    Option("batch_size", {"type": "integer"}, default=32, read_time=True),
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(-(2.0**53) + 1, 2.0**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)
CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "image_size": st.lists(st.integers(1, 4096), min_size=2, max_size=2),
        "gain": st.floats(0, 10),
        "names": st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=4),
        "rest": JSON,
    },
)


def key_of(config: dict) -> str:
    normal, violations = normalise(config, OPTIONS)
    assert violations == []
    return DatasetSpec(
        "street",
        "stock",
        "c",
        "inpainting",
        "",
        "0.1.0",
        Platform("3.11", "linux", "x86_64"),
        normal.build,
        {"photos": "d"},
    ).key()


@given(CONFIGS, st.randoms())
def test_the_key_ignores_the_order_of_keys(config: dict, random) -> None:  # type: ignore[no-untyped-def]
    names = list(config)
    random.shuffle(names)
    assert key_of({name: config[name] for name in names}) == key_of(config)


@given(CONFIGS)
def test_defaults_left_out_or_written_out_are_one_dataset(config: dict) -> None:
    written = {option.name: option.default for option in OPTIONS} | config
    assert key_of(written) == key_of(config)


@given(st.integers(1, 4096), st.integers(1, 4096))
def test_a_size_has_one_form(height: int, width: int) -> None:
    forms = [[height, width], [float(height), float(width)], f"{height}x{width}"]
    assert len({key_of({"image_size": form}) for form in forms}) == 1


@given(st.integers(0, 10))
def test_whole_numbers_are_numbers(gain: int) -> None:
    assert key_of({"gain": gain}) == key_of({"gain": float(gain)})


@given(CONFIGS, st.integers())
def test_read_time_options_are_not_in_the_key(config: dict, batch_size: int) -> None:
    assert key_of({**config, "batch_size": batch_size % 1000}) == key_of(config)


@given(CONFIGS, CONFIGS)
def test_different_configs_have_different_keys(first: dict, second: dict) -> None:
    # As text: to Python, but not to a handler, False equals 0.
    texts = [canonical_json(normalise(each, OPTIONS)[0].build) for each in (first, second)]
    same = texts[0] == texts[1]
    assert (key_of(first) == key_of(second)) == same


@given(JSON)
def test_canonical_json_is_a_fixed_point(value) -> None:  # type: ignore[no-untyped-def]
    text = canonical_json(value)
    assert canonical_json(json.loads(text)) == text


@given(CONFIGS)
def test_a_normal_config_is_normal(config: dict) -> None:
    normal, _ = normalise(config, OPTIONS)
    again, violations = normalise(normal.build | normal.read, OPTIONS)
    assert (again, violations) == (normal, [])


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_any_config_is_fitted_or_refused_by_path(config: dict) -> None:
    _, violations = normalise(config, OPTIONS)
    assert all(path.startswith("config.") and description for path, description in violations)


@pytest.mark.parametrize(
    "text", ["{", "[]", '"x"', '{"a": 1, "a": 2}', '{"a": Infinity}', '{"a": "\\ud800"}', "[" * 100_000, "{" * 3]
)
def test_what_is_no_config_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        parse_config(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": ' + "9" * 5000 + "}", "a number has 5000 digits; at most 4300"),
        ("null", "must be a JSON object, not null"),
    ],
)
def test_a_refusal_has_no_words_of_pythons(text: str, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        parse_config(text)


def test_the_violations_name_path_value_and_remedy() -> None:
    _, violations = normalise({"image_sise": 1, "gain": 11, "names": ["a", 2], "batch_size": "x"}, OPTIONS)
    assert dict(violations) == {
        "config.image_sise": "is not an option of this handler (did you mean image_size?); "
        "it has batch_size, gain, image_size, names, rest",
        "config.gain": "must be at least 0, at most 10, not 11",
        "config.names[1]": "must be a string, not 2",
        "config.batch_size": 'must be an integer, not "x"',
    }
