"""A slider over still frames: self-contained HTML for the built page and Jupyter Lab.

Invariant: without the script (print, no JavaScript, an untrusted notebook) a strip
of the key frames shows; the script only ever shows, hides and relabels elements.
"""

import base64
import io
import json
from collections.abc import Sequence
from html import escape

import numpy as np
from IPython.display import HTML
from numpy.typing import ArrayLike
from PIL import Image

OWN_KEYS = "data-lm-suppress-shortcuts"  # else Jupyter Lab takes the arrow keys
MIN_WIDTH = 400  # CSS pixels: room for a button, a label and a slider
NOTES = "glyflib"  # where the PNG files of glyflib.plotting say what is in them
READABLE = 9.0  # CSS pixels: smaller letters are not read on a phone

STYLE = """
.glyf-frames { margin: 0 auto; max-width: 100%; color: inherit; }
.glyf-frames .shots { display: flex; gap: 0.5rem; justify-content: safe center;
  overflow-x: auto; }
.glyf-frames figure { display: none; flex: 1 1 0; margin: 0; text-align: center; }
.glyf-frames figure.key, .glyf-frames[data-ready] figure.now { display: block; }
.glyf-frames[data-ready] figure.now { flex: 0 1 var(--picture); }
.glyf-frames[data-ready] figure.now img { min-width: var(--least, 0); }
.glyf-frames[data-ready] figure:not(.now) { display: none; }
.glyf-frames .shots figure img { display: block; width: 100%; height: auto;
  margin: 0 auto; padding: 0; border-radius: 0; background: #fff; filter: none; }
.glyf-frames img.pixels { image-rendering: pixelated; }
.glyf-frames figcaption { margin: 0.3rem 0; color: inherit !important;
  font-variant-numeric: tabular-nums; }
.glyf-frames[data-ready] .shots { container-type: inline-size; }
.glyf-frames[data-ready] figcaption { position: sticky; left: 0;
  width: min(100%, 100cqi); }
.glyf-frames[data-ready] figcaption::after { display: block; font-size: 0.8rem;
  content: "The picture goes on at the right: slide it sideways."; overflow: hidden;
  max-height: clamp(0px, (var(--least, 0px) - 100cqi) * 1000, 3em); }
.glyf-frames .controls { display: flex; gap: 0.75rem; align-items: center; }
.glyf-frames .controls[hidden] { display: none; }
.glyf-frames label { display: flex; flex: 1; gap: 0.5rem; align-items: center;
  margin: 0; min-width: 0; }
.glyf-frames input { flex: 1; min-width: 0; height: 2rem; accent-color: #0072b2; }
body[data-jp-theme-light="false"] .glyf-frames input,
html[data-theme="dark"] .glyf-frames input { color-scheme: dark;
  accent-color: #63b3f0; }
.glyf-frames button { min-width: 5rem; min-height: 2rem; color: inherit; font: inherit;
  background: transparent; border: 1px solid currentColor; border-radius: 4px; }
.glyf-frames :is(button, input):focus-visible { outline: 3px solid #56b4e9; }
@media (prefers-reduced-motion: reduce) { .glyf-frames button { display: none; } }
@media print {
  .glyf-frames { max-width: 100% !important; width: 100% !important; }
  .glyf-frames .controls { display: none !important; }
  .glyf-frames .shots figure.key { display: block !important; flex: 1 1 0; }
  .glyf-frames .shots figure img { min-width: 0 !important; }
  .glyf-frames .shots figure:not(.key) { display: none !important; }
}
"""

SCRIPT = """
(() => {
  const begin = (root) => {
    const shots = [...root.querySelectorAll("figure")];
    const range = root.querySelector("input");
    const button = root.querySelector("button");
    const leftwards = "leftwards" in root.dataset;
    const [first, last] = leftwards ? [shots.length - 1, 0] : [0, shots.length - 1];
    const idle = button.textContent;
    let timer = null;
    const show = (i) => {
      shots.forEach((shot, k) => shot.classList.toggle("now", k === i));
      range.value = i;
      range.setAttribute("aria-valuetext", shots[i].dataset.label);
    };
    const pause = () => {
      clearInterval(timer);
      timer = null;
      button.textContent = idle;
    };
    const tick = () => {
      const next = +range.value + Math.sign(last - +range.value);
      if (root.isConnected) show(next);
      if (!root.isConnected || +range.value === last) pause();
    };
    const play = () => {
      if (+range.value === last) show(first);
      timer = setInterval(tick, +root.dataset.ms);
      button.textContent = "Pause";
    };
    range.addEventListener("input", () => { pause(); show(+range.value); });
    button.addEventListener("click", () => (timer ? pause() : play()));
    root.dataset.ready = "";
    root.querySelector(".controls").hidden = false;
    show(+range.getAttribute("value"));
  };
  document.querySelectorAll(".glyf-frames:not([data-ready])").forEach(begin);
})();
"""


