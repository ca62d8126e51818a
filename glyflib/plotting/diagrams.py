"""Diagrams of how the parts of a diffusion model hang together, drawn by hand.

Invariant: an inline SVG in `currentColor` and the book's palette, without a script, a
style sheet or an id: it takes the colour of the text around it, light or dark, as wide
as there is room, and any number of them may stand on one page.
"""

from collections.abc import Iterable, Mapping
from html import escape

import numpy as np
from IPython.display import HTML

from glyflib.plotting.base import (
    BLUE,
    BROWN,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    PURPLE,
    RED,
    SKY,
)

SERIF = "STIX Two Math, Cambria Math, Times New Roman, serif"
# Parts that can be lit, each in its colour, which is the same in every diagram.
LOOP = {
    "data": BLUE,
    "noise": ORANGE,
    "network": GREEN,
    "guess": PINK,
    "difference": RED,
}
PROCESS = {"data": BLUE, "noise": ORANGE, "forward": SKY, "reverse": GREEN}
GPU = {
    "files": BLUE,
    "draws": ORANGE,
    "log": RED,
    "data": BLUE,
    "weights": GREEN,
    "activations": PINK,
    "loss": RED,
}
SHARED = {"batch": BLUE, "first": GREEN, "second": SKY, "mean": ORANGE, "step": RED}
BOOK = {
    "data": BLUE,
    "noise": ORANGE,
    "guess": PINK,
    "arrow": RED,
    "network": GREEN,
    "step": BROWN,
    "words": PURPLE,
    "judging": GREY,
    "uses": SKY,
}
# The first and the last chapter of each part of the book; they leave none out.
CHAPTERS = {
    "data": (1, 3),
    "noise": (4, 5),
    "guess": (6, 7),
    "arrow": (8, 8),
    "network": (9, 11),
    "step": (12, 13),
    "words": (14, 17),
    "judging": (18, 18),
    "uses": (19, 22),
}
DOORS = {"tokens": PURPLE, "attention": GREEN, "mean": ORANGE}
GUIDED = {"noisy": ORANGE, "silent": SKY, "told": PURPLE, "push": RED}
HALVED = {"start": ORANGE, "teacher": GREEN, "student": PINK, "landing": BLUE}
UNET = {"down": BLUE, "bottom": ORANGE, "up": GREEN, "skips": PINK, "level": SKY}
# The strokes of the character for "tree", from end to end; y grows downward.
TREE = [
    ((-1, -0.45), (1, -0.45)),
    ((0, -1.1), (0, 1.1)),
    ((-0.05, -0.4), (-0.95, 0.6)),
    ((0.05, -0.4), (0.95, 0.6)),
]


def attributes(style: Mapping[str, object]) -> str:
    """Attributes of SVG as its text has them; stroke_width is stroke-width."""
    return "".join(
        f' {name.replace("_", "-")}="{value}"' for name, value in style.items()
    )


def words(x: float, y: float, text: str, size: float = 15, **style: object) -> str:
    """A line of text around (x, y)."""
    look = {"text_anchor": "middle", "fill": "currentColor", "stroke": "none"} | style
    place = f'x="{x:g}" y="{y:g}" font-size="{size:g}"'
    return f"<text {place}{attributes(look)}>{text}</text>"


def symbol(x: float, y: float, letter: str, below: str = "", hat: bool = False) -> str:
    """A letter of a formula around (x, y), with an index or a hat."""
    style = "normal" if below.isdigit() else "italic"
    index = f'<tspan dy="5" font-size="16" font-style="{style}">{below}</tspan>'
    text = letter + (index if below else "")
    found = words(x, y, text, 24, font_family=SERIF, font_style="italic")
    if hat:
        corners = f"{x - 4:g},{y - 16:g} {x + 1.5:g},{y - 20.5:g} {x + 7:g},{y - 16:g}"
        found += f'<polyline points="{corners}" fill="none" stroke-width="1.6"/>'
    return found


def dots(points: np.ndarray, x: float, y: float, scale: float, ring=False) -> str:
    """Points as dots, or as rings, around (x, y)."""
    found = "".join(
        f'<circle cx="{x + scale * u:.1f}" cy="{y + scale * v:.1f}" r="1.8"/>'
        for u, v in points
    )
    look = {"fill": "none", "stroke_width": 1}
    look = look if ring else {"fill": "currentColor", "stroke": "none"}
    return f"<g{attributes(look)}>{found}</g>"


