"""Handlers for the tests: well-behaved ones, and each way of behaving badly."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from dataset_handlers import BadRawRecord, DatasetHandler, Integer, Number, Sample, String
from dataset_handlers.tfrecord import write_record


class Copy(DatasetHandler):
    """Each file's bytes and a random number; a file that begins with `bad` cannot be read."""

    examples_per_shard = 4

    @classmethod
    def config_options(cls):
        return {
            "delay_s": Number(0.0, "Pause before each example"),
            "marker": String("", "A file that the first example makes; while it is missing the handler misbehaves"),
        }

    def samples(self):
        return [Sample(path.name) for path in sorted(self.raw_data_path.glob("*.jpg"))]

    def examples(self, sample, rng):
        time.sleep(self.delay_s)
        if self.marker and not Path(self.marker).exists():
            Path(self.marker).touch()
            self.misbehave()
        path = self.raw_data_path / sample.id
        data = path.read_bytes()
        if data.startswith(b"bad"):
            raise BadRawRecord(path, "not a photo")
        yield {"data": data, "name": sample.id, "number": int(rng.integers(1 << 40))}

    def misbehave(self):
        """Do nothing bad."""


class Noisy(Copy):
    """Prints text and binary to both outputs, starts programs that print, forks, and raises in both halves."""

    def misbehave(self):
        print("a line by print")
        sys.stderr.write("a line on stderr\n")
        os.write(1, b"\x00\x00\x00\x05hello \xff\xfe binary\n")
        subprocess.run(["/bin/sh", "-c", "echo a line by a program"], check=True)
        os.fork()
        raise RuntimeError("the handler gives up")


class Crash(Copy):
    """Dies by a segmentation fault."""

    def misbehave(self):
        print("about to fall", flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)


class Crashes(Crash):
    """Dies each time."""

    def examples(self, sample, rng):
        self.misbehave()
        yield {}


class Stuck(Copy):
    """Sleeps for ever, with a forked child."""

    def misbehave(self):
        if os.fork() == 0:
            time.sleep(1000)
        Path(self.marker).write_text(str(os.getpid()))
        time.sleep(1000)


class Files:
    """In the seed's style: many small files and some large ones, a constructor, options, `as_tfrecord`."""

    def __init__(self, config, base_data_path):
        self.__dict__.update(config)
        self.base_data_path = base_data_path

    @staticmethod
    def config_options():
        return {"file_count": 5, "large_bytes": 0, "run_log": "", "delay_s": 0.0, "raises": False}

    def as_tfrecord(self):
        if self.run_log:
            with open(self.run_log, "a") as log:
                log.write("run\n")
        time.sleep(self.delay_s)
        if self.raises:
            raise ValueError("no files today")
        paths = []
        for number in range(self.file_count):
            path = Path(f"part-{number}.tfrecord" if number % 5 else f"test-{number}.tfrecord")
            with path.open("wb") as file:
                # A tf.train.Example with one int64 feature `n` that holds the number modulo 128.
                write_record(file, bytes.fromhex("0a0c0a0a0a016e12051a030a01") + bytes([number % 128]))
            paths.append(str(path))
        if self.large_bytes:
            with open("large.tfrecord", "wb") as file:
                write_record(file, bytes(self.large_bytes))
            paths.append("large.tfrecord")
        return paths


class Slow(Files):
    """Its number of seconds passes without a sign but processor time."""

    @staticmethod
    def config_options():
        return {"busy_s": 1.0}

    def as_tfrecord(self):
        end = time.process_time() + self.busy_s
        while time.process_time() < end:
            pass
        with open("train.tfrecord", "wb") as file:
            write_record(file, b"a record")
        return ["train.tfrecord"]


class Sized(Copy):
    """Writes so many bytes for each sample."""

    @classmethod
    def config_options(cls):
        return {"example_bytes": Integer(1000, "Bytes of each example")}

    def examples(self, sample, rng):
        yield {"data": rng.bytes(self.example_bytes)}
