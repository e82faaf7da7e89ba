"""The models by name: the painters without a network that are always there, and the files that users added."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import structlog

from inpainting.added_models import AddedModel, AddedModels
from inpainting.batcher import Batcher
from inpainting.model_loading import try_painter
from inpainting.strategies import STRATEGIES
from inpainting_models import painters
from inpainting_models.painting import Cancel, Cancelled, Mask, Painter, Photo, Progress
from service_kit.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound

log = structlog.get_logger()

# The first of these that there is.
USUAL_DEFAULTS = ("auto", "patchmatch", "ns-grain", "ns")
# What a seed changes nothing in.
WITHOUT_CHANCE = frozenset({"mean", "telea", "ns"})


@dataclass(frozen=True)
class Model:
    """A model as its users see it."""

    name: str
    description: str
    training_size: tuple[int, int] | None
    default: bool
    seeded: bool
    """Whether another seed gives other pixels."""
    added: bool
    """Whether somebody added it; only those can be removed."""
    ready: bool
    """Whether it is loaded."""

    @property
    def strategies(self) -> tuple[str, ...]:
        """What can drive it."""
        return ("auto", *STRATEGIES)


class ModelCatalog:
    """Names, loads and keeps models; any thread may call. Networks are shared through a `Batcher` each."""

    def __init__(self, added: AddedModels, batch_images: int) -> None:
        self._added = added
        self._batch_images = batch_images
        self._lock = threading.Lock()
        self._loading: dict[str, threading.Lock] = {}
        self._loaded: dict[str, tuple[Painter, Batcher]] = {}

    def models(self) -> list[Model]:
        """Return all, by name."""
        default = self.default
        built_in = [self._built_in(name, default) for name in painters.NAMES]
        added = [self._added_model(each, default) for each in self._added.all()]
        return sorted([*built_in, *added], key=lambda model: model.name)

    def model(self, name: str) -> Model:
        """Return one; an empty name means the default. Raises `NotFound`."""
        name = name or self.default
        for model in self.models():
            if model.name == name:
                return model
        raise NotFound(f"no model {name[:200]!r}; there are {', '.join(model.name for model in self.models())}")

    @property
    def default(self) -> str:
        """The model that is used when none is named."""
        chosen = self._added.default
        if chosen in painters.NAMES or chosen in {each.name for each in self._added.all()}:
            return chosen
        return next(name for name in USUAL_DEFAULTS if name in painters.NAMES)

    def painter(self, name: str, seed: int, progress: Progress, cancel: Cancel) -> Painter:
        """Return the model as a painter for one photo. Raises `NotFound`, `FailedPrecondition` for a broken file."""
        if name in painters.NAMES:
            return painters.painter(name, seed=seed, progress=progress, cancel=cancel)
        painter, batcher = self._load(name)

        def paint(images: Photo, masks: Mask) -> Photo:
            try:
                return batcher.paint(images, masks, cancel)
            except Cancelled:
                raise
            except Exception as error:  # the libraries raise whatever they stumble over
                log.warning("model_failed", model=name, exc_info=error)
                one_line = " ".join(str(error).split())[:500]
                raise FailedPrecondition(f"the model {name} failed on {images.shape[1:3]}: {one_line}") from error

        return Painter(painter.name, paint, painter.training_size, painter.multiple, painter.description)

    def add(self, name: str, file: Path, file_name: str, io: str) -> Model:
        """Load the file once to see that it works, then keep it.

        ``io`` is the name of a known description of inputs and outputs, or one as YAML. Raises `AlreadyExists`,
        `InvalidArgument`.
        """
        if name in painters.NAMES or name == "auto":
            raise AlreadyExists(f"{name} is a model of Darkroom's own; choose another name")
        if any(each.name == name for each in self._added.all()):
            raise AlreadyExists(f"there is a model {name!r} already; `darkroom models rm {name}` removes it")
        painter = self._added.add(name, file, file_name, io)
        with self._lock:
            self._loaded[name] = painter, Batcher(painter.paint, self._batch_images)
        return self.model(name)

    def remove(self, name: str) -> None:
        """Forget an added model. Raises `NotFound`, `FailedPrecondition` for one of Darkroom's own."""
        if not self.model(name).added:
            raise FailedPrecondition(f"{name} is a model of Darkroom's own and stays")
        self._added.remove(name)
        with self._lock:
            self._loaded.pop(name, None)

    def set_default(self, name: str) -> Model:
        """Make it the one that is used when none is named. Raises `NotFound`."""
        if not name:
            raise InvalidArgument.of([("name", "must not be empty")])
        self.model(name)
        self._added.set_default(name)
        return self.model(name)

    def warm_up(self) -> None:
        """Run the default model and what is compiled when it is first used, so that no caller waits for that.

        Raises `FailedPrecondition` when the default's file does not load any more.
        """
        for name in {self.default, *painters.NAMES}:
            try_painter(self.painter(name, 0, lambda stage, done, total: None, lambda: False))

    def batch_sizes(self) -> dict[int, int]:
        """Return how many runs of networks had so many images, over all networks."""
        total: dict[int, int] = {}
        with self._lock:
            batchers = [batcher for _, batcher in self._loaded.values()]
        for batcher in batchers:
            for size, count in list(batcher.batch_sizes.items()):
                total[size] = total.get(size, 0) + count
        return total

    def _load(self, name: str) -> tuple[Painter, Batcher]:
        with self._lock:
            loading = self._loading.setdefault(name, threading.Lock())
        # One thread loads, the others wait for it; other models are not held up.
        with loading:
            with self._lock:
                found = self._loaded.get(name)
            if found is None:
                painter = self._added.load(name)
                found = painter, Batcher(painter.paint, self._batch_images)
                with self._lock:
                    self._loaded[name] = found
                log.info("model_loaded", model=name)
            return found

    def _built_in(self, name: str, default: str) -> Model:
        painter = painters.painter(name)
        return Model(
            name=name,
            description=painter.description,
            training_size=painter.training_size,
            default=name == default,
            seeded=name not in WITHOUT_CHANCE,
            added=False,
            ready=True,
        )

    def _added_model(self, each: AddedModel, default: str) -> Model:
        with self._lock:
            ready = each.name in self._loaded
        return Model(
            name=each.name,
            description=each.description,
            training_size=each.training_size,
            default=each.name == default,
            seeded=False,
            added=True,
            ready=ready,
        )
