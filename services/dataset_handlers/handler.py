"""The contract of a handler: a class that turns raw datasets into examples.

Authors write ``config_options()``, ``samples()`` and ``examples()``; sharding, parallel work, resuming, splits and
randomness are the base class's business::

    class Thumbnails(DatasetHandler):
        '''Small photos.'''

        @classmethod
        def config_options(cls):
            return {"image_size": Size([64, 64], "What each photo is scaled to")}

        def samples(self):
            return photo_samples(self.raw_data_path)

        def examples(self, sample, rng):
            photo = read_image(self.raw_data_path / sample.photo)
            yield {"image": encode_jpeg(resize(photo, self.image_size)), "id": sample.id}
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Dict, Iterable, List, Mapping, Optional, Sequence, Union

from dataset_handlers.declaration import normalise_config
from dataset_handlers.errors import BadConfig, HandlerError
from dataset_handlers.handler_class import options_of
from dataset_handlers.sample import Sample
from dataset_handlers.splits import normalise_splits

if TYPE_CHECKING:
    import numpy as np

RawPaths = Union[str, "os.PathLike[str]", Mapping[str, Union[str, "os.PathLike[str]"]]]


class DatasetHandler:
    """Turns raw datasets into examples. Each option of the config becomes an attribute of the same name."""

    roles: Sequence[str] = ("photos",)
    """The raw datasets that it needs, by the role that each plays."""
    name: str = ""
    """What it is called in its repository; empty: the class's name in snake case without ``Handler``."""
    examples_per_shard: int = 256
    """About how many examples a file holds."""
    examples_per_sample: Optional[int] = 1
    """How many examples one call of ``examples()`` yields; None: it varies."""
    example_config: ClassVar[Mapping[str, Any]] = {}
    """A config worth showing in the documentation; empty: the defaults."""

    # Set by the options that the base class declares.
    splits: Dict[str, float]
    seed: int
    max_bad_fraction: float
    variations_per_sample: int

    def __init__(self, config: Mapping[str, Any], base_data_path: RawPaths) -> None:
        """``base_data_path``: the raw folder, or a folder for each role.

        Raises ``BadConfig`` naming every option that is unknown, missing or of a wrong type.
        """
        options = options_of(type(self))
        self.config: Dict[str, Any] = normalise_config(options, config)
        for option, value in self.config.items():
            if hasattr(DatasetHandler, option) or option in ("config", "base_data_path", "raw_data_paths"):
                raise HandlerError(f"option {option!r} would hide what every handler has; another name would do")
            setattr(self, option, value)
        if "splits" in options:
            self.splits = normalise_splits(self.splits)
        self.base_data_path = base_data_path
        self.raw_data_paths: Dict[str, Path] = _by_role(base_data_path, self.roles)

    @classmethod
    def config_options(cls) -> Any:
        """Declares the options: a dict of name to ``Option`` or plain default."""
        return {}

    def check(self) -> None:
        """Refuses a config by rules that need code: override it, and raise ``BadConfig`` or call ``refuse()``."""

    def planning_warnings(self) -> Iterable[str]:
        """Says, after the samples are listed, what the caller should know: an exclusion that matched nothing."""
        return []

    def samples(self) -> Iterable[Sample]:
        """Lists the samples, cheaply, and the same ones in each process; nothing is read yet."""
        raise NotImplementedError("a handler writes samples() and examples(), or as_tfrecord()")

    def examples(self, sample: Sample, rng: np.random.Generator) -> Iterable[Mapping[str, Any]]:
        """Yields the examples of one variation of one sample, each a dict of feature name to value.

        ``rng`` is the only source of randomness: it follows from the seed, the sample's id and the variation. Raise
        ``BadRawRecord`` for a source file that cannot be read.
        """
        raise NotImplementedError("a handler writes samples() and examples(), or as_tfrecord()")

    @property
    def raw_data_path(self) -> Path:
        """The raw folder of the first role."""
        return self.raw_data_paths[self.roles[0]]

    def refuse(self, option: str, description: str) -> None:
        """Raises ``BadConfig`` for ``option``; the description says what was received and what would do."""
        raise BadConfig([(f"config.{option}", description)])

    def as_tfrecord(self, output_dir: Union[str, Path, None] = None, workers: int = 1) -> List[str]:
        """Builds all shards on this machine and returns their files; shards that are there already are kept.

        ``output_dir``: absent, a folder below ``./tfrecords`` that is named for what is built.
        """
        from dataset_handlers.local_build import build_locally

        return [str(path) for path in build_locally(self, output_dir, workers)]

    def tf_records_mapper(self, files: Sequence[str]) -> Any:
        """Returns the ``tf.data.Dataset`` of feature dicts that ``files`` hold; needs TensorFlow.

        Images are decoded to uint8, raw arrays to their type and shape. Batched if a ``batch_size`` is set.
        """
        from dataset_handlers.reading import read_as_tf

        return read_as_tf(files, batch_size=getattr(self, "batch_size", None))


def _by_role(base: RawPaths, roles: Sequence[str]) -> Dict[str, Path]:
    if isinstance(base, Mapping):
        return {role: Path(path) for role, path in base.items()}
    if len(roles) == 1:
        return {roles[0]: Path(base)}
    return {role: Path(base) / role for role in roles}