def arrow(*corners: tuple[float, float], **style: object) -> str:
    """A line through corners, with a head at the last."""
    tip = np.array(corners[-1], dtype=float)
    along = tip - corners[-2]
    along /= np.hypot(*along)
    across = np.array([-along[1], along[0]])
    foot = tip - 9 * along
    head = [tip, foot + 5 * across, foot - 5 * across]
    line = " ".join(f"{x:g},{y:g}" for x, y in (*corners[:-1], foot))
    ends = " ".join(f"{x:g},{y:g}" for x, y in head)
    return (
        f'<polyline points="{line}" fill="none"{attributes(style)}/>'
        f'<polygon points="{ends}" fill="{style.get("stroke", "currentColor")}" '
        'stroke="none"/>'
    )


def box(x: float, y: float, width: float, height: float, **style: object) -> str:
    """A box with round corners."""
    place = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="9"'
    return f"<rect {place}{attributes({'fill': 'none'} | style)}/>"


def spot(x: float, y: float) -> str:
    """A full dot, where a jump starts."""
    return f'<circle cx="{x:g}" cy="{y:g}" r="5" fill="currentColor" stroke="none"/>'


def knob(x: float, y: float, angle: float) -> str:
    """A knob that is turned by an angle, in degrees from upright."""
    hand = f'<line x1="{x:g}" y1="{y:g}" x2="{x:g}" y2="{y - 12:g}"/>'
    turned = f'<g transform="rotate({angle:g} {x:g} {y:g})">{hand}</g>'
    return f'<circle cx="{x:g}" cy="{y:g}" r="12" fill="none"/>{turned}'


def tree_points() -> tuple[np.ndarray, np.ndarray]:
    """Points along the strokes of the tree, (N, 2), and noise for each, (N, 2)."""
    lines = [
        np.linspace(start, end, round(15 * np.hypot(*np.subtract(end, start))))
        for start, end in TREE
    ]
    x0 = np.concatenate(lines)
    return x0, np.random.default_rng(1).normal(size=x0.shape)


def noisy_points(signal: float) -> np.ndarray:
    """The tree with that much of it left, and noise for the rest, (N, 2)."""
    x0, eps = tree_points()
    return signal * x0 + (1 - signal**2) ** 0.5 * eps


def check_parts(lit: Iterable[str], known: Mapping[str, str]) -> tuple[str, ...]:
    """The lit parts in the order of the drawing; one name alone is no mistake.

    Raises:
        ValueError: If a name is none of the known ones.
    """
    names = [lit] if isinstance(lit, str) else list(lit)
    if unknown := [name for name in names if name not in known]:
        raise ValueError(
            f"no part is called {unknown[0]!r}; the parts are {', '.join(known)}"
        )
    return tuple(name for name in known if name in names)


def diagram(
    shapes: str,
    parts: Mapping[str, tuple[tuple[float, float, float, float], str]],
    colours: Mapping[str, str],
    lit: Iterable[str],
    *,
    alt: str,
    size: tuple[int, int],
    width: int,
) -> HTML:
    """Draw parts over what lies between them.

    Args:
        shapes: arrows and what else is never lit.
        parts: place (x, y, width, height) of each part's box, and what stands in it.
        colours: of each part.
        lit: names of the parts to light, all others are faint; none: all are plain.
        alt: what the drawing shows, for those who do not see it.
        size: width and height, in the drawing's own units.
        width: of the drawing on the page at most, in CSS pixels.

    Raises:
        ValueError: If a lit part is none of the parts.
    """
    lit = check_parts(lit, colours)
    for name, (place, inside) in parts.items():
        state = "plain" if not lit else "lit" if name in lit else "faint"
        fill, line, opacity = {
            "plain": (0.16, 2, 1),
            "lit": (0.5, 4, 1),
            "faint": (0.08, 1.5, 0.65),
        }[state]
        paint = {"fill": colours[name], "fill_opacity": fill, "stroke": colours[name]}
        shapes += (
            f'<g data-part="{name}" data-state="{state}" opacity="{opacity}">'
            f"{box(*place, **paint, stroke_width=line)}{inside}</g>"
        )
    alt = escape(f"{alt} Lit: {', '.join(lit)}." if lit else alt)
    style = f"display: block; width: 100%; max-width: {width}px; height: auto"
    return HTML(
        f'<svg class="glyf-diagram" xmlns="http://www.w3.org/2000/svg" role="img" '
        f'viewBox="0 0 {size[0]} {size[1]}" aria-label="{alt}" '
        f'style="{style}; margin: 0 auto; color: inherit" stroke="currentColor" '
        f'stroke-width="2"><title>{alt}</title>{shapes}</svg>'
    )


