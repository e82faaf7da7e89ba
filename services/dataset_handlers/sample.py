"""A sample is one source item that a handler makes examples from: usually one photo."""

from __future__ import annotations

from typing import Any, NamedTuple


# A NamedTuple and not a dataclass: a listing holds a million of them.
class Sample(NamedTuple):
    """What ``samples()`` lists: cheap to make, nothing is read yet."""

    id: str
    """Unique in the dataset; its randomness and its place follow from it."""
    source: str = ""
    """The source photo, relative to its raw folder; empty: the id. All samples of one photo share a split."""
    split: str = ""
    """Set it where the raw data prescribes a split; empty: drawn from a hash of ``group`` or ``source``."""
    group: str = ""
    """What must not be torn apart, such as a scene or a person; decides the split in place of the source."""
    data: Any = None
    """Whatever ``examples()`` needs for it."""

    @property
    def photo(self) -> str:
        """The source photo's name."""
        return self.source or self.id

    @property
    def split_key(self) -> str:
        """What decides its split."""
        return self.group or self.photo
