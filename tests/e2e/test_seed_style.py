"""A handler in the seed's style runs as it is, and what it writes can be read by anybody's tools."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

from .buckets import archive_objects, object_bytes, s3

SMALL_FILES, SMALL_BYTES = 3000, 1024
LARGE_BYTES = 70 << 20
READ = Path(__file__).with_name("read_with_tensorflow.py")


def test_thousands_of_small_files_and_a_large_one_are_read_from_minio_by_common_tools(
    open_house, photos, minio_variables, tmp_path
):
    house = open_house(photos, store=minio_variables).start()
    house.client.define("files", "test/seed", {"photos": "street"})
    got = house.darkroom("request", "files", "--json").ok().json
    assert got["splits"] == {"train": SMALL_FILES, "test": 1}
    [name] = archive_objects(minio_variables, got["key"])
    archive = tmp_path / got["archive"]
    s3(minio_variables).download_file(minio_variables["STORE_BUCKET"], name, str(archive))
    tested = subprocess.run(["unzip", "-tq", archive], capture_output=True, text=True, check=False, timeout=60)
    assert tested.returncode == 0, tested.stderr
    assert "No errors detected" in tested.stdout
    manifest = json.loads((Path(got["path"]) / "manifest.json").read_bytes())
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        sizes = [info.file_size for info in opened.infolist()]
        assert sizes[:-1] == [LARGE_BYTES] + [SMALL_BYTES] * SMALL_FILES
        assert json.loads(opened.read("manifest.json")) == manifest
        shard = manifest["shards"][1234]
        content = opened.read(shard["name"])
    # The manifest says where each shard lies, so a range of the object is a whole TFRecord file.
    byte_range = f"bytes={shard['offset']}-{shard['offset'] + shard['size_bytes'] - 1}"
    assert object_bytes(minio_variables, name, byte_range) == content
    read = subprocess.run(
        [sys.executable, READ, got["path"]], env=house.variables(), stdout=subprocess.PIPE, check=True, timeout=90
    )
    records = SMALL_FILES + 1
    assert json.loads(read.stdout) == {"files": records, "records": records, "total": sum(range(SMALL_FILES)) - 1}
