"""A noise schedule by a choice and a slider, and one glyph along it.

Invariant: the schedule and each picture are computed in the page, by the formulas of
`glyflib.schedule`; the noise is what `torch.randn` draws from the seed, in 64 bits.
"""

import base64
import io

import torch
from IPython.display import HTML
from PIL import Image
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from glyflib.interactive.frames import png_from_pixels
from glyflib.interactive.hover_map import encode
from glyflib.interactive.plane import check_level, computed_figure
from glyflib.schedule import cosine_alpha_bar

SCHEDULES = ("linear", "cosine", "sigmoid")
SIDE = 48  # pixels of the glyph: enough to read it, few enough to noise it at once
NUM_LEVELS = 1000


def schedule_chooser(
    picture: Tensor, *, schedule: str = "sigmoid", level: int = 500, seed: int = 0
) -> HTML:
    """A schedule to be chosen and bent, beside the cosine one, with a glyph under it.

    Args:
        picture: (1, S, S) uint8, S at least 48.
        schedule: "linear", "cosine" or "sigmoid", at first.
        level: of the large picture, at first, in [0, 1000].
        seed: of the noise.

    Raises:
        ValueError: If the picture is no glyph, or the schedule or the level is unknown.
    """
    is_glyph = picture.ndim == 3 and picture.dtype == torch.uint8
    if not is_glyph or picture.shape[0] != 1 or min(picture.shape[1:]) < SIDE:
        found = f"{tuple(picture.shape)} {picture.dtype}"
        raise ValueError(f"picture {found} must be (1, S, S) uint8, S {SIDE} or more")
    if schedule not in SCHEDULES:
        raise ValueError(f"schedule {schedule!r} must be one of {SCHEDULES}")
    check_level("level", level, 0, NUM_LEVELS)
    small = adaptive_avg_pool2d(picture.float(), SIDE).round().to(torch.uint8)
    data = {
        "T": NUM_LEVELS,
        "side": SIDE,
        "picture": encode(small.flatten().numpy(), "u1"),
        "schedule": schedule,
        "level": level,
        "seed": seed,
    }
    return computed_figure(
        "schedule_chooser",
        "scheduleChooser",
        data,
        still(small, seed),
        more=("plane/schedules.js",),
    )


def still(small: Tensor, seed: int) -> str:
    """The glyph at six levels of the cosine schedule, where no script runs."""
    gen = torch.Generator().manual_seed(seed)
    eps = torch.randn(SIDE, SIDE, generator=gen, dtype=torch.float64)
    alpha_bar, rows = cosine_alpha_bar(NUM_LEVELS), []
    for t in range(0, NUM_LEVELS + 1, NUM_LEVELS // 5):
        x0 = small[0].double() / 127.5 - 1
        xt = alpha_bar[t].sqrt() * x0 + (1 - alpha_bar[t]).sqrt() * eps
        rows.append((xt + 2) / 4 * 255)
    greys = torch.cat(rows, dim=1).clamp(0, 255).round().to(torch.uint8)
    buffer = io.BytesIO()
    Image.open(io.BytesIO(png_from_pixels(greys.numpy()))).quantize(16).save(
        buffer, "PNG", optimize=True
    )
    text = base64.b64encode(buffer.getvalue()).decode()
    alt = (
        "A glyph at six levels of the cosine schedule, from clean to noise; to bend "
        "the schedule needs JavaScript."
    )
    return (
        f'<img alt="{alt}" src="data:image/png;base64,{text}" '
        'style="display:block;width:100%;max-width:720px;margin:0 auto">'
    )
