"""A small network that reads the Kangxi radical of a glyph, and describes the glyph.

Invariant: pictures are x0 (paper +1, ink -1); column r - 1 of the logits is radical r.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, relu

from glyflib.data import SIZES
from glyflib.files import DATA, fitting, read_model, way_out

RADICALS = DATA / "radicals"
NUM_RADICALS = 214
KEYS = ("network", "sha256")  # of config.json, which holds more
SIZE = 32  # pixels a side that the network sees
TRAIN = "make one with `glyflib data radicals`"


def shrink_x0(x0: Tensor) -> Tensor:
    """Average areas of x0 (B, 1, S, S), S = 32, 64 or 128, down to (B, 1, 32, 32).

    Raises:
        ValueError: If x0 has another shape or is not floating.
    """
    size = x0.shape[-1] if x0.ndim == 4 else None
    if size not in SIZES or x0.shape[1:] != (1, size, size):
        sizes = "32, 64 or 128"
        raise ValueError(f"x0 {tuple(x0.shape)} must be (B, 1, S, S) with S = {sizes}")
    if not x0.is_floating_point():
        raise ValueError(f"x0 is {x0.dtype}: scale images with data.x0_from_images")
    return avg_pool2d(x0, size // SIZE)


def check_radicals(radicals: Tensor, glyphs: Tensor) -> None:
    """Raise a ValueError unless radicals are (N,) numbers 1 to 214, one a glyph."""
    if radicals.shape != glyphs.shape[:1] or not len(radicals):
        shapes = f"{tuple(radicals.shape)} for {tuple(glyphs.shape)}"
        raise ValueError(f"radicals {shapes} must be (N,), one a glyph, N above 0")
    if (odd := radicals[(radicals < 1) | (radicals > NUM_RADICALS)]).numel():
        raise ValueError(f"radicals holds {odd[0]}: leave out what is not 1 to 214")


class Reading(NamedTuple):
    """What the classifier says of B glyphs.

    Attributes:
        features: (B, D) float32.
        logits: (B, 214) float32.
    """

    features: Tensor
    logits: Tensor

    @property
    def radicals(self) -> Tensor:
        """Likeliest radical (B,) int64, 1 to 214."""
        return self.logits.argmax(1) + 1


def conv_block(c_in: int, c_out: int, stride: int, kernel: int = 3) -> nn.Sequential:
    """(B, c_in, H, W) -> (B, c_out, H / stride, W / stride)."""
    conv = nn.Conv2d(c_in, c_out, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(c_out), nn.ReLU())


class GlyphNetwork(nn.Module):
    """A convolutional network from glyphs to logits, by way of features.

    Its last layers see where things are: most radicals stand left or on top.

    Args:
        widths: channels at 16x16, 8x8 and 4x4, two convolutions each.
        feature_dim: D, numbers that describe a glyph.
        num_logits: L, answers about a glyph.
    """

    def __init__(self, widths: Sequence[int], feature_dim: int, num_logits: int):
        super().__init__()
        blocks, c_in = [], 1
        for width in widths:
            kernel = 5 if c_in == 1 else 3
            blocks += [conv_block(c_in, width, 2, kernel), conv_block(width, width, 1)]
            c_in = width
        area = (SIZE // 2 ** len(widths)) ** 2
        self.convs = nn.Sequential(*blocks, nn.Flatten(), nn.Dropout(0.2))
        self.describe = nn.Sequential(
            nn.Linear(c_in * area, feature_dim, bias=False),
            nn.BatchNorm1d(feature_dim, affine=False),
        )
        self.head = nn.Linear(feature_dim, num_logits)

    def features(self, x0: Tensor) -> Tensor:
        """Numbers that describe each glyph, (B, 1, S, S) -> (B, D).

        Each has mean 0 and variance 1 in training. They are the input of the last
        non-linear step, so they take both signs and lie nearer to a Gaussian than what
        comes after it.

        Args:
            x0: (B, 1, S, S), S = 32, 64 or 128, paper +1, ink -1.

        Raises:
            ValueError: If x0 has another shape or is not floating.
        """
        ink = (1 - shrink_x0(x0)) / 2
        return self.describe(self.convs(ink))

    def forward(self, x0: Tensor) -> Tensor:
        """Logits, (B, 1, S, S) -> (B, L).

        Args:
            x0: (B, 1, S, S), S = 32, 64 or 128, paper +1, ink -1.

        Raises:
            ValueError: If x0 has another shape or is not floating.
        """
        return self.head(relu(self.features(x0)))

    @torch.no_grad()
    def features_and_logits(
        self, x0: Tensor, *, batch_size: int = 256
    ) -> tuple[Tensor, Tensor]:
        """Both of any number of glyphs, in batches, without gradients.

        Args:
            x0: (B, 1, S, S), S = 32, 64 or 128, paper +1, ink -1.
            batch_size: glyphs read at once; changes memory and speed only.

        Raises:
            ValueError: If x0 has another shape or is not floating.
        """
        features = torch.cat([self.features(x) for x in x0.split(batch_size)])
        return features, self.head(relu(features))


Network = TypeVar("Network", bound=GlyphNetwork)


def load_network(
    build: Callable[[dict], Network],
    path: Path,
    keys: Sequence[str],
    what: str,
    ways_out: str,
) -> Network:
    """Load a trained network, in evaluation mode and without gradients.

    Args:
        build: makes it from what config.json says.
        path: folder with config.json and model.safetensors.
        keys: that config.json has to hold.
        what: what errors call the network.
        ways_out: how to get a whole one; errors end in it.

    Raises:
        FileNotFoundError: If one of the files is not there.
        ValueError: If they are damaged or do not fit each other.
    """
    config, weights = read_model(path, keys, what, ways_out, is_open=True)
    with fitting(path, ways_out):
        model = build(config)
        model.load_state_dict(weights)
    return model.eval().requires_grad_(False)


class RadicalClassifier(GlyphNetwork):
    """A convolutional network from glyphs to logits over the 214 Kangxi radicals.

    Args:
        widths: channels at 16x16, 8x8 and 4x4, two convolutions each.
        feature_dim: D, numbers that describe a glyph.
    """

    def __init__(self, widths: Sequence[int], feature_dim: int):
        super().__init__(widths, feature_dim, NUM_RADICALS)

    def read(self, x0: Tensor, *, batch_size: int = 256) -> Reading:
        """Features and logits of any number of glyphs, in batches, without gradients.

        Args:
            x0: (B, 1, S, S), S = 32, 64 or 128, paper +1, ink -1.
            batch_size: glyphs read at once; changes memory and speed only.

        Raises:
            ValueError: If x0 has another shape or is not floating.
        """
        return Reading(*self.features_and_logits(x0, batch_size=batch_size))

    @classmethod
    def load(cls, path: Path | str = RADICALS) -> Self:
        """Load a trained classifier, in evaluation mode and without gradients.

        Args:
            path: folder with config.json and model.safetensors.

        Raises:
            FileNotFoundError: If one of them is not there.
            ValueError: If they are damaged or do not fit each other.
        """
        path, what = Path(path), "radical classifier"
        ways_out = way_out(path, RADICALS, TRAIN)
        return load_network(
            lambda config: cls(**config["network"]), path, KEYS, what, ways_out
        )
