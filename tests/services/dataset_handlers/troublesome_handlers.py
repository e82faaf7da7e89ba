"""Handlers that get in the way of the child that runs them; the tests copy this file beside their photos."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from contextlib import suppress

from dataset_handlers import DatasetHandler, photo_samples


class Base(DatasetHandler):
    """A handler for tests."""

    def samples(self):
        return photo_samples(self.raw_data_path)

    def examples(self, sample, rng):
        self.trouble(sample)
        yield {"id": sample.id, "draw": rng.random()}

    def trouble(self, sample):
        pass


class Quiet(Base):
    pass


class Noisy(Base):
    def trouble(self, sample):
        print("printed", sample.id)
        sys.stdout.buffer.write(bytes(range(256)) * 40)
        sys.stdout.flush()
        os.write(1, b"\0\0\0\x02{}")
        os.system("echo from a shell")
        subprocess.run([sys.executable, "-c", "print('from a process')"])
        ctypes.CDLL(None).puts(b"from C")
        assert sys.stdin.read() == ""
        assert subprocess.run(["cat"], capture_output=True).stdout == b""


class Forking(Base):
    def trouble(self, sample):
        pid = os.fork()
        if pid == 0:
            # Whatever a fork does, it is not the child: not even by an exception that nobody catches.
            for fd in range(3, 256):
                with suppress(OSError):
                    os.write(fd, b'\0\0\0\x10{"type":"done"}')
            for _ in range(3):
                os.open(os.devnull, os.O_RDONLY)
            raise RuntimeError("in the fork")
        os.waitpid(pid, 0)


class Lingering(Base):
    def trouble(self, sample):
        if os.fork() == 0:
            os.close(2)
            time.sleep(300)
            os._exit(0)


class Exiting(Base):
    def trouble(self, sample):
        sys.exit("enough")


class Raising(Base):
    def trouble(self, sample):
        raise ValueError("a mistake in the handler")


class Recursing(Base):
    def trouble(self, sample):
        self.trouble(sample)


class Slow(Base):
    def trouble(self, sample):
        time.sleep(0.1)


class Endless(Base):
    def trouble(self, sample):
        time.sleep(600)


class Imitating(Base):
    def trouble(self, sample):
        for _ in range(2000):
            print('{"type":"done","id":1,"result":{}}')


class DatasetHandler:
    """In the seed's style."""

    def __init__(self, config, base_data_path):
        for option, value in config.items():
            setattr(self, option, value)
        self.base_data_path = base_data_path

    def config_options(self):
        return {"copies": 2}

    def as_tfrecord(self):
        from dataset_handlers.tfrecord import write_record

        print("writing", self.copies)
        names = ["train.tfrecord"] + [f"test_{n}.tfrecord" for n in range(self.copies)]
        for name in names:
            with open(name, "wb") as file:
                write_record(file, b"some record")
        return names
