"""Checks what a child answers as the data of a stranger: foreign code can say anything over the child's pipe."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from handler_runner.executor import CommandFailed

_DESCRIPTION_BYTES = 4 * 1024 * 1024
_MANY = 100_000
_TEXT_CHARACTERS = 16_384

Count = Annotated[int, Field(ge=0, lt=1 << 53)]
Split = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]


def _text(value: object) -> object:
    # Not pydantic's own kind of text: a file name that is no Unicode comes with surrogates.
    if not isinstance(value, str) or len(value) > _TEXT_CHARACTERS:
        raise ValueError(f"a text of at most {_TEXT_CHARACTERS} characters would do")
    return value


Text = Annotated[Any, AfterValidator(_text)]
Sides = Annotated[list[Count | None], Field(max_length=64)]


class _Answer(BaseModel):
    """What else an answer holds is nobody's concern here."""

    model_config = ConfigDict(strict=True, extra="allow", hide_input_in_errors=True)


class _Feature(_Answer):
    dtype: Text
    shape: Sides
    encoding: Text = ""
    image_shape: Sides = []
    raw_shape: Sides = []
    raw_dtype: Text = ""


Features = Annotated[dict[Text, _Feature], Field(max_length=10_000)]


class _Shard(_Answer):
    split: Split
    index: Annotated[int, Field(ge=0, le=99_999)]
    start: Count
    stop: Count


class _Plan(_Answer):
    kind: Literal["shards", "records"]
    shards: Annotated[list[_Shard], Field(max_length=_MANY)]
    max_bad: Count
    example_count: Count = 0
    warnings: Annotated[list[Text], Field(max_length=10_000)] = []

    @model_validator(mode="after")
    def _name_each_once(self) -> _Plan:
        if len({(shard.split, shard.index) for shard in self.shards}) < len(self.shards):
            raise ValueError("a shard is planned twice")
        return self


class _Skipped(_Answer):
    path: Text
    reason: Text


class _BuiltShard(_Answer):
    examples: Count = 0
    features: Features = {}
    skipped: Annotated[list[_Skipped], Field(max_length=_MANY)] = []


class _File(_Answer):
    path: Text
    split: Split


class _Records(_Answer):
    files: Annotated[list[_File], Field(max_length=_MANY)] = []
    features: Features = {}


_ANSWERS: Mapping[str, type[_Answer]] = {"plan": _Plan, "shard": _BuiltShard, "records": _Records}


def check_result(kind: str, result: Mapping[str, Any]) -> None:
    """Return if the result of a command of that type is what such a command answers. Raises `CommandFailed`."""
    try:
        if kind in _ANSWERS:
            _ANSWERS[kind].model_validate(result)
        elif kind == "describe" and len(json.dumps(result)) > _DESCRIPTION_BYTES:
            raise ValueError(f"it is longer than {_DESCRIPTION_BYTES} bytes")
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise _no_answer(kind, f"{where}: {first['msg']}" if where else first["msg"]) from None
    except (ValueError, RecursionError) as error:
        raise _no_answer(kind, str(error)) from None


def _no_answer(kind: str, why: str) -> CommandFailed:
    return CommandFailed(
        {"class": "HANDLER_ERROR", "message": f"the handler's process gave no answer to {kind}: {why}"}
    )
