"""Text that would do harm in a shell, in git, in SQL or in a path, as every name that a caller can give."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from darkroom.dataset.v1 import dataset_pb2 as pb

from .conftest import REF_MAX_AGE_S, House
from .lab import Lab, define

_GIT = [
    "--upload-pack=touch {}", "--exec=touch {}", "-u touch {}", "--config=core.sshCommand=touch {}", "-c", "--",
    "--all", "--output=/etc/passwd", "ext::sh -c touch% {}", "fd::17", "file:///etc", "git@evil.org:x",
    "https://evil.org/x", "ssh://-oProxyCommand=touch {}/x", "-oProxyCommand=touch {}", "main:evil", "+refs/*:refs/*",
    "HEAD@{{1}}", "main^",
    "main~1", "main^{{}}", "v1^{{commit}}", "@{{u}}", "main..evil/", "^main...evil", ":/fix", "*", "refs/*", "v[1]",
    "v?", "v1 --upload-pack=x", "^main", "a\\b",
]  # fmt: skip
_SHELL = [
    "$(touch {})", "`touch {}`", ";touch {}", "|touch {}", "&& touch {}", "& touch {} &", "> {}", "< /etc/passwd",
    "a;touch {}", "a|touch {}", "a&touch {}", "a>{}", "$HOME", "${{IFS}}touch${{IFS}}{}", "a\ntouch {}", "a\rtouch {}",
    "'; touch {}; '", '"; touch {}; "', "~root", "!!", "a{{b,c}}", "$((1))", "a'b", 'a"b', "#a", "%PATH%",
]  # fmt: skip
_PATHS = [
    "../../etc/passwd", "..", ".", "./a", "/etc/passwd", "a/../b", "a/..", "a//b", "/", "\\\\host\\share", "C:\\x",
    "..\\..\\x", "%2e%2e%2f", "..%2f..", "a\0b", "\0", "a/./../b", ".git/config", "./.git", "/proc/self/environ",
    "....//....//", "/dev/null", "a/", "datasets/../x", "requests/../x",
]  # fmt: skip
_DATA = [
    "' OR 1=1 --", "'; DROP TABLE datasets; --", "1 UNION SELECT *", "%' OR '%'='", "{{}}", '{{"a": 1}}', "<script>",
    "<?xml?>", "{{{{7*7}}}}", "${{jndi:ldap://x}}", "%n%s%x", "%d", "*)(uid=*", "a,b", "a=b", "a:b", "a@b", "a b",
    " a", "a ", "\ta", "a\t", " ", "\n", "\r\n", "a\x1b[31m", "a\x7f", "\u202ea", "a\u200b", "ü", "日本", "🙂", "Ａ",
    "ﬁ", "İ", "a" * 300, "../" * 60,
]  # fmt: skip
_ENDINGS = ["\n", ";", "\0x", "'", "$(x)"]
MARK = "MARK"
_ALL = list(dict.fromkeys(text.format(MARK) for text in (*_GIT, *_SHELL, *_PATHS, *_DATA)))
# What is harmless by itself, and what is not, with an ending that no name has.
CORPUS = list(dict.fromkeys([*_ALL, *(text + end for text in ("v1", "abcdef0", *_ALL[::9]) for end in _ENDINGS)]))


def asked(stub: Any) -> dict[str, Callable[[str], Any]]:
    """Return every place of a name: a call with the text in it."""
    request = pb.RequestDatasetRequest
    key_calls = {
        name: lambda text, name=name: getattr(stub, name)(getattr(pb, f"{name}Request")(name=f"datasets/{text}"))
        for name in (
            "GetDataset", "WatchDataset", "PinDataset", "UnpinDataset", "DeleteDataset", "VerifyDataset",
            "GetDownloadPlan", "ReadLog",
        )
    }  # fmt: skip
    request_calls = {
        name: lambda text, name=name: getattr(stub, name)(getattr(pb, f"{name}Request")(name=f"requests/{text}"))
        for name in ("GetRequest", "WatchRequest", "CancelRequest")
    }
    return {
        **key_calls,
        **request_calls,
        "key alone": lambda text: stub.GetDataset(pb.GetDatasetRequest(name=text)),
        "version": lambda text: stub.RequestDataset(request(dataset_name="edges", handler_version=text)),
        "dataset": lambda text: stub.RequestDataset(request(dataset_name=text, handler_version="v1")),
        "request id": lambda text: stub.RequestDataset(
            request(dataset_name="edges", handler_version="v1", request_id=text)
        ),
        "resolved version": lambda text: stub.ResolveDataset(
            pb.ResolveDatasetRequest(dataset_name="edges", handler_version=text)
        ),
        "previewed version": lambda text: stub.PreviewDataset(
            pb.PreviewDatasetRequest(dataset_name="edges", handler_version=text)
        ),
        "defined name": lambda text: stub.DefineDataset(
            pb.DefineDatasetRequest(dataset_name=text, handler="lab/inpainting", raw={"photos": "street"})
        ),
        "defined repository": lambda text: stub.DefineDataset(
            pb.DefineDatasetRequest(dataset_name="other", handler=f"{text}/inpainting", raw={"photos": "street"})
        ),
        "defined handler": lambda text: stub.DefineDataset(
            pb.DefineDatasetRequest(dataset_name="other", handler=f"lab/{text}", raw={"photos": "street"})
        ),
        "defined raw dataset": lambda text: stub.DefineDataset(
            pb.DefineDatasetRequest(dataset_name="other", handler="lab/inpainting", raw={"photos": text})
        ),
        "definition": lambda text: stub.GetDefinition(pb.GetDefinitionRequest(dataset_name=text)),
        "handler": lambda text: stub.GetHandler(pb.GetHandlerRequest(name=text)),
        "handler's version": lambda text: stub.GetHandler(pb.GetHandlerRequest(name="lab/inpainting", version=text)),
        "relocked repository": lambda text: stub.RelockRepository(pb.RelockRepositoryRequest(repository=text)),
        "relocked version": lambda text: stub.RelockRepository(
            pb.RelockRepositoryRequest(repository="lab", version=text)
        ),
        "raw dataset": lambda text: stub.ScanRawDataset(pb.ScanRawDatasetRequest(name=text)),
    }


async def status(call: Any) -> str:
    try:
        if hasattr(call, "__aiter__"):
            async for _ in call:
                return "answered"
        else:
            await call
    except grpc.aio.AioRpcError as error:
        return str(error.code().name)
    return "answered"


def test_there_are_200_of_them() -> None:
    assert len(set(CORPUS)) >= 200


async def test_each_is_an_invalid_argument_in_every_place_before_git_is_started(
    house: House, stub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Lab(house.lab).commit("v1")
    await define(house)
    # From now on every start of git leaves a mark.
    folder, calls = tmp_path / "bin", tmp_path / "calls"
    folder.mkdir()
    (folder / "git").write_text(f'#!/bin/sh\necho "$*" >> {calls}\nexec {shutil.which("git")} "$@"\n')
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)

    got: dict[str, dict[str, str]] = {}
    for place, call in asked(stub).items():
        codes = await asyncio.gather(*(status(call(text)) for text in CORPUS))
        got[place] = dict(zip(CORPUS, codes, strict=True))

    wrong = [
        (place, text, code)
        for place, codes in got.items()
        for text, code in codes.items()
        if code != "INVALID_ARGUMENT"
    ]
    assert wrong == []
    assert not calls.exists()
    assert not (tmp_path / MARK).exists()
    # The mark is there once git is truly asked.
    await asyncio.sleep(REF_MAX_AGE_S)
    assert await status(stub.GetHandler(pb.GetHandlerRequest(name="lab/inpainting", version="v2"))) == "NOT_FOUND"
    assert calls.exists()
