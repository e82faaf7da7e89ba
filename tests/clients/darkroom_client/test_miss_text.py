"""What a miss says: one row for each field that differs anywhere, files by name, and a cost with its reason."""

from datetime import timedelta

from darkroom_client.miss_text import cost_line, miss_table, nearest_line, raw_lines, value_text
from darkroom_client.resolution import BuildCost, Difference, NearDataset, RawDifference, Resolution
from darkroom_client.snapshot import DatasetSnapshot

ONE = NearDataset(DatasetSnapshot(key="1" * 64), (Difference("config.crop_size", [64, 64], [32, 32]),))
RAW = RawDifference(12, 1, 0, tuple(f"{n}.jpg" for n in range(10)), ("old.jpg",))
TWO = NearDataset(
    DatasetSnapshot(key="2" * 64),
    (Difference("config.crop_size", [64, 64], None), Difference("raw.photos", "a" * 64, "b" * 64, RAW)),
)


def test_each_field_has_a_row_and_each_dataset_a_column():
    titles, rows = miss_table(Resolution("k", False, "miss", nearest=(ONE, TWO)))
    assert titles == ["differs in", "asked", "1" * 12, "2" * 12]
    assert rows == [["crop_size", "[64, 64]", "[32, 32]", "-"], ["raw.photos", "a" * 12, "same", "b" * 12]]


def test_files_are_named_and_counted():
    assert raw_lines(ONE) == []
    [line] = raw_lines(TWO)
    assert line.startswith(f"raw.photos against {'2' * 12}: 12 added: 0.jpg, 1.jpg")
    assert line.endswith("9.jpg and 2 more; 1 removed: old.jpg")


def test_one_line_names_the_nearest_and_its_first_differences():
    assert nearest_line(Resolution("k", False, "miss")) == ""
    line = nearest_line(Resolution("k", False, "miss", nearest=(ONE, TWO)))
    assert line == f"nearest: {'1' * 12}, differs in config.crop_size ([32, 32], asked [64, 64])"
    many = tuple(Difference(f"config.{name}", 1, 2) for name in "abcdef")
    line = nearest_line(Resolution("k", False, "miss", nearest=(NearDataset(DatasetSnapshot(key="3" * 64), many),)))
    assert line.endswith("config.d (2, asked 1) and 2 more")
    line = nearest_line(Resolution("k", False, "miss", nearest=(TWO,)))
    assert "raw.photos (12 added: 0.jpg" in line


def test_a_cost_says_on_what_it_rests():
    cost = BuildCost(1200, 2_000_000, timedelta(seconds=90), "the build of 1a2b3c")
    assert cost_line(cost) == "a build: about 1,200 examples, 2.0 MB, 1 min 30 s (by the build of 1a2b3c)"


def test_values_read_as_people_write_them():
    platform = {"python": "3.11", "os": "linux"}
    assert [value_text("platform", platform), value_text("config.a", "x"), value_text("config.a", False)] == [
        "3.11 linux",
        "x",
        "false",
    ]
