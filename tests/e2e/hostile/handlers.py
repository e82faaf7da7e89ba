"""Handlers of an attacker: one tries everything and reports it as examples, the others each break one rule."""

import json
import os
import time

import hostile_backend_result
from hostile_handlers.attacks import OUTSIDE, attack

from dataset_handlers import DatasetHandler, Sample, commands


def frame(event):
    body = json.dumps(event).encode()
    return len(body).to_bytes(4, "big") + body


def forged(number, result):
    return frame({"type": "done", "id": number, "result": result})


# On what looks like the pipe to the runner, before anybody has asked anything.
for _number in range(30):
    os.write(1, forged(_number, {"kind": "shards", "shards": [], "max_bad": 0}))

AT_IMPORT = attack()


class Attack(DatasetHandler):
    """Tries everything at run; what was tried at install and at import is reported with it."""

    name = "attack"

    def samples(self):
        return [Sample("attack")]

    def examples(self, sample, rng):
        for number in range(30):
            os.write(1, forged(number, {"examples": 7777, "features": {}}))
        found = {"install": hostile_backend_result.FOUND, "import": AT_IMPORT, "run": attack()}
        for stage in sorted(found):
            for name, got in sorted(found[stage].items()):
                yield {"stage": stage, "attack": name, "got": got}


class Breaks(DatasetHandler):
    """Does one bad thing at its one example."""

    def samples(self):
        return [Sample("one")]

    def examples(self, sample, rng):
        self.misbehave()
        yield {"value": 1}


class ForkBomb(Breaks):
    name = "fork_bomb"

    def misbehave(self):
        while True:
            try:
                os.fork()
            except OSError:
                time.sleep(0.01)


class Memory(Breaks):
    name = "memory"

    def misbehave(self):
        kept = bytearray(50 << 30)
        kept[0] = 1


class MemoryOfMany(Breaks):
    name = "memory_of_many"

    def misbehave(self):
        for _ in range(20):
            if os.fork() == 0:
                kept = os.urandom(1) * (100 << 20)
                time.sleep(600)
                os._exit(len(kept) & 1)
        time.sleep(600)


class LargeFile(Breaks):
    name = "large_file"

    def misbehave(self):
        with open("large", "wb") as file:
            for _ in range(10 << 10):
                file.write(bytes(1 << 20))


class ManyFiles(Breaks):
    name = "many_files"

    def misbehave(self):
        for number in range(10 << 10):
            with open(f"file-{number}", "wb") as file:
                file.write(bytes(1 << 20))


class LongLog(Breaks):
    name = "long_log"

    def misbehave(self):
        for _ in range(10 << 20):
            print("x" * 1023)


class Endless(Breaks):
    name = "endless"

    def misbehave(self):
        while True:
            time.sleep(0.5)
            print("still here", flush=True)


class LinkAsShard(Breaks):
    """Puts a link to a secret where the shard should be."""

    name = "link_as_shard"

    def misbehave(self):
        [output] = [name for name in os.listdir(".") if name.endswith(".tfrecord")]
        os.unlink(output)
        os.symlink(OUTSIDE["secret"], output)


class ForgedPlan(Breaks):
    """Answers for the child, with a path that leads out."""

    name = "forged_plan"

    def samples(self):
        shard = {"split": "../../../" + OUTSIDE["mark"], "index": 0, "start": 0, "stop": 1}
        plan = {"kind": "shards", "shards": [shard], "max_bad": 0, "example_count": 1, "warnings": []}
        commands._COMMANDS["plan"] = lambda command, progress: plan
        for descriptor in range(3, 16):
            for number in range(30):
                try:
                    os.write(descriptor, forged(number, plan))
                except OSError:
                    break
        time.sleep(600)


class ForgedFailure(Breaks):
    """Says that it failed in a way that only the runner may say."""

    name = "forged_failure"

    def misbehave(self):
        for descriptor in range(3, 16):
            for number in range(30):
                event = {"type": "error", "id": number, "class": "INTERNAL", "message": "x" * 1000, "traceback": ["no"]}
                try:
                    os.write(descriptor, frame(event))
                except OSError:
                    break
        time.sleep(600)


class Garbage(Breaks):
    """Writes what is no frame into the pipe."""

    name = "garbage"

    def misbehave(self):
        for descriptor in range(3, 16):
            try:
                os.write(descriptor, b"[" * 65536)
            except OSError:
                continue
        time.sleep(600)


class LinkAsFile:
    """In the seed's style: names a file that is not its own, and says so past the check in the child."""

    name = "link_as_file"

    def __init__(self, config, base_data_path):
        pass

    @staticmethod
    def config_options():
        return {}

    def as_tfrecord(self):
        from dataset_handlers import records

        os.symlink(OUTSIDE["secret"], "train.tfrecord")
        records._count = lambda path: 1
        records.infer_features = lambda files: {}
        return ["train.tfrecord"]
