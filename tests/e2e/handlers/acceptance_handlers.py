"""Handlers for the acceptance tests: one that takes its time, one in the seed's style, one that misbehaves."""

import os
import subprocess
import sys
import time
from pathlib import Path

from dataset_handlers import DatasetHandler, Number, photo_samples
from dataset_handlers.example import encode_example
from dataset_handlers.tfrecord import write_record

# A TFRecord file adds 16 bytes to its one record.
RECORD_OVERHEAD_BYTES = 16


class Slow(DatasetHandler):
    """Each photo as it is, with a pause before it and a line in the log."""

    examples_per_shard = 4

    @classmethod
    def config_options(cls):
        return {"delay_s": Number(0.05, "Pause before each photo", minimum=0)}

    def samples(self):
        return photo_samples(self.raw_data_path)

    def examples(self, sample, rng):
        time.sleep(self.delay_s)
        print(f"reading {sample.id}", flush=True)
        yield {"photo": (self.raw_data_path / sample.photo).read_bytes(), "id": sample.id, "draw": int(rng.integers(9))}


class Held(Slow):
    """A shard for each photo, slowly until the raw dataset has a file `.enough`, which no walk lists."""

    examples_per_shard = 1

    def examples(self, sample, rng):
        if (self.raw_data_path / ".enough").exists():
            self.delay_s = 0
        yield from super().examples(sample, rng)


class DatasetHandlerOfTheSeed:
    """The seed's shape: a constructor, options, and `as_tfrecord` that writes its files where it likes."""

    name = "seed"

    def __init__(self, config, base_data_path):
        for option, value in config.items():
            setattr(self, option, value)
        self.raw_data_path = base_data_path

    @staticmethod
    def config_options():
        return {"small_files": 3000, "large_bytes": 70 * 1024 * 1024}

    def as_tfrecord(self):
        folder = Path("tfrecords")
        folder.mkdir()
        paths = []
        for number in range(self.small_files):
            paths.append(folder / f"train_{number:04}.tfrecord")
            with open(paths[-1], "wb") as file:
                write_record(file, self._record(number, 1024 - RECORD_OVERHEAD_BYTES))
        paths.append(folder / "test_large.tfrecord")
        with open(paths[-1], "wb") as file:
            write_record(file, self._record(-1, self.large_bytes - RECORD_OVERHEAD_BYTES))
        return [str(path) for path in paths]

    @staticmethod
    def _record(number, size_bytes):
        """Return an example of exactly that size: a number, and bytes that fill it up."""
        filler_bytes = size_bytes
        while len(record := encode_example({"number": number, "filler": bytes(filler_bytes)})) > size_bytes:
            filler_bytes -= len(record) - size_bytes
        return record


class Loud(Slow):
    """Prints text and binary to both outputs, starts a program that prints, forks, and raises in both halves."""

    def examples(self, sample, rng):
        print("a line by print")
        sys.stderr.write("a line on standard error\n")
        os.write(1, b"\x00\x00\x00\x05hello \xff\xfe binary\n")
        subprocess.run(["/bin/sh", "-c", "echo a line by a program"], check=True)
        os.fork()
        raise RuntimeError("this handler gives up")
        yield {}
