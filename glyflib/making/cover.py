"""Draw the README's picture: real glyphs, and the same under more and more noise.

Invariant: the picture is computed from the data and one seed; nothing is pasted.
"""

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import pad

from glyflib.data import Glyphs, images_from_x0, x0_from_images
from glyflib.files import replace_file
from glyflib.schedule import add_noise, linear_alpha_bar

CHARS = "锂金木水火土日月山草馬龍"
LEVELS = (0, 60, 130, 220, 350, 1000)


def noised_rows(glyphs: Glyphs, *, seed: int = 0) -> Tensor:
    """The cover's pictures, as (rows, columns, 64, 64) uint8: one row a noise level."""
    x0 = x0_from_images(glyphs.images[glyphs.find(CHARS)])
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(seed))
    alpha_bar = linear_alpha_bar()
    rows = [add_noise(x0, eps, torch.tensor(t), alpha_bar) for t in LEVELS]
    return images_from_x0(torch.stack(rows)).squeeze(2)


def build_cover(glyphs: Glyphs, out: Path, *, seed: int = 0, gap: int = 4) -> None:
    """Write the rows as one grey PNG.

    Args:
        glyphs: 64x64 ones of both splits.
        out: path of the PNG.
        seed: seed of the noise.
        gap: white pixels between two pictures.
    """
    padded = pad(noised_rows(glyphs, seed=seed), [gap] * 4, value=255)
    sheet = torch.cat([torch.cat(list(row), 1) for row in padded])
    picture = Image.fromarray(sheet.numpy())
    out.parent.mkdir(parents=True, exist_ok=True)
    replace_file(out, lambda file: picture.save(file, format="PNG", optimize=True))
