"""A small network that reads which parts a glyph contains, and where they stand.

Invariant: pictures are x0 (paper +1, ink -1); probabilities and names of parts share
one order. The radical classifier names one radical; here each part is a question of
its own, so a glyph may hold two of them, or one of them twice.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple, Self

import torch
from torch import Tensor

from glyflib.data import x0_from_images
from glyflib.evaluation.radicals import GlyphNetwork, load_network
from glyflib.files import DATA, way_out

PARTS = DATA / "parts"
KEYS = ("network", "parts", "sha256")  # of config.json, which holds more
TRAIN = "make one with `glyflib data parts`"
#: Where a part may stand, in one half of the glyph, around the rest or inside it, or
#: alone.
PLACES = ("left", "right", "top", "bottom", "around", "inside", "whole")


class Part(NamedTuple):
    """A shape that glyphs are made of: a Kangxi radical, or two that look alike.

    Attributes:
        name: English name of the radical, such as "heart"; of two, the first.
        char: the radical alone. The part may look otherwise in a glyph: 忄 is "heart".
        radicals: Kangxi numbers.
    """

    name: str
    char: str
    radicals: tuple[int, ...]


class PartReading(NamedTuple):
    """What the reader says of B glyphs.

    Attributes:
        parts: the P parts.
        features: (B, D) float32, numbers that describe each glyph.
        probabilities: (B, P) float32, that the glyph contains the part.
        places: (B, P, 7) float32, that it contains the part in each of `PLACES`. Two
            places can be likely at once: a part that comes twice.
    """

    parts: tuple[Part, ...]
    features: Tensor
    probabilities: Tensor
    places: Tensor

    def of(self, part: str) -> Tensor:
        """Probability (B,) that each glyph contains a part.

        Args:
            part: its name or its character.

        Raises:
            KeyError: If no part is called so.
        """
        return self.probabilities[:, find_part(self.parts, part)]

    def at(self, part: str, place: str) -> Tensor:
        """Probability (B,) that a part stands in a place.

        Args:
            part: its name or its character.
            place: one of `PLACES`.

        Raises:
            KeyError: If no part or place is called so.
        """
        if place not in PLACES:
            raise KeyError(f"no place {place!r}: choose from {', '.join(PLACES)}")
        return self.places[:, find_part(self.parts, part), PLACES.index(place)]

    def twice(self, part: str) -> Tensor:
        """Probability (B,) that a part stands in both halves, beside or above itself.

        The larger of the two: each is at most the smaller probability of its two
        halves, which is what is taken.

        Args:
            part: its name or its character.

        Raises:
            KeyError: If no part is called so.
        """
        beside = torch.minimum(self.at(part, "left"), self.at(part, "right"))
        stacked = torch.minimum(self.at(part, "top"), self.at(part, "bottom"))
        return torch.maximum(beside, stacked)

    def named(self, threshold: float = 0.5) -> list[list[str]]:
        """Names of the parts of each glyph that are likelier than the threshold."""
        return [
            [part.name for part, is_in in zip(self.parts, row, strict=True) if is_in]
            for row in (self.probabilities > threshold).tolist()
        ]


def find_part(parts: Sequence[Part], part: str) -> int:
    """Place of a part among others, by its name or its character.

    Raises:
        KeyError: If there is none.
    """
    for i, found in enumerate(parts):
        if part in (found.name, found.char):
            return i
    names = ", ".join(found.name for found in parts)
    raise KeyError(f"the reader knows no part {part!r}; it knows {names}")


class PartReader(GlyphNetwork):
    """A convolutional network from glyphs to the parts that they contain.

    Its first P logits tell whether a part is there, the others where, if it is there.

    Args:
        widths: channels at 16x16, 8x8 and 4x4, two convolutions each.
        feature_dim: D, numbers that describe a glyph.
        parts: the P parts that it reads.
    """

    def __init__(self, widths: Sequence[int], feature_dim: int, parts: Sequence[Part]):
        super().__init__(widths, feature_dim, len(parts) * (1 + len(PLACES)))
        self.parts = tuple(parts)

    def split(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, L) of parts (B, P), and of places if they are there (B, P, 7)."""
        num = len(self.parts)
        return logits[:, :num], logits[:, num:].unflatten(1, (num, len(PLACES)))

    def read(self, x0: Tensor, *, batch_size: int = 256) -> PartReading:
        """Parts and places of any number of glyphs, in batches, without gradients.

        Args:
            x0: (B, 1, S, S), S = 32, 64 or 128, paper +1, ink -1.
            batch_size: glyphs read at once; changes memory and speed only.

        Raises:
            ValueError: If x0 has another shape or is not floating.
        """
        features, logits = self.features_and_logits(x0, batch_size=batch_size)
        is_there, where = (found.sigmoid() for found in self.split(logits))
        places = is_there.unsqueeze(2) * where
        return PartReading(self.parts, features, is_there, places)

    @classmethod
    def load(cls, path: Path | str = PARTS) -> Self:
        """Load a trained reader, in evaluation mode and without gradients.

        Args:
            path: folder with config.json and model.safetensors.

        Raises:
            FileNotFoundError: If one of them is not there.
            ValueError: If they are damaged or do not fit each other.
        """
        path, what = Path(path), "reader of parts"
        ways_out = way_out(path, PARTS, TRAIN)

        def build(config: dict) -> Self:
            parts = [
                Part(part["name"], part["char"], tuple(part["radicals"]))
                for part in config["parts"]
            ]
            return cls(**config["network"], parts=parts)

        return load_network(build, path, KEYS, what, ways_out)


@cache
def shipped_reader() -> PartReader:
    """The book's own reader, loaded once."""
    return PartReader.load()


def read_parts(pictures: Tensor) -> PartReading:
    """Read pictures with the book's own reader: which parts they contain, and where.

    Args:
        pictures: (B, 1, S, S), S = 32, 64 or 128; uint8 images (paper 255, ink 0) or
            floating x0 (paper +1, ink -1).

    Raises:
        FileNotFoundError: If the reader is not in data/.
        ValueError: If it is damaged, or the pictures have another shape or type.
    """
    return shipped_reader().read(x0_from_images(pictures, dtype=torch.float32))
