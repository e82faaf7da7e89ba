"""Makes messages of any kind from its descriptor: valid ones, wrong ones, and bytes that are none."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from . import values

Field = FieldDescriptor
_DEEPEST = 4
_KEPT = 24
# How much of a message is wrong.
_WILD = (0.0, 0.0, 0.1, 0.1, 0.5, 1.0)


class Known:
    """Valid values by the name of a field, or of a message and its field; what answers bring is kept for later."""

    def __init__(self, given: dict[str, Iterable[Any]]) -> None:
        self._given = {name: list(found) for name, found in given.items()}
        self._seen: dict[str, deque[Any]] = defaultdict(lambda: deque(maxlen=_KEPT))

    def values(self, field: FieldDescriptor) -> list[Any]:
        """Return what is known to fit a field, perhaps nothing."""
        names = (f"{field.containing_type.name}.{field.name}", field.name)
        return [value for name in names for found in (self._given, self._seen) for value in found.get(name, ())]

    def learn(self, message: Message) -> None:
        """Keep an answer's names and numbers."""
        for field, value in message.ListFields():
            if field.is_repeated:
                if field.message_type is not None and not field.message_type.GetOptions().map_entry:
                    for each in value[:3]:
                        self.learn(each)
            elif field.message_type is not None:
                self.learn(value)
            elif field.type == Field.TYPE_STRING:
                self._keep(field.name.removeprefix("next_"), value)
        if message.DESCRIPTOR.name == "Work":
            # What a claim brings is named otherwise in the calls that follow it.
            self._keep("work", message.name)  # type: ignore[attr-defined]
            self._keep("fence", message.fence)  # type: ignore[attr-defined]

    def _keep(self, name: str, value: Any) -> None:
        if value not in self._seen[name]:
            self._seen[name].append(value)


class Grammar:
    """Makes messages; the same chance makes the same ones."""

    def __init__(self, chance: random.Random, known: Known) -> None:
        self._chance = chance
        self._known = known

    def wire(self, kind: Descriptor) -> bytes:
        """Return what to send in place of a message of a kind."""
        chance = self._chance
        draw = chance.random()
        if draw < 0.05:
            return chance.randbytes(chance.choice((1, 2, 5, 20, 200, 3000)))
        encoded = self.message(kind, chance.choice(_WILD)).SerializeToString()
        if draw < 0.2:
            return self._damaged(encoded)
        if draw < 0.25:
            # Fields twice, and several of a oneof.
            return encoded + self.message(kind, 0.5).SerializeToString()
        return encoded

    def message(self, kind: Descriptor, wild: float, depth: int = 0) -> Message:
        """Return a message in which a share of the fields is wrong."""
        made = message_factory.GetMessageClass(kind)()
        if kind.full_name in ("google.protobuf.Timestamp", "google.protobuf.Duration"):
            made.seconds = 1 if self._chance.random() >= wild else values.whole(self._chance, Field.CPPTYPE_INT64)  # type: ignore[attr-defined]
            made.nanos = 0 if self._chance.random() >= wild else values.whole(self._chance, Field.CPPTYPE_INT32)  # type: ignore[attr-defined]
            return made
        chosen = {oneof.name: self._chance.choice(oneof.fields) for oneof in kind.oneofs}
        for field in kind.fields:
            oneof = field.containing_oneof
            if (oneof is not None and chosen[oneof.name] is not field) or self._chance.random() < 0.15:
                continue
            self._fill(made, field, wild, depth)
        return made

    def _fill(self, made: Message, field: FieldDescriptor, wild: float, depth: int) -> None:
        if field.is_repeated:
            count = self._chance.choice((0, 1, 1, 2, 3)) if wild < 1 else self._chance.choice((0, 1, 5, 50))
            if field.message_type is not None and field.message_type.GetOptions().map_entry:
                entry = field.message_type.fields_by_name
                for _ in range(count):
                    getattr(made, field.name)[self._scalar(entry["key"], wild)] = self._scalar(entry["value"], wild)
            elif field.message_type is not None:
                if depth < _DEEPEST:
                    getattr(made, field.name).extend(
                        self.message(field.message_type, wild, depth + 1) for _ in range(count)
                    )
            else:
                getattr(made, field.name).extend(self._scalar(field, wild) for _ in range(count))
        elif field.message_type is not None:
            if depth < _DEEPEST:
                getattr(made, field.name).CopyFrom(self.message(field.message_type, wild, depth + 1))
        else:
            setattr(made, field.name, self._scalar(field, wild))

    def _scalar(self, field: FieldDescriptor, wild: float) -> Any:
        chance = self._chance
        fitting = self._known.values(field)
        if fitting and chance.random() >= wild:
            return chance.choice(fitting)
        match field.cpp_type:
            case Field.CPPTYPE_STRING if field.type == Field.TYPE_BYTES:
                return values.data(chance)
            case Field.CPPTYPE_STRING:
                return values.text(chance, field.name)
            case Field.CPPTYPE_BOOL:
                return chance.random() < 0.5
            case Field.CPPTYPE_ENUM:
                numbers = [each.number for each in field.enum_type.values]
                return chance.choice(numbers) if chance.random() >= wild else chance.choice((-1, 99, 2**31 - 1))
            case Field.CPPTYPE_FLOAT | Field.CPPTYPE_DOUBLE:
                return values.real(chance)
            case kind:
                return values.whole(chance, kind)

    def _damaged(self, encoded: bytes) -> bytes:
        chance, data = self._chance, bytearray(encoded)
        for _ in range(chance.choice((1, 1, 2, 8))):
            at = chance.randrange(len(data) + 1)
            match chance.randrange(4):
                case 0:
                    del data[at:]
                case 1:
                    data[at:at] = chance.randbytes(chance.choice((1, 4)))
                case 2:
                    data[at:at] = data[: chance.randrange(len(data) + 1)][:1000]
                case _ if data:
                    data[at % len(data)] ^= 1 << chance.randrange(8)
        return bytes(data)
