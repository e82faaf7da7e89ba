"""docs/handler_contract.md works; it and docs/stock_handlers.md name every option, operation and public name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dataset_handlers
from dataset_handlers import operations
from dataset_handlers.discovery import find_handlers
from dataset_handlers.handler_class import options_of

REPOSITORY = Path(__file__).parents[3]
TEXT = (REPOSITORY / "docs" / "handler_contract.md").read_text()
STOCK = (REPOSITORY / "docs" / "stock_handlers.md").read_text()


def test_the_handler_from_nothing_works(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "photos").symlink_to(photos)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) == 2
    # One process is enough here, and the reader has its own test with TensorFlow.
    code = "\n".join(blocks).replace("workers=2", "workers=1").replace("handler.tf_records_mapper(files)", "None")
    names: dict[str, object] = {"__name__": "documented"}
    exec(compile(code, "docs/handler_contract.md", "exec"), names)
    assert names["files"]
    assert all(Path(file).stat().st_size > 0 for file in names["files"])  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted([*dataset_handlers.__all__, *operations.__all__]))
def test_every_public_name_has_its_place(name: str) -> None:
    assert re.search(rf"`[^`\n]*\b{name}\b[^`\n]*`", TEXT)


@pytest.mark.parametrize(
    "option", sorted({option for handler in find_handlers("stock").values() for option in options_of(handler)})
)
def test_every_option_has_its_row(option: str) -> None:
    assert re.search(rf"^\| `{option}` \| .+ \| .+ \|$", TEXT + STOCK, re.MULTILINE)


@pytest.mark.parametrize("handler", sorted(find_handlers("stock")))
def test_every_stock_handler_and_feature_has_its_place(handler: str) -> None:
    assert f"`stock/{handler}`" in STOCK
    for feature in options_of(find_handlers("stock")[handler])["input_attributes"].schema["items"]["choices"]:
        assert f"`{feature}`" in STOCK