def training_loop(lit: Iterable[str] = ()) -> HTML:
    """Draw a step of training: from data and noise to the knobs of the network.

    Args:
        lit: names of the parts to light: "data", "noise", "network", "guess",
            "difference". Without one, all are drawn alike.

    Raises:
        ValueError: If a part is not called so.
    """
    x0, eps = tree_points()
    other = np.random.default_rng(2).normal(size=eps.shape)
    heading, side = {"font_weight": "bold"}, {"text_anchor": "start"}
    data = words(73, 30, "data", 17, **heading)
    data += symbol(32, 80, "x", "0") + dots(x0, 88, 73, 27)
    noise = words(387, 30, "noise", 17, **heading)
    noise += symbol(346, 80, "\u03f5") + dots(eps, 400, 72, 10)
    network = words(230, 172, "network", 17, **heading)
    network += knob(192, 207, -60) + knob(230, 207, 20) + knob(268, 207, 110)
    guess = words(230, 302, "guess", 17, **heading)
    guess += symbol(189, 352, "\u03f5", hat=True)
    guess += dots(0.9 * eps + 0.3 * other, 244, 345, 10, ring=True)
    difference = words(387, 302, "difference", 17, **heading)
    difference += symbol(364, 340, "\u03f5", hat=True) + symbol(409, 340, "\u03f5")
    difference += words(387, 338, "\u2212", 20) + words(387, 368, "how far off?")
    parts = {
        "data": ((8, 8, 130, 100), data),
        "noise": ((322, 8, 130, 100), noise),
        "network": ((165, 148, 130, 84), network),
        "guess": ((165, 280, 130, 100), guess),
        "difference": ((322, 280, 130, 100), difference),
    }
    noisy = box(165, 8, 130, 100) + words(230, 30, "data + noise", 17)
    noisy += symbol(189, 80, "x", "t") + dots(noisy_points(0.99), 245, 73, 26)
    level = box(8, 172, 130, 38) + words(60, 197, "level") + symbol(98, 198, "t")
    forth = (
        arrow((138, 58), (165, 58))
        + arrow((322, 58), (295, 58))
        + arrow((230, 108), (230, 148))
        + arrow((138, 191), (165, 191))
        + arrow((100, 172), (100, 128), (192, 128), (192, 108))
        + arrow((230, 232), (230, 280))
        + arrow((295, 330), (322, 330))
        + arrow((428, 108), (428, 280))
    )
    back = arrow((356, 280), (356, 196), (295, 196), stroke_dasharray="6 4")
    back += words(303, 184, "turns the knobs", 14.5, **side)
    again = words(8, 324, "Again and again,", **side)
    again += words(8, 346, "thousands of times", **side)
    alt = (
        "The training loop. Data and noise are added up. The network is handed the sum "
        "and its level, and guesses the noise. The difference between the guess and "
        "the noise turns the knobs of the network. Again and again."
    )
    shapes = forth + noisy + level + back + again
    return diagram(shapes, parts, LOOP, lit, alt=alt, size=(460, 388), width=560)


