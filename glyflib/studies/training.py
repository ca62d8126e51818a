"""Loss by level of the shipped glyffuser, beside what exact denoisers would lose.

Invariant: all denoisers see the same noisy glyphs, and all losses are squared errors
in v, the quantity that the network was trained on.
"""

from collections.abc import Callable, Mapping
from functools import cache, partial

import torch
from torch import Tensor

from glyflib.data import load_glyphs, x0_from_images
from glyflib.exact import IdealDenoiser
from glyflib.glyffuser import Glyffuser
from glyflib.runs import LEVELS
from glyflib.sampling import PredictEps
from glyflib.schedule import add_noise
from glyflib.studies.common import Part
from glyflib.text import TextCondition, encode_captions

SIZE = 32
NUM_GLYPHS = 128  # of each split
CHUNK = 64


def some_rows(count: int, num: int, seed: int) -> list[int]:
    """Row numbers drawn without replacement."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randperm(count, generator=generator)[:num].tolist()


@torch.no_grad()
def v_errors(
    predict_eps: Callable[[Tensor], PredictEps],
    x0: Tensor,
    levels: tuple[int, ...],
    alpha_bar: Tensor,
    seed: int,
) -> Tensor:
    """Mean squared error in v (K, N) of each glyph at K levels.

    Args:
        predict_eps: from row numbers (n,) to the denoiser of these rows.
        x0: (N, 1, S, S) clean glyphs.
        levels: K noise levels.
        alpha_bar: (T + 1,) schedule.
        seed: of the noise.

    References:
        Salimans and Ho 2022, section 4: the error in v is that in eps / alpha_bar.
    """
    generator, found = torch.Generator().manual_seed(seed), []
    for number in levels:
        eps, errors = torch.randn(x0.shape, generator=generator), []
        for rows in torch.arange(len(x0)).split(CHUNK):
            t = torch.full((len(rows),), number)
            xt = add_noise(x0[rows], eps[rows], t, alpha_bar)
            wrong = predict_eps(rows)(xt, t) - eps[rows]
            errors.append(wrong.double().square().mean((1, 2, 3)))
        found.append(torch.cat(errors) / alpha_bar[number])
    return torch.stack(found)


def network(glyffuser: Glyffuser, captions: list[str]) -> Callable:
    """The glyffuser's denoiser of some rows, each with its caption."""
    cond = encode_captions(glyffuser.encoder, captions)

    def of_rows(rows: Tensor) -> PredictEps:
        some = TextCondition(cond.tokens[rows].float(), cond.mask[rows])
        return lambda xt, t: glyffuser.predict_eps(xt, t, some)

    return of_rows


@cache
def ideal_denoiser(load: Callable[[], Glyffuser]) -> IdealDenoiser:
    """The perfect denoiser of the training glyphs, on the glyffuser's schedule."""
    return IdealDenoiser(load_glyphs("train", SIZE).images, load().alpha_bar)


def losses(
    load: Callable[[], Glyffuser],
    split: str,
    seed: int,
    levels: tuple[int, ...],
    num_glyphs: int,
) -> dict:
    """Errors (K, N) on glyphs of a split: with captions, without, and ideal."""
    glyffuser, glyphs = load(), load_glyphs(split, SIZE)
    rows = some_rows(len(glyphs), num_glyphs, seed)
    x0 = x0_from_images(glyphs.images[rows])
    denoisers = {
        "captions": network(glyffuser, [glyphs.captions[row] for row in rows]),
        "no captions": network(glyffuser, [""] * len(rows)),
        "ideal": lambda rows: ideal_denoiser(load).predict_eps,
    }
    found = {
        name: v_errors(denoiser, x0, levels, glyffuser.alpha_bar, seed).float()
        for name, denoiser in denoisers.items()
    }
    return found | {"rows": rows, "levels": list(levels)}


load_shipped = cache(Glyffuser.load)


def training(
    seed: int,
    *,
    load: Callable[[], Glyffuser] = load_shipped,
    levels: tuple[int, ...] = LEVELS,
    num_glyphs: int = NUM_GLYPHS,
) -> Mapping[str, Part]:
    """A part for each split."""
    return {
        split: partial(losses, load, split, seed, levels, num_glyphs)
        for split in ("train", "test")
    }
