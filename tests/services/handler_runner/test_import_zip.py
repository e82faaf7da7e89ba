"""Zip files of strangers: what is dangerous or broken is refused by name, what is sound comes out whole."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from handler_runner import import_zip
from handler_runner.import_zip import BadArchive, Member, members, opened, unpack


def zipped(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return data.getvalue()


def link() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        info = zipfile.ZipInfo("a.tfrecord")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return data.getvalue()


def patched(data: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    """Return the zip file with some bytes of the first such record replaced."""
    at = data.index(signature) + offset
    return data[:at] + value + data[at + len(value) :]


def overlapping() -> bytes:
    """Return a zip file whose two files are one piece of data."""
    data = zipped(("a.tfrecord", b"x" * 1000), ("b.tfrecord", b"x" * 1000), method=zipfile.ZIP_STORED)
    second = data.index(b"PK\1\2", data.index(b"PK\1\2") + 4)
    return data[: second + 42] + struct.pack("<L", 10) + data[second + 46 :]


def twice() -> bytes:
    with pytest.warns(UserWarning, match="Duplicate"):
        return zipped(("a.tfrecord", b"1"), ("a.tfrecord", b"2"))


GOOD = zipped(("a.tfrecord", b"abc" * 1000))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: b"not a zip file at all, for sure", "no zip file"),
        (lambda: GOOD[:-10], "end is cut off"),
        (lambda: zipped(("readme.txt", b"x")), r"no \.tfrecord file, but 'readme\.txt'"),
        (lambda: zipped(), r"no \.tfrecord file, but nothing"),
        (lambda: zipped(("../../etc/a.tfrecord", b"x")), r"'\.\./\.\./etc/a\.tfrecord' leads out"),
        (lambda: zipped(("/etc/a.tfrecord", b"x")), "leads out"),
        (lambda: zipped(("..\\a.tfrecord", b"x")), "leads out"),
        (lambda: zipped(("C:/a.tfrecord", b"x")), "leads out"),
        (lambda: zipped(("a.tfrecord", b"x"), ("../evil.sh", b"x")), r"evil\.sh' leads out"),
        (link, "is a link"),
        (twice, "is there twice"),
        (overlapping, "share bytes"),
        (lambda: patched(GOOD, b"PK\1\2", 8, b"\1\0"), "is encrypted"),
        (lambda: zipped(("a.tfrecord", b"x" * 99), method=zipfile.ZIP_BZIP2), "method 12"),
        (lambda: zipped(("a.tfrecord", bytes(80 << 20))), "would grow from"),
        (lambda: zipped(*((f"{n}.tfrecord", bytes(20 << 20)) for n in range(4))), "its files would grow"),
        (lambda: patched(GOOD, b"PK\5\6", 16, b"\xf0\xff\xff\x7f"), "no whole zip file"),
        (lambda: patched(GOOD, b"PK\5\6", 12, struct.pack("<L", 1 << 30)), "its directory has"),
    ],
)
def test_a_dangerous_archive_is_refused_before_anything_is_unpacked(make: Callable[[], bytes], words: str) -> None:
    with pytest.raises(BadArchive, match=words):
        members(io.BytesIO(make()))


def test_too_many_files_are_refused_before_their_names_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_zip, "MAX_MEMBERS", 2)
    with pytest.raises(BadArchive, match="holds 3 files"):
        members(io.BytesIO(zipped(*((f"{n}.tfrecord", b"") for n in range(3)))))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_files_at_any_level_come_out_whole_in_the_order_of_their_numbers(tmp_path: Path, method: int) -> None:
    files = [(f"d/part-{n}.tfrecord", bytes([n]) * 3_000_000) for n in (10, 9, 1)]
    data = zipped(*files, ("d/", b""), ("__MACOSX/d/._part-1.tfrecord", b"?"), ("top.TFRecords", b"t"), method=method)
    found = members(io.BytesIO(data))
    assert [each.name for each in found] == [
        "d/part-1.tfrecord",
        "d/part-9.tfrecord",
        "d/part-10.tfrecord",
        "top.TFRecords",
    ]
    with opened(io.BytesIO(data)) as archive:
        unpack(archive, found[2], tmp_path / "out", lambda: False)
    assert (tmp_path / "out").read_bytes() == dict(files)["d/part-10.tfrecord"]


@pytest.mark.parametrize("at", [40, 45, 60])
def test_a_damaged_file_is_named(tmp_path: Path, at: int) -> None:
    data = bytearray(zipped(("d/a.tfrecord", bytes(range(256)) * 50)))
    data[at + 10] ^= 0xFF
    with opened(io.BytesIO(bytes(data))) as archive, pytest.raises(BadArchive, match=r"'d/a\.tfrecord' is broken"):
        unpack(archive, Member("d/a.tfrecord", 12_800), tmp_path / "out", lambda: False)


def test_a_large_archive_with_zip64_records_is_read(tmp_path: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive, archive.open("a.tfrecord", "w", force_zip64=True) as written:
        written.write(b"abc")
    assert members(data) == [Member("a.tfrecord", 3)]
    many = zipped(*((f"{n}.tfrecord", b"") for n in range(0x10000 + 5)), method=zipfile.ZIP_STORED)
    assert len(members(io.BytesIO(many))) == 0x10000 + 5