def whole_process(lit: Iterable[str] = ()) -> HTML:
    """Draw the chain from data to noise, which is known, and back, which is learnt.

    Args:
        lit: names of the parts to light: "data", "noise", "forward", "reverse".
            Without one, all are drawn alike.

    Raises:
        ValueError: If a part is not called so.
    """
    lit = check_parts(lit, PROCESS)
    x0, eps = tree_points()
    heading = {"font_weight": "bold"}
    left, top, side, step = 8, 84, 92, 118
    middle = [left + side / 2 + step * i for i in range(4)]

    def picture(i: int, points: np.ndarray, scale: float, below: str) -> str:
        """What stands in a box of the chain, and its symbol below."""
        found = dots(points, middle[i], top + side / 2, scale)
        return found + symbol(middle[i], top + side + 24, "x", below)

    def name(i: int, text: str) -> str:
        """The word below the symbol."""
        return words(middle[i], top + side + 50, text)

    def look(part: str) -> dict[str, object]:
        """Of the arrows in the chain: the colour of their part if that is lit."""
        return {"stroke": PROCESS[part], "stroke_width": 3} if part in lit else {}

    forward = words(231, 30, "forward: add a little noise", 17, **heading)
    forward += words(231, 51, "a formula, with nothing to learn")
    forward += arrow((402, 36), (440, 36))
    reverse = words(231, 264, "reverse: take it away again", 17, **heading)
    reverse += words(231, 285, "no formula: a network learns it")
    reverse += arrow((60, 270), (22, 270), stroke_dasharray="6 4")
    for i in range(3):
        start, end = left + side + step * i, left + step * (i + 1)
        back = {"stroke_dasharray": "6 4"} | look("reverse")
        forward += arrow((start, top + 32), (end, top + 32), **look("forward"))
        reverse += arrow((end, top + 60), (start, top + 60), **back)
    noise = eps[np.abs(eps).max(axis=1) < 1.9]  # the others leave the box
    parts = {
        "data": ((left, top, side, side), picture(0, x0, 34, "0") + name(0, "data")),
        "noise": (
            (left + 3 * step, top, side, side),
            picture(3, noise, 22, "T") + name(3, "noise"),
        ),
        "forward": ((left, 8, 3 * step + side, 54), forward),
        "reverse": ((left, 242, 3 * step + side, 54), reverse),
    }
    shapes, between = "", ((0.995, "t\u22121"), (0.96, "t"))
    for i, (signal, below) in enumerate(between, start=1):
        shapes += box(left + step * i, top, side, side)
        shapes += picture(i, noisy_points(signal), 30, below)
    for i in (0, 2):  # many steps lie between these two
        shapes += words(left + side + step * i + 13, top + 22, "\u2026", 20)
    alt = (
        "The whole process. From left to right a tree of dots gets noisier until only "
        "noise is left: forward, a formula. Arrows lead back from right to left, from "
        "noise to data: reverse, which a network learns."
    )
    return diagram(shapes, parts, PROCESS, lit, alt=alt, size=(462, 304), width=620)


def chapters_of(part: str) -> str:
    """The chapters of a part of the book in words: "chapter 8", "chapters 1-3"."""
    first, last = CHAPTERS[part]
    if first == last:
        return f"chapter {first}"
    mark = ", " if last == first + 1 else "\u2013"
    return f"chapters {first}{mark}{last}"


def whole_book(lit: Iterable[str] = ()) -> HTML:
    """Draw how the parts of the book hang together, each with its chapters.

    Args:
        lit: names of the parts to light: "data", "noise", "guess", "arrow", "network",
            "step", "words", "judging", "uses". Without one, all are drawn alike.

    Raises:
        ValueError: If a part is not called so.
    """
    x0, eps = tree_points()
    other = np.random.default_rng(2).normal(size=eps.shape)
    columns, rows = (8, 165, 322), (8, 128, 258, 336)

    def filled(part: str, column: int, row: int, picture: str) -> tuple:
        """A box with a heading, a picture if there is room, and its chapters."""
        x, y = columns[column], rows[row]
        wide, high = (130, 90) if row < 2 else (444, 50) if row == 3 else (130, 56)
        middle = x + wide / 2
        title = {"uses": "uses: edit, enlarge, hasten, your own"}.get(part, part)
        inside = words(middle, y + 21, title, 17, font_weight="bold") + picture
        inside += words(middle, y + high - 9, chapters_of(part), 14.5)
        return (x, y, wide, high), inside

    inner = np.abs(eps).max(axis=1) < 1.9  # the others leave their box
    clean = dots(x0, 86, 54, 16) + symbol(40, 58, "x", "0")
    noise = dots(eps[inner], 400, 54, 8.5) + symbol(350, 58, "x", "T")
    guess = dots((0.9 * eps + 0.3 * other)[inner], 400, 174, 8.5, ring=True)
    guess += symbol(354, 180, "\u03f5", hat=True)
    uphill = arrow((256, 184), (204, 162), stroke_width=3)
    step = "".join(
        f'<circle cx="{x}" cy="{y}" r="{r}" fill="currentColor" stroke="none"/>'
        for x, y, r in ((103, 182, 3), (86, 175, 3), (66, 171, 3), (45, 163, 4.5))
    )
    step += '<polyline points="103,182 86,175 66,171 45,163" fill="none"/>'
    parts = {
        "data": filled("data", 0, 0, clean),
        "noise": filled("noise", 2, 0, noise),
        "guess": filled("guess", 2, 1, guess),
        "arrow": filled("arrow", 1, 1, uphill),
        "network": filled("network", 2, 2, ""),
        "step": filled("step", 0, 1, step),
        "words": filled("words", 1, 2, ""),
        "judging": filled("judging", 0, 2, ""),
        "uses": filled("uses", 0, 3, ""),
    }
    noisy = box(165, 8, 130, 90) + words(230, 30, "noisy data", 17)
    noisy += dots(noisy_points(0.97), 244, 62, 13.5) + symbol(196, 68, "x", "t")
    forth = arrow((138, 53), (165, 53)) + arrow((295, 53), (322, 53))
    back = (
        arrow((387, 98), (387, 128))
        + arrow((322, 173), (295, 173))
        + arrow((165, 173), (138, 173))
        + arrow((73, 128), (73, 98))
        + arrow((420, 258), (420, 218))
        + arrow((295, 286), (322, 286))
        + arrow((24, 218), (24, 258))
    )
    again = arrow((56, 218), (56, 243), (366, 243), (366, 218), stroke_dasharray="6 4")
    again += words(210, 236, "and ask again", 14.5)
    alt = (
        "The parts of the book. Noise is added to data until only noise is left. A "
        "network, which may be told words, guesses the noise; turned round, the guess "
        "is an arrow; a step follows it, and the guess is asked for again, until the "
        "noise has become data. Then come judging and uses."
    )
    shapes = noisy + forth + back + again
    return diagram(shapes, parts, BOOK, lit, alt=alt, size=(460, 394), width=520)


