"""What several studies share: the shipped glyffuser and the held-out glyphs.

Invariant: each is read once.
"""

from collections.abc import Callable, Mapping
from functools import cache

from torch import Tensor

from glyflib.data import Glyphs, evenly, load_glyphs, x0_from_images
from glyflib.evaluation.radicals import RadicalClassifier
from glyflib.glyffuser import Glyffuser

SIZE = 32
Part = Callable[[], Mapping[str, object]]  # numbers for JSON, and tensors


@cache
def shipped() -> Glyffuser:
    """The shipped glyffuser, read once."""
    return Glyffuser.load()


@cache
def held_out() -> Glyphs:
    """Held-out glyphs at the network's size."""
    return load_glyphs("test", SIZE)


def captions_asked(num: int) -> tuple[str, ...]:
    """Captions of so many held-out glyphs, evenly spaced among all."""
    return held_out().take(evenly(num, len(held_out()))).captions


@cache
def real_features() -> Tensor:
    """What the radical classifier says of all held-out glyphs."""
    return RadicalClassifier.load().read(x0_from_images(held_out().images)).features
