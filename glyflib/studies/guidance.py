"""How hard to guide: what chapter 17 reads instead of waiting for it.

Invariant: picture i of a set starts from the noise of seed + i, whatever the scale,
the levels that are guided, the fix or the negative prompt.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from glyflib.data import images_from_x0
from glyflib.glyffuser import Glyffuser
from glyflib.lessons.asked import (
    BIRD,
    BIRD_SCALES,
    NEGATIVES,
    PROMPTS,
    SCALES,
    SPANS,
)
from glyflib.sampling import (
    FixX0,
    PredictEps,
    clip,
    dynamic_threshold,
    fresh_noise,
    guided_between,
    sample_dpm,
)
from glyflib.studies.common import Part, Subject

NUM_STEPS = 12
NUM_DRAWN = 64  # held-out captions, one glyph each
NUM_EACH = 8  # glyphs of each prompt whose variety is measured
SPAN_SCALE = 8
FIX_SCALE = 15
FIXES = {"clip": clip, "dynamic": dynamic_threshold()}
NEGATIVE_SCALE = 3
NUM_NEGATIVE = 16
NUM_BIRDS = 48
MARGIN = 1.05  # beliefs beyond it lie outside the range of pixels


def predictor(
    glyffuser: Glyffuser,
    prompts: Sequence[str],
    negative: str,
    scale: float,
    span: tuple[int, int],
) -> PredictEps:
    """Guided within a span of levels; scale 0 is the empty caption alone."""
    guided = glyffuser.denoiser(prompts, scale, negative=negative)
    if scale == 0:
        return guided
    return guided_between(guided, glyffuser.denoiser(prompts), *span)


def outside(x0: Tensor) -> float:
    """Share of numbers that lie outside the range of pixels."""
    return (x0.abs() > MARGIN).double().mean().item()


@torch.no_grad()
def draw(
    glyffuser: Glyffuser,
    prompts: Sequence[str],
    scale: float,
    seed: int,
    *,
    span: tuple[int, int] = (0, 1000),
    fix: FixX0 | None = None,
    negative: str = "",
) -> dict:
    """Pictures (N, 1, S, S), the level before each step, and the share outside.

    "outside" is of the belief at each step, before it is fixed.
    """
    shares = []
    size = len(prompts), 1, glyffuser.size, glyffuser.size
    sources = [torch.Generator().manual_seed(seed + i) for i in range(len(prompts))]
    xt = fresh_noise(torch.empty(size, dtype=torch.float64), sources)

    def watch(x0_hat: Tensor) -> Tensor:
        shares.append(outside(x0_hat))
        return x0_hat if fix is None else fix(x0_hat)

    steps = sample_dpm(
        predictor(glyffuser, prompts, negative, scale, span),
        xt,
        glyffuser.alpha_bar,
        num_steps=NUM_STEPS,
        fix_x0=watch,
    )
    path = list(steps)
    levels = [len(glyffuser.alpha_bar) - 1, *[step.t for step in path[:-1]]]
    images = images_from_x0(path[-1].xt.float().clamp(-1, 1))
    asked = {"scale": scale, "prompts": list(prompts), "negative": negative}
    return asked | {"levels": levels, "outside": shares, "images": images}


def guidance(
    subject: Subject,
    seed: int,
    *,
    scales: Sequence[float] = SCALES,
    num_drawn: int = NUM_DRAWN,
    num_each: int = NUM_EACH,
    num_negative: int = NUM_NEGATIVE,
    num_birds: int = NUM_BIRDS,
    bird_scales: Sequence[float] = BIRD_SCALES,
) -> Mapping[str, Part]:
    """Parts "sweep 3", "same gold 3", "span early", "fix clip", "without shrimp".

    "bird 10" is that prompt, up to much larger scales.
    "with shrimp" has no negative prompt; "without shrimp" has one, from the same
    noises.
    """
    captions, found = subject.captions(num_drawn), {}
    ask = partial(draw, subject.glyffuser)
    for scale in scales:
        found[f"sweep {scale}"] = partial(ask, captions, scale, seed)
        for prompt in PROMPTS:
            same = [prompt] * num_each
            found[f"same {prompt} {scale}"] = partial(ask, same, scale, seed)
    for name, span in SPANS.items():
        found[f"span {name}"] = partial(ask, captions, SPAN_SCALE, seed, span=span)
    for name, fix in FIXES.items():
        found[f"fix {name}"] = partial(ask, captions, FIX_SCALE, seed, fix=fix)
    for prompt, negative in NEGATIVES.items():
        part = partial(ask, [prompt] * num_negative, NEGATIVE_SCALE, seed)
        found[f"with {prompt}"] = part
        found[f"without {prompt}"] = partial(part, negative=negative)
    for scale in bird_scales:
        found[f"{BIRD} {scale}"] = partial(ask, [BIRD] * num_birds, scale, seed)
    return found