def everything_so_far(chapter: int) -> HTML:
    """Draw the whole book with the parts lit that a reader has behind them.

    It opens the section "Everything so far" of chapters that end a stretch of the way.
    Below it stands a table in Markdown, a row for each chapter since the last such
    section: "chapter" (a link), "it asked", "and found" (one sentence, one formula at
    most). Drawing and table fit on one screen together.

    Args:
        chapter: the number of the chapter that it closes, 1 to 22.

    Raises:
        ValueError: If the book has no chapter of that number.
    """
    last = max(end for _, end in CHAPTERS.values())
    if chapter not in range(1, last + 1):
        raise ValueError(f"no chapter {chapter}: the book has chapters 1 to {last}")
    return whole_book(part for part, (_, end) in CHAPTERS.items() if end <= chapter)


def lines(x: float, y: float, *texts: str) -> str:
    """Lines of text in a box, the first of them around (x, y)."""
    return "".join(words(x, y + 19 * i, text) for i, text in enumerate(texts))


def moves_to_gpu(lit: Iterable[str] = ()) -> HTML:
    """Draw what lies in the memory of a CPU and of a GPU in training, and what moves.

    Args:
        lit: names of the parts to light: on the CPU "files", "draws", "log", on the
            GPU "data", "weights", "activations", "loss". Without one, all are drawn
            alike.

    Raises:
        ValueError: If a part is not called so.
    """
    heading, side = {"font_weight": "bold"}, 144

    left, right = 16 + side / 2, 300 + side / 2
    parts = {
        "files": (
            (16, 44, side, 88),
            lines(left, 74, "the files:", "glyphs, captions,", "a new network"),
        ),
        "draws": (
            (16, 168, side, 88),
            lines(left, 198, "chance draws:", "which glyphs and", "levels, the noise"),
        ),
        "log": ((16, 292, side, 44), lines(left, 319, "the log")),
        "data": ((300, 44, side, 44), lines(right, 71, "glyphs, captions")),
        "weights": (
            (300, 98, side, 68),
            lines(right, 118, "weights, average,", "gradients and", "two moments"),
        ),
        "activations": (
            (300, 176, side, 106),
            lines(
                right,
                206,
                "activations:",
                "what the layers",
                "leave for the",
                "way back",
            ),
        ),
        "loss": ((300, 292, side, 44), lines(right, 319, "the loss")),
    }
    shapes = box(4, 4, side + 24, 344) + words(left, 30, "CPU", 17, **heading)
    shapes += box(288, 4, side + 24, 344) + words(right, 30, "GPU", 17, **heading)
    shapes += arrow((160, 66), (300, 66), stroke_width=5)
    shapes += arrow((160, 112), (300, 112), stroke_width=5)
    shapes += words(230, 95, "once")
    shapes += arrow((160, 212), (300, 212))
    shapes += words(230, 202, "in each step")
    shapes += arrow((300, 314), (160, 314), stroke_dasharray="6 4")
    shapes += words(230, 304, "in each step")
    alt = (
        "Two boxes, CPU and GPU. Glyphs, captions and the network go to the GPU once. "
        "In each step go which glyphs, which levels and the noise, and one number "
        "comes back, the loss. Weights, their average, gradients, two moments and "
        "activations stay on the GPU."
    )
    return diagram(shapes, parts, GPU, lit, alt=alt, size=(460, 352), width=600)


