"""How fast the glyph set loads, as a ratio to decoding the same pictures from PNG.

Run `python tests/speed/load_glyphs.py`. The two are timed in turn in one run, so that a
busy machine slows both; the medians of five rounds are printed.
"""

from io import BytesIO
from statistics import median
from time import perf_counter

import numpy as np
from PIL import Image

from glyflib.data import SIZES, load_glyphs

ROUNDS = 5


def as_png(image: np.ndarray) -> bytes:
    out = BytesIO()
    Image.fromarray(image).save(out, format="PNG")
    return out.getvalue()


def decode(pngs: list[bytes], size: int) -> np.ndarray:
    pictures = (Image.open(BytesIO(png)) for png in pngs)
    return np.stack([np.asarray(p.reduce(128 // size)) for p in pictures])


def seconds(function, *args) -> float:
    start = perf_counter()
    function(*args)
    return perf_counter() - start


def main() -> None:
    pngs = [as_png(image) for image in load_glyphs("all").images.squeeze(1).numpy()]
    print("size  load_glyphs  slowest  from PNG  ratio")
    for size in SIZES:
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(seconds(load_glyphs, "all", size))
            theirs.append(seconds(decode, pngs, size))
        a, b = median(ours), median(theirs)
        print(f"{size:4}  {a:9.2f} s  {max(ours):5.2f} s  {b:6.2f} s  {b / a:5.1f}")


if __name__ == "__main__":
    main()
