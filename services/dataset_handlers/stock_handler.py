"""What the stock handlers share: the options of their photos, what is left out, and what stays together."""

from __future__ import annotations

from typing import Any, Dict, Iterable, Iterator, List, Optional

from dataset_handlers.errors import BadConfig, Violation
from dataset_handlers.handler import DatasetHandler
from dataset_handlers.options import Choice, Option
from dataset_handlers.photo_options import crop_violations, photo_options
from dataset_handlers.photo_pipeline import PhotoPipeline
from dataset_handlers.sample import Sample
from dataset_handlers.selection import Selection, selection_options, selection_violations

DRAWN = "hash"


class StockHandler(DatasetHandler):
    """A handler whose options are `photo_options` and `selection_options`, beside its own."""

    _photo_pipeline: Optional[PhotoPipeline] = None
    _said: List[str]

    def check(self) -> None:
        """Refuses a crop that is larger than the image, and a pattern that is none."""
        violations = self.violations()
        if violations:
            raise BadConfig(violations)

    def violations(self) -> List[Violation]:
        """Returns all that is wrong with the config; a handler adds its own."""
        return [
            *crop_violations(self.config["image_size"], self.config["crop_size"]),
            *selection_violations(self.config),
        ]

    def planning_warnings(self) -> List[str]:
        """Returns what the last listing left to be said."""
        return list(getattr(self, "_said", []))

    def chosen(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        """Yields the samples that the options leave, each with its group."""
        selection = Selection(self.config, self.raw_data_path)
        yield from selection.chosen(samples)
        self._said = selection.warnings

    def prescribed(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        """Yields samples in the splits that the raw data prescribes, without those of a split that is not asked for."""
        left_out: Dict[str, int] = {}
        for sample in samples:
            if sample.split and sample.split not in self.splits:
                left_out[sample.split] = left_out.get(sample.split, 0) + 1
            else:
                yield sample
        wanted = ", ".join(sorted(self.splits))
        self._said = [
            *self.planning_warnings(),
            *(
                f"the split {split!r} of the raw data, {count} photos, is left out: splits names {wanted}"
                for split, count in sorted(left_out.items())
            ),
        ]

    @property
    def pipeline(self) -> PhotoPipeline:
        """What varies its photos."""
        if self._photo_pipeline is None:
            self._photo_pipeline = PhotoPipeline(self)
        return self._photo_pipeline


def stock_options() -> Dict[str, Option]:
    """Returns the options of every stock handler."""
    return {**photo_options(), **selection_options()}


def split_from_option(prescribing: str, description: str) -> Dict[str, Option]:
    """Returns the option by which a handler's user chooses between the raw data's own splits and drawn ones."""
    return {"split_from": Choice([prescribing, DRAWN], prescribing, f"{description}; hash: drawn by splits")}


def split_from_violations(config: Any) -> List[Violation]:
    """Refuses a group where the raw data prescribes the split: it would have no say."""
    if config["group_by"] is None or config["split_from"] == DRAWN:
        return []
    return [
        Violation("config.group_by", f"has no say while split_from is {config['split_from']}; split_from hash would do")
    ]
