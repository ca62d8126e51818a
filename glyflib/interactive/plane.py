"""What the figures that compute share: their scripts, their numbers, a still picture.

Invariant: a figure holds formulas and numbers, and no picture drawn before but the
still one, which shows where no script runs; nothing is fetched, and the host's key is
the hash of all that is in it.
"""

import json
from collections.abc import Sequence
from hashlib import sha256
from html import escape

import torch
from IPython.display import HTML
from torch import Tensor

from glyflib.exact import GaussianMixture
from glyflib.interactive.hover_map import asset, encode

# In the order in which they call each other, from elements of the page upward.
SCRIPTS = (
    "page.js",
    "engine/noise.js",
    "engine/samplers.js",
    "plane/mixture.js",
    "plane/walks.js",
    "plane/plane.js",
)
SIDE = 400  # of the still picture, in its own units
SPAN = 3.2  # the plane reaches so far from its middle: as far as noise does
BLUE, ORANGE = "#3a86c8", "#d9721f"  # to be seen on white and on black


def plane_scripts() -> str:
    """All that the figures share, as one script; it starts nothing."""
    return "\n".join(asset(name) for name in SCRIPTS)


def check_schedule(alpha_bar: Tensor) -> None:
    """Raise a ValueError unless a schedule fits the figures.

    Their samplers divide by the signal, so no level may be without any.
    """
    is_row = alpha_bar.ndim == 1 and len(alpha_bar) > 1
    if not is_row or alpha_bar[0] != 1 or not (alpha_bar > 0).all():
        raise ValueError(
            f"alpha_bar {tuple(alpha_bar.shape)} must be (T + 1,), start at 1 and stay "
            "above 0: leave out the levels that have no signal"
        )


def schedule_data(alpha_bar: Tensor) -> str:
    """A schedule as the scripts read it: 64-bit numbers in base64."""
    check_schedule(alpha_bar)
    return encode(alpha_bar.double().numpy(), "<f8")


def numbers(values: Tensor) -> list:
    """A tensor as a list of numbers, each the shortest that reads back the same."""
    return values.double().tolist()


def mixture_data(mixture: GaussianMixture) -> dict:
    """A mixture of Gaussians as the scripts read it, flat."""
    return {
        "dim": mixture.means.shape[1],
        "weights": numbers(mixture.weights),
        "means": numbers(mixture.means.flatten()),
        "variances": numbers(mixture.variances.flatten()),
        "axes": numbers(mixture.axes.flatten()),
    }


def check_level(name: str, t: int, first: int, last: int) -> None:
    """Raise a ValueError unless a level lies in [first, last]."""
    if not first <= t <= last:
        raise ValueError(f"{name} {t} must lie in [{first}, {last}]")


def lattice(count: int, span: float = SPAN) -> Tensor:
    """Places (count * count, 2) in the middles of the cells of a square."""
    side = ((torch.arange(count, dtype=torch.float64) + 0.5) / count * 2 - 1) * span
    return torch.cartesian_prod(side, side)


def still_plane(
    dots: Sequence[tuple[Tensor, float, str, bool]],
    arrows: tuple[Tensor, Tensor] | None = None,
    *,
    alt: str,
    span: float = SPAN,
    most: float = 20,
) -> str:
    """The plane as a drawing of lines and dots, in the colour of the text.

    Args:
        dots: places (N, 2), radius, colour, and whether they are filled, in groups.
        arrows: places (M, 2), and where each leads.
        alt: what it shows, for those who cannot see it.
        span: the plane reaches so far from its middle.
        most: the longest arrow, in units of the picture.
    """

    def at(places: Tensor) -> Tensor:
        return (places.double() * torch.tensor([1.0, -1.0]) + span) / (2 * span) * SIDE

    parts = []
    if arrows is not None:
        starts, tips = at(arrows[0]), at(arrows[1])
        way = tips - starts
        length = way.norm(dim=1, keepdim=True).clamp(min=1e-9)
        way = way * (most / length).clamp(max=1)
        lines = "".join(
            f"M{x:.0f} {y:.0f}l{dx:.0f} {dy:.0f}"
            for (x, y), (dx, dy) in zip(starts.tolist(), way.tolist(), strict=True)
        )
        parts.append(
            f'<path d="{lines}" fill="none" stroke="currentColor" opacity="0.6" '
            'marker-end="none"/>'
        )
        heads = "".join(f"M{x:.0f} {y:.0f}h.01" for x, y in (starts + way).tolist())
        parts.append(
            f'<path d="{heads}" stroke="currentColor" stroke-width="4" '
            'stroke-linecap="round" opacity="0.6"/>'
        )
    for places, radius, colour, is_filled in dots:
        look = f'fill="{colour}"' if is_filled else f'fill="none" stroke="{colour}"'
        circles = "".join(
            f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{radius:g}"/>'
            for x, y in at(places).tolist()
        )
        parts.append(f"<g {look}>{circles}</g>")
    return (
        f'<svg viewBox="0 0 {SIDE} {SIDE}" role="img" aria-label="{escape(alt)}" '
        'style="display:block;width:100%;max-width:470px;margin:0 auto">'
        f'<rect x="0.5" y="0.5" width="{SIDE - 1}" height="{SIDE - 1}" fill="none" '
        f'stroke="currentColor" opacity="0.6"/>{"".join(parts)}</svg>'
    )


def computed_figure(
    kind: str, start: str, data: dict, still: str, *, more: Sequence[str] = ()
) -> HTML:
    """A figure that computes in the page, as one fragment of HTML.

    Args:
        kind: its script's name in the folder `plane`, without the ending.
        start: the function of that script that begins it, of a host and the data.
        data: what it computes from, of numbers, texts, lists and dicts.
        still: HTML that shows where no script runs.
        more: scripts that only this figure needs, in the order of their calls.
    """
    options = json.dumps(data | {"css": asset("plane/plane.css")}, ensure_ascii=False)
    options = options.replace("</", "<\\/")
    scripts = [plane_scripts(), *map(asset, more), asset(f"plane/{kind}.js")]
    body = "\n".join([*scripts, f"const data = {options};"])
    key = sha256((body + still).encode()).hexdigest()[:12]
    begin = (
        f"""whenThere('[data-glyf-plane="{key}"]', (host) => {start}(host, data));"""
    )
    return HTML(
        f'<div class="glyf-plane" data-glyf-plane="{key}" '
        f'data-lm-suppress-shortcuts="1">{still}</div>'
        f"<script>(() => {{\n{body}\n{begin}\n}})();</script>"
    )
