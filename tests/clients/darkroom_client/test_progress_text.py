"""Progress in one line that a person understands."""

from datetime import timedelta

import pytest

from darkroom_client import Progress, RequestSnapshot, Stage
from darkroom_client.download import DownloadProgress
from darkroom_client.progress_text import download_line, duration_text, fraction, progress_line


def test_a_build_shows_counts_rate_time_left_and_who_started_it():
    snapshot = RequestSnapshot(
        stage=Stage.BUILDING,
        shard_count=40,
        shards_done=25,
        shards_reused=5,
        example_count=1000,
        examples_done=620,
        rate=83.4,
        eta=timedelta(seconds=5),
        started_by="anna@gpu3",
        joined=True,
        runner="studio-1",
        attempt=2,
    )
    assert progress_line(snapshot) == (
        "building: shards 25/40 (5 kept), examples 620/1,000, 83/s, 5 s left; "
        "started by anna@gpu3, joined; on studio-1, attempt 2"
    )
    assert fraction(snapshot) == 0.62


def test_hashing_shows_files():
    progress = Progress(stage=Stage.SNAPSHOT, file_count=10_000, files_done=2_500, rate=4.2)
    assert progress_line(progress) == "reading raw files: files 2,500/10,000, 4.2/s"
    assert fraction(progress) == 0.25


def test_what_the_work_waits_for_is_said():
    progress = Progress(stage=Stage.BUILDING, waiting_for="space on the store's disk", skipped_count=2)
    assert progress_line(progress) == "building: 2 unreadable left out; waiting for space on the store's disk"
    assert fraction(progress) is None


def test_a_queue_shows_the_position():
    assert progress_line(Progress(stage=Stage.QUEUED, queue_position=3)) == "queued: 3 before it"


def test_a_download_shows_bytes_and_rate():
    assert download_line(DownloadProgress(5_000_000, 20_000_000), 1e6) == "downloading: 5.0 MB of 20.0 MB, 1.0 MB/s"
    assert download_line(DownloadProgress(waiting_for="another process")) == "downloading; waiting for another process"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (90, "1 min 30 s"), (900, "15 min"), (7800, "2 h 10 min")],
)
def test_spans_read_as_people_say_them(seconds, text):
    assert duration_text(timedelta(seconds=seconds)) == text
