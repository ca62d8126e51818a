"""Pairs of pictures, one above the other under their words, as HTML that wraps.

Invariant: pictures stay as they are, each pixel of theirs as sharp as the screen is,
and the words are text: they follow the page's size and colours.
"""

import base64
from collections.abc import Sequence
from html import escape

from IPython.display import HTML
from numpy.typing import ArrayLike

from glyflib.interactive.frames import png_from_pixels

STYLE = """
.glyf-pairs { margin: 0; color: inherit; }
.glyf-pairs > div { display: grid; gap: 0.5rem;
  grid-template-columns: repeat(var(--pairs), minmax(0, 1fr)); }
.glyf-pairs > div > div { display: flex; flex-direction: column; gap: 0.25rem;
  justify-content: flex-end; min-width: 0; text-align: center; }
.glyf-pairs span { font-size: 0.8rem; line-height: 1.2; overflow-wrap: break-word; }
.glyf-pairs img { display: block; width: 100%; height: auto; margin: 0; padding: 0;
  background: #fff; border: 1px solid #8a8a8a; border-radius: 4px; filter: none; }
.glyf-pairs figcaption { margin: 0.4rem 0 0; color: inherit; font-size: 0.85rem;
  line-height: 1.35; text-align: left; }
@media (max-width: 600px) {
  .glyf-pairs > div {
    grid-template-columns: repeat(min(3, var(--pairs)), minmax(0, 1fr)); }
}
"""


def picture(pixels: ArrayLike, alt: str) -> str:
    """One picture as an image that needs no network; it says its size at once."""
    data = base64.b64encode(png_from_pixels(pixels)).decode()
    height, width = pixels.shape[-2:]
    return (
        f'<img src="data:image/png;base64,{data}" width="{width}" height="{height}" '
        f'alt="{escape(alt)}">'
    )


def pair_grid(
    words: Sequence[str],
    above: ArrayLike,
    below: ArrayLike,
    *,
    names: tuple[str, str] = ("real", "drawn"),
    caption: str = "",
) -> HTML:
    """Show N pairs side by side, on a phone three to a line.

    Args:
        words: N texts, one above each pair.
        above: (N, H, W) uint8 pictures.
        below: (N, H, W) uint8 pictures, one under each of those.
        names: of the two kinds, for those who hear the page.
        caption: plain text below all pairs; "" for none.

    Raises:
        ValueError: If the N differ, or a picture is not uint8.
    """
    counts = len(words), len(above), len(below)
    if len(set(counts)) > 1:
        raise ValueError(
            f"{counts[0]} words, {counts[1]} pictures above and {counts[2]} below "
            "must be as many"
        )
    pairs = "".join(
        f"<div><span>{escape(text)}</span>"
        f"{picture(upper, f'{text}, {names[0]}')}"
        f"{picture(lower, f'{text}, {names[1]}')}</div>"
        for text, upper, lower in zip(words, above, below, strict=True)
    )
    below_all = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return HTML(
        f'<figure class="glyf-pairs" style="--pairs: {len(words)}">'
        f"<style>{STYLE}</style><div>{pairs}</div>{below_all}</figure>"
    )