def shared_batch(lit: Iterable[str] = ()) -> HTML:
    """Draw how two processes share a batch and end up with the same weights.

    Args:
        lit: names of the parts to light: "batch", "first", "second", "mean", "step".
            Without one, all are drawn alike.

    Raises:
        ValueError: If a part is not called so.
    """
    halves = "half of the batch", "all of the weights", "a gradient of its own"
    parts = {
        "batch": ((150, 8, 160, 44), lines(230, 35, "one batch of glyphs")),
        "first": ((8, 98, 190, 96), lines(103, 122, "process 0", *halves)),
        "second": ((262, 98, 190, 96), lines(357, 122, "process 1", *halves)),
        "mean": (
            (110, 240, 240, 44),
            lines(230, 267, "the mean of both gradients"),
        ),
        "step": (
            (60, 330, 340, 44),
            lines(230, 357, "the same step, in both processes"),
        ),
    }
    shapes = arrow((190, 52), (103, 98)) + arrow((270, 52), (357, 98))
    shapes += arrow((103, 194), (180, 240)) + arrow((357, 194), (280, 240))
    shapes += arrow((230, 284), (230, 330))
    alt = (
        "A batch is split between two processes. Each has all of the weights, works on "
        "its half, and finds a gradient of its own. The mean of both gradients goes to "
        "both, so both take the same step and their weights stay equal."
    )
    return diagram(shapes, parts, SHARED, lit, alt=alt, size=(460, 382), width=520)


def two_answers(lit: Iterable[str] = ()) -> HTML:
    """Draw guidance: two answers to one noisy picture, and the way past the second.

    Args:
        lit: names of the parts to light: "noisy", "silent", "told", "push". Without
            one, all are drawn alike.

    Raises:
        ValueError: If a part is not called so.
    """
    heading = {"font_weight": "bold"}
    noisy = words(66, 66, "noisy", 17, **heading) + symbol(62, 104, "x", "t")
    silent = words(226, 36, "the network", 17, **heading)
    silent += words(226, 60, "hears nothing")
    told = words(226, 120, "the network", 17, **heading)
    told += words(226, 144, "hears \u201cbird\u201d")
    spots = [64 + 120 * scale for scale in range(4)]  # of the scales 0 to 3
    push = arrow((spots[0], 250), (spots[1], 250), stroke_width=4)
    push += arrow((spots[1], 250), (spots[3], 250), stroke_dasharray="7 5")
    for scale, spot in enumerate(spots):
        push += f'<circle cx="{spot}" cy="250" r="5" fill="currentColor"/>'
        push += words(spot, 280, str(scale), 17, **heading)
    push += symbol(spots[0], 232, "\u03f5", "\u2205", hat=True)
    push += symbol(spots[1], 232, "\u03f5", "c", hat=True)
    push += words(304, 228, "and past it")
    push += words(230, 310, "the scale: how many times the step")
    parts = {
        "noisy": ((8, 38, 116, 90), noisy),
        "silent": ((154, 8, 144, 70), silent),
        "told": ((154, 92, 144, 70), told),
        "push": ((8, 192, 444, 132), push),
    }
    shapes = arrow((124, 72), (154, 48)) + arrow((124, 94), (154, 122))
    shapes += arrow((298, 43), (344, 43)) + arrow((298, 127), (344, 127))
    shapes += symbol(366, 50, "\u03f5", "\u2205", hat=True)
    shapes += symbol(366, 134, "\u03f5", "c", hat=True)
    shapes += arrow((396, 127), (424, 127), (424, 192))
    shapes += '<polyline points="396,43 424,43 424,127" fill="none"/>'
    alt = (
        "Guidance. The network sees one noisy picture twice: once it hears nothing, "
        "once it hears bird. The step from the first answer to the second is taken "
        "several times: scale 0 is the first answer, 1 the second, 3 lies past it."
    )
    return diagram(shapes, parts, GUIDED, lit, alt=alt, size=(460, 332), width=560)