def png_from_pixels(pixels: ArrayLike) -> bytes:
    """Encode a uint8 picture, (H, W), (1, H, W) or (H, W, 3), as PNG.

    Raises:
        ValueError: If it is not uint8 or has another shape.
    """
    array = np.asarray(pixels)
    array = array[0] if array.ndim == 3 and array.shape[0] == 1 else array
    is_picture = array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)
    if array.dtype != np.uint8 or not is_picture:
        raise ValueError(
            f"a frame must be uint8, (H, W), (1, H, W) or (H, W, 3); "
            f"got {array.dtype} {array.shape}"
        )
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG", optimize=True)
    return file.getvalue()


def least_width(png: bytes) -> int:
    """CSS pixels that a chart needs so that all its letters can be read; 0 if none."""
    picture = Image.open(io.BytesIO(png))
    letters = json.loads(picture.text.get(NOTES, "{}")).get("letters")
    return round(READABLE * picture.width / letters) if letters else 0


def shot(png: bytes, label: str, alt: str, classes: str, is_pixels: bool) -> str:
    """Write one frame as a figure with its own alt text and label."""
    width, height = Image.open(io.BytesIO(png)).size
    data = base64.b64encode(png).decode()
    look = ' class="pixels"' if is_pixels else ""
    return (
        f'<figure class="{classes}" data-label="{escape(label)}">'
        f'<img{look} src="data:image/png;base64,{data}" width="{width}" '
        f'height="{height}" alt="{escape(f"{alt} ({label})")}">'
        f"<figcaption>{escape(label)}</figcaption></figure>"
    )


def frame_slider(
    frames: Sequence[bytes | ArrayLike],
    labels: Sequence[str],
    *,
    alt: str,
    name: str = "Frame",
    start: int = 0,
    width: int = 480,
    pause_ms: int = 500,
    plays_leftwards: bool = False,
) -> HTML:
    """Show still frames one at a time, under a slider and a play button.

    It starts still. In print, or where no script runs, the first, middle and last
    frames stand side by side; readers who ask for less motion get no play button.
    A chart of `glyflib.plotting` is never so small that its letters cannot be read: on
    a phone it scrolls.

    Args:
        frames: from left to right on the slider, N equally sized PNG files (bytes) or
            uint8 pictures, each (H, W), (1, H, W) or (H, W, 3); pictures are drawn with
            sharp pixels.
        labels: N texts, each the caption of one frame and what a screen reader says.
        alt: what the frames show; the label is added to it for each frame.
        name: the label of the slider.
        start: the frame shown first.
        width: of the picture on the page, in CSS pixels; never wider than the page.
        pause_ms: time a frame stays while playing, in milliseconds.
        plays_leftwards: the film runs from right to left. Noise grows to the right on
            every slider of the book; a film of sampling goes the other way.

    Raises:
        ValueError: If there are no frames, labels do not match them, sizes differ
            or start is not a frame.
    """
    if len(frames) == 0 or len(frames) != len(labels):
        raise ValueError(f"{len(frames)} frames and {len(labels)} labels must match")
    if not 0 <= start < len(frames):
        raise ValueError(f"start {start} must lie in [0, {len(frames) - 1}]")
    pngs = [f if isinstance(f, bytes) else png_from_pixels(f) for f in frames]
    sizes = {Image.open(io.BytesIO(png)).size for png in pngs}
    if len(sizes) > 1:
        raise ValueError(f"frames must be of one size, got {sorted(sizes)}")
    last = len(frames) - 1
    least = min(max(map(least_width, pngs)), width)
    shots = "".join(
        shot(
            png,
            label,
            alt,
            " ".join(["key"] * (i in (0, last // 2, last)) + ["now"] * (i == start)),
            not isinstance(frame, bytes),
        )
        for i, (png, label, frame) in enumerate(zip(pngs, labels, frames, strict=True))
    )
    leftwards = " data-leftwards" if plays_leftwards else ""
    play = "\u2190 Play" if plays_leftwards else "Play"
    return HTML(
        f'<div class="glyf-frames" data-ms="{pause_ms}"{leftwards} '
        f'style="--picture: {width}px; --least: {least}px; '
        f'width: {max(width, MIN_WIDTH)}px">'
        f"<style>{STYLE}</style>"
        f'<div class="shots">{shots}</div>'
        f'<div class="controls" hidden><button type="button" {OWN_KEYS}>{play}</button>'
        f'<label><span>{escape(name)}</span><input type="range" min="0" max="{last}" '
        f'{OWN_KEYS} step="1" value="{start}" autocomplete="off" '
        f'aria-valuetext="{escape(labels[start])}"></label></div>'
        f"<script>{SCRIPT}</script></div>"
    )
