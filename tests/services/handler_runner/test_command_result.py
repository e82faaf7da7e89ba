"""What a child answers is checked: a hostile one may say anything."""

from __future__ import annotations

import pytest

from handler_runner.command_result import check_result
from handler_runner.executor import CommandFailed

SHARD = {"split": "train", "index": 0, "start": 0, "stop": 3, "digest": "00"}
PLAN = {"kind": "shards", "shards": [SHARD], "max_bad": 1, "example_count": 3, "warnings": ["a word"]}
FEATURES = {"photo": {"dtype": "bytes", "shape": [], "encoding": "jpeg", "image_shape": [None, 8, 3]}}
BUILT = {"examples": 3, "features": FEATURES, "skipped": [{"path": "a\udcff.jpg", "reason": "cut off"}]}
RECORDS = {"files": [{"path": "/a/b.tfrecord", "split": "test", "records": 1}], "features": {}}


@pytest.mark.parametrize(
    ("kind", "result"),
    [
        ("plan", PLAN),
        ("plan", {**PLAN, "kind": "records", "shards": []}),
        ("shard", BUILT),
        ("records", RECORDS),
        ("preview", {"samples": 3}),
        ("describe", {"handlers": {}}),
    ],
)
def test_what_a_child_of_ours_answers_is_accepted(kind, result):
    check_result(kind, result)


@pytest.mark.parametrize(
    ("kind", "result", "where"),
    [
        ("plan", {**PLAN, "shards": [{**SHARD, "split": "../../etc/cron.d/x"}]}, "shards.0.split"),
        ("plan", {**PLAN, "shards": [{**SHARD, "split": "train\n"}]}, "shards.0.split"),
        ("plan", {**PLAN, "shards": [{**SHARD, "index": "0/../.."}]}, "shards.0.index"),
        ("plan", {**PLAN, "shards": [{**SHARD, "index": -1}]}, "shards.0.index"),
        ("plan", {**PLAN, "shards": [SHARD, SHARD]}, "planned twice"),
        ("plan", {**PLAN, "kind": "command"}, "kind"),
        ("plan", {**PLAN, "max_bad": True}, "max_bad"),
        ("plan", {**PLAN, "max_bad": 1 << 80}, "max_bad"),
        ("plan", {}, "kind"),
        ("shard", {**BUILT, "features": {"photo": {"shape": []}}}, "features.photo.dtype"),
        ("shard", {**BUILT, "features": {"photo": {"dtype": "bytes", "shape": [{}]}}}, "features.photo.shape"),
        ("shard", {**BUILT, "features": []}, "features"),
        ("shard", {**BUILT, "skipped": [{"path": 7, "reason": ""}]}, "skipped.0.path"),
        ("shard", {**BUILT, "skipped": [{"path": "x" * 20_000, "reason": ""}]}, "skipped.0.path"),
        ("shard", {**BUILT, "examples": "many"}, "examples"),
        ("records", {"files": [{"path": ["a"], "split": "train"}]}, "files.0.path"),
        ("records", {"files": [{"path": "a", "split": "Train"}]}, "files.0.split"),
        ("describe", {"handlers": "x" * (5 << 20)}, "longer than"),
    ],
)
def test_anything_else_is_the_handlers_error(kind, result, where):
    with pytest.raises(CommandFailed, match=f"no answer to {kind}: .*{where}") as caught:
        check_result(kind, result)
    assert caught.value.error_class == "HANDLER_ERROR"
