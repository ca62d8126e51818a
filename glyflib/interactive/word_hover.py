"""Words to point at: each brings up its own picture, on the page and in Jupyter Lab.

Invariant: without the script (print, no JavaScript, an untrusted notebook) all pictures
show, each under its word; the script only ever shows, hides and marks elements.
"""

import io
from collections.abc import Sequence
from html import escape

from IPython.display import HTML
from PIL import Image

from glyflib.interactive.frames import OWN_KEYS, shot

STYLE = """
.glyf-words { margin: 0 auto; max-width: 100%; color: inherit; }
.glyf-words .words { display: flex; flex-wrap: wrap; gap: 0.4rem; margin: 0 0 0.5rem;
  justify-content: center; }
.glyf-words .words[hidden] { display: none; }
.glyf-words button { min-height: 2.4rem; padding: 0 0.7rem; color: inherit;
  font: inherit; background: transparent; border: 1px solid currentColor;
  border-radius: 4px; cursor: pointer; }
.glyf-words button[aria-pressed="true"] { font-weight: 700;
  box-shadow: inset 0 -5px 0 #0072b2; }
.glyf-words button:focus-visible { outline: 3px solid #56b4e9; }
.glyf-words .shots { display: flex; flex-wrap: wrap; gap: 0.5rem;
  justify-content: center; }
.glyf-words figure { flex: 0 1 calc(50% - 0.5rem); min-width: 0; margin: 0;
  text-align: center; }
.glyf-words[data-ready] figure { display: none; flex: 1 1 100%; }
.glyf-words[data-ready] figure.now { display: block; }
.glyf-words .shots figure img { display: block; width: 100%; height: auto;
  margin: 0 auto; padding: 0; border-radius: 0; background: #fff; filter: none; }
.glyf-words figcaption { margin: 0.2rem 0; color: inherit !important; }
.glyf-words[data-ready] figcaption { display: none; }
@media print {
  .glyf-words { width: 100% !important; }
  .glyf-words .words { display: none !important; }
  .glyf-words[data-ready] .shots figure { display: block !important;
    flex: 0 1 calc(50% - 0.5rem); }
  .glyf-words[data-ready] figcaption { display: block; }
}
"""

SCRIPT = """
(() => {
  const begin = (root) => {
    const shots = [...root.querySelectorAll("figure")];
    const buttons = [...root.querySelectorAll("button")];
    const show = (i) => {
      shots.forEach((shot, k) => shot.classList.toggle("now", k === i));
      buttons.forEach((button, k) => button.setAttribute("aria-pressed", k === i));
    };
    const move = (i, key) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (step) buttons[(i + step + buttons.length) % buttons.length].focus();
      return step;
    };
    buttons.forEach((button, i) => {
      for (const what of ["pointerenter", "focus", "click"]) {
        button.addEventListener(what, () => show(i));
      }
      button.addEventListener("keydown", (event) => {
        if (move(i, event.key)) event.preventDefault();
      });
    });
    root.dataset.ready = "";
    root.querySelector(".words").hidden = false;
    show(+root.dataset.start);
  };
  document.querySelectorAll(".glyf-words:not([data-ready])").forEach(begin);
})();
"""


def word_hover(
    frames: Sequence[bytes],
    words: Sequence[str],
    *,
    alt: str,
    start: int = 0,
    width: int = 660,
) -> HTML:
    """Show a picture for each word: hover over it, tap it, or go there by keyboard.

    The last word that was pointed at stays. In print, or where no script runs, all
    pictures show, two in a row, each over its word.

    Args:
        frames: N equally sized PNG files.
        words: N words, in the order of the text; two may be alike.
        alt: what the pictures show; the word is added to it for each.
        start: the word shown first.
        width: of a picture on the page, in CSS pixels; never wider than the page.

    Raises:
        ValueError: If there are no frames, words do not match them, sizes differ
            or start is not a word.
    """
    if len(frames) == 0 or len(frames) != len(words):
        raise ValueError(f"{len(frames)} frames and {len(words)} words must match")
    if not 0 <= start < len(words):
        raise ValueError(f"start {start} must lie in [0, {len(words) - 1}]")
    sizes = {Image.open(io.BytesIO(png)).size for png in frames}
    if len(sizes) > 1:
        raise ValueError(f"frames must be of one size, got {sorted(sizes)}")
    buttons = "".join(
        f'<button type="button" aria-pressed="false" {OWN_KEYS}>{escape(word)}</button>'
        for word in words
    )
    shots = "".join(
        shot(png, word, alt, "now" if i == start else "", False)
        for i, (png, word) in enumerate(zip(frames, words, strict=True))
    )
    return HTML(
        f'<div class="glyf-words" data-start="{start}" style="width: {width}px">'
        f"<style>{STYLE}</style>"
        f'<div class="words" role="group" aria-label="Words" hidden>{buttons}</div>'
        f'<div class="shots">{shots}</div>'
        f"<script>{SCRIPT}</script></div>"
    )
