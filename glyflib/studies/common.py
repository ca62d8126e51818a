"""What all studies examine: a glyffuser, and glyphs that it has and has not seen.

Invariant: a study loads no glyphs and no glyffuser of its own accord.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter, process_time

import torch
from torch import Tensor

from glyflib.data import Glyphs, evenly, x0_from_images
from glyflib.evaluation.radicals import RadicalClassifier
from glyflib.glyffuser import Glyffuser

Part = Callable[[], Mapping[str, object]]  # numbers for JSON, and tensors


def clock() -> float:
    """Seconds of the processor with one thread, of the wall with more.

    What other programs take of the processor then does not count; what they take of
    its caches and its memory still does.
    """
    return process_time() if torch.get_num_threads() == 1 else perf_counter()


@dataclass(frozen=True, eq=False)  # told apart by identity, so a key of caches
class Subject:
    """What a study examines.

    Attributes:
        glyffuser: the model.
        train: glyphs of the training split, at the glyffuser's size.
        held_out: glyphs of the test split, at the same size.
    """

    glyffuser: Glyffuser
    train: Glyphs
    held_out: Glyphs

    def captions(self, num: int) -> tuple[str, ...]:
        """Captions of so many held-out glyphs, evenly spaced among all."""
        return self.held_out.take(evenly(num, len(self.held_out))).captions

    @cached_property
    def real_features(self) -> Tensor:
        """What the radical classifier sees in the held-out glyphs, (N, 96)."""
        x0 = x0_from_images(self.held_out.images)
        return RadicalClassifier.load().read(x0).features