def two_jumps(lit: Iterable[str] = ()) -> HTML:
    """Draw how a student is taught: two jumps of its teacher become one of its own.

    Args:
        lit: names of the parts to light: "start", "teacher", "student", "landing".
            Without one, all are drawn alike.

    Raises:
        ValueError: If a part is not called so.
    """
    heading, short = {"font_weight": "bold"}, {"stroke_width": 3}
    start = words(402, 122, "start", 17, **heading) + symbol(400, 164, "x", "t")
    start += words(402, 194, "level t")
    landing = words(58, 122, "landing", 17, **heading) + symbol(56, 164, "x", "s")
    landing += words(58, 194, "level s")
    teacher = words(230, 32, "teacher", 17, **heading)
    teacher += arrow((302, 56), (237, 56), **short)
    teacher += arrow((230, 56), (160, 56), **short)
    teacher += words(230, 88, "two jumps")
    student = words(230, 240, "student", 17, **heading)
    student += arrow((302, 264), (160, 264), **short) + words(230, 296, "one jump")
    teacher += spot(302, 56) + spot(230, 56)
    student += spot(302, 264)
    parts = {
        "start": ((352, 98, 100, 112), start),
        "teacher": ((140, 8, 180, 94), teacher),
        "student": ((140, 216, 180, 94), student),
        "landing": ((8, 98, 100, 112), landing),
    }
    shapes = arrow((402, 98), (402, 55), (320, 55))
    shapes += arrow((140, 55), (58, 55), (58, 98))
    shapes += arrow((402, 210), (402, 263), (320, 263))
    shapes += arrow((140, 263), (58, 263), (58, 210), stroke_dasharray="6 4")
    shapes += words(230, 140, "it should land there, too;")
    shapes += words(230, 162, "how far off it is")
    shapes += words(230, 184, "turns its knobs")
    alt = (
        "Two jumps become one. From a noisy point at level t the teacher jumps twice, "
        "and lands at level s. The student starts at the same point and jumps once. It "
        "should land at the same place; how far off it is turns its knobs."
    )
    return diagram(shapes, parts, HALVED, lit, alt=alt, size=(460, 318), width=560)


def two_doors(lit: Iterable[str] = ()) -> HTML:
    """Draw the two ways by which a text comes into the U-net.

    Args:
        lit: names of the parts to light: "tokens", "attention", "mean". Without one,
            all are drawn alike.

    Raises:
        ValueError: If a part is not called so.
    """
    heading = {"font_weight": "bold"}

    def cells(x: float, y: float, num: int, side: float, dark: int = -1) -> str:
        """A row of squares from (x, y) on, one of them dark."""
        return "".join(
            f'<rect x="{x + i * side:g}" y="{y:g}" width="{side:g}" height="{side:g}" '
            f'fill="currentColor" fill-opacity="{0.6 if i == dark else 0.12:g}" '
            'stroke-width="1"/>'
            for i in range(num)
        )

    tokens = words(112, 32, "tokens of the text", 17, **heading)
    for y, token in ((50, "gold"), (78, "&lt;/s&gt;")):
        tokens += words(58, y + 15, token) + cells(92, y, 6, 18)
    attention = words(112, 172, "cross-attention", 17, **heading)
    for row in range(4):
        attention += cells(76, 186 + 18 * row, 4, 18, dark=2 if row == 1 else -1)
    attention += words(112, 284, "each place asks:")
    attention += words(112, 306, "which token is for me?")
    mean = words(348, 172, "the mean", 17, **heading)
    for i in (0, 1, 2):
        x, y, fill = 312 + 12 * i, 186 + 10 * i, 0.6 if i == 1 else 0.12
        mean += (
            f'<rect x="{x:g}" y="{y:g}" width="48" height="48" fill="currentColor" '
            f'fill-opacity="{fill:g}" stroke-width="1"/>'
        )
    mean += words(348, 284, "each channel is turned,")
    mean += words(348, 306, "alike at all places")
    parts = {
        "tokens": ((8, 8, 208, 100), tokens),
        "attention": ((8, 148, 208, 172), attention),
        "mean": ((244, 148, 208, 172), mean),
    }
    level = box(322, 40, 130, 38) + words(374, 65, "level") + symbol(412, 66, "t")
    network = box(8, 360, 444, 42) + words(230, 387, "the U-net", 17, **heading)
    forth = (
        arrow((112, 108), (112, 148))
        + arrow((216, 78), (280, 78), (280, 148))
        + arrow((387, 78), (387, 148))
        + arrow((112, 320), (112, 360))
        + arrow((348, 320), (348, 360))
    )
    alt = (
        "Two doors into the U-net. The tokens of a text go to cross-attention, where "
        "each place of the picture asks which token is for it; and their mean joins "
        "the level, and turns each channel up or down, alike at all places."
    )
    shapes = level + network + forth
    return diagram(shapes, parts, DOORS, lit, alt=alt, size=(460, 410), width=520)


def unet_parts(lit: Iterable[str] = ()) -> HTML:
    """Draw the glyffuser's U-net: the way down, the bottom, the way up, the skips.

    The shapes are those of the shipped network, for a glyph of 32x32 pixels.

    Args:
        lit: names of the parts to light: "down", "bottom", "up", "skips", "level".
            Without one, all are drawn alike.

    Raises:
        ValueError: If a part is not called so.
    """
    heading = {"font_weight": "bold"}
    left, right, middle = 78, 382, 230
    shapes = (
        "64 \u00d7 16 \u00d7 16",
        "128 \u00d7 8 \u00d7 8",
        "192 \u00d7 4 \u00d7 4",
    )

    def maps(x: float, y: float, side: float, text: str) -> str:
        """A pile of feature maps around (x, y), and their shape below."""
        found = "".join(
            f'<rect x="{x - side / 2 + 4 * i:g}" y="{y - side / 2 + 4 * i:g}" '
            f'width="{side:g}" height="{side:g}" fill="currentColor" '
            'fill-opacity="0.12" stroke-width="1.5"/>'
            for i in (-1, 0, 1)
        )
        return found + words(x, y + side / 2 + 24, text)

    def way(x: float, name: str) -> str:
        """What stands in the box of one of the two ways."""
        found = words(x, 136, name, 17, **heading)
        found += maps(x, 180, 48, shapes[0])
        return found + maps(x, 272, 26, shapes[1])

    bottom = words(middle, 362, "bottom", 17, **heading)
    bottom += maps(middle, 390, 14, shapes[2])
    dashes = {"stroke_dasharray": "6 4"}
    skips = words(middle, 228, "skips", 17, **heading)
    skips += arrow((148, 180), (312, 180), **dashes)
    skips += arrow((148, 272), (312, 272), **dashes)
    level = words(216, 32, "level", 17, **heading) + symbol(252, 33, "t")
    level += words(middle, 58, "told to all")
    parts = {
        "down": ((8, 112, 140, 204), way(left, "way down")),
        "bottom": ((160, 340, 140, 92), bottom),
        "up": ((312, 112, 140, 204), way(right, "way up")),
        "skips": ((180, 156, 100, 140), skips),
        "level": ((165, 8, 130, 64), level),
    }
    ends = box(8, 8, 140, 64) + symbol(left - 4, 36, "x", "t")
    ends += words(left, 62, "1 \u00d7 32 \u00d7 32")
    ends += box(312, 8, 140, 64) + symbol(right, 38, "v", hat=True)
    ends += words(right, 62, "1 \u00d7 32 \u00d7 32")
    ends += arrow((left, 72), (left, 112)) + arrow((right, 112), (right, 72))
    ends += arrow((left, 316), (left, 386), (160, 386))
    ends += arrow((300, 386), (right, 386), (right, 316))
    ends += arrow((190, 72), (190, 92), (120, 92), (120, 112))
    ends += arrow((270, 72), (270, 92), (340, 92), (340, 112))
    alt = (
        "A U-net. A noisy picture goes down the left arm, where its feature maps "
        "shrink from 16 by 16 to 8 by 8, through the bottom at 4 by 4, and up the "
        "right arm to the answer. Dashed skips lead across at each size. The level is "
        "told to all parts."
    )
    return diagram(ends, parts, UNET, lit, alt=alt, size=(460, 440), width=560)
