"""Panels for chapters, in which the reader's browser draws: on the page and in Lab.

Invariant: what a cell shows holds the engine and no weights. These are scripts in the
folder "draw" beside the page or notebook, loaded when a reader presses Draw.
"""

import base64
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from IPython.display import HTML
from torch import Tensor

from glyflib.data import images_from_x0
from glyflib.files import write_text
from glyflib.glyffuser import Glyffuser
from glyflib.interactive.drawing import FOLDER, STEPS, Look, drawing_panel
from glyflib.sampling import check_scale
from glyflib.student import Student

KEPT = ("left", "right", "upper", "lower", "ink", "all", "nothing")  # as sketch.js has


def panel(drawers: Mapping[str, Glyffuser | Student], look: Look) -> HTML:
    """A panel for a cell; the scripts that it needs are written where they are missing.

    The notebook's own folder gets them, in "draw". The book writes the same ones beside
    its pages.

    Args:
        drawers: what is to draw, by the names that readers see.
        look: of the panel.

    Raises:
        ValueError: If one draws latents, or its encoder or size does not suit a page.
        OSError: If a script cannot be written.
    """
    labels = [*drawers]
    key = sha256(repr((labels, look)).encode()).hexdigest()[:8]
    fragment, scripts = drawing_panel(drawers, look=look, place=f"draw-here-{key}")
    folder = Path(FOLDER)
    folder.mkdir(exist_ok=True)
    for name, text in scripts.items():
        if not (folder / name).exists():  # a name tells what is in it
            write_text(folder / name, text)
    return HTML(fragment)


def draw_here(
    drawer: Glyffuser | Student,
    *,
    words: str = "water; river",
    scale: float = 3.0,
    scales: tuple[float, float] | None = (1.0, 8.0),
    count: int = 16,
) -> HTML:
    """A panel that draws glyphs for the words that a reader types.

    Args:
        drawer: what draws. A student has one scale of its own.
        words: that stand in the field at first.
        scale: of a glyffuser's guidance, at first.
        scales: from which to which the reader may set it; None if it stays as it is.
        count: of glyphs, at least 1.

    Raises:
        ValueError: If the scale does not lie in its range, count is below 1, or the
            drawer does not suit a page; see `panel`.
    """
    check_scale(scale)
    check_count("count", count)
    if scales is not None and not scales[0] <= scale <= scales[1]:
        raise ValueError(f"scale {scale} must lie within scales {scales}")
    look = Look(words=words, scale=scale, scales=scales, count=count)
    return panel({name_of(drawer): drawer}, look)


def compare_here(
    student: Student,
    teacher: Glyffuser,
    *,
    words: str = "bird",
    steps: tuple[int, ...] = STEPS,
    noises: int = 4,
) -> HTML:
    """A panel that draws from the same noises by a student's calls and by its teacher.

    The student draws in as many calls as it has learnt, from fewest to most; below it
    the glyffuser draws at the student's scale of guidance.

    Args:
        student: whose calls are compared.
        teacher: the glyffuser that taught it.
        words: that stand in the field at first.
        steps: of the teacher's sampler, a row each.
        noises: how many glyphs are in a row, at least 1.

    Raises:
        ValueError: If the two have different text encoders or sizes, steps or noises
            are out of range, or a model does not suit a page.
    """
    most = len(teacher.alpha_bar) - 1
    check_count("noises", noises)
    for count in steps:
        if not 1 <= count <= most:
            raise ValueError(f"steps {count} must lie in [1, {most}]")
    if student.size != teacher.size:
        raise ValueError(f"student's size {student.size} and {teacher.size} must match")
    rows = []
    for count in sorted(student.counts):
        noun = "call" if count == 1 else "calls"
        rows.append((f"student, {count} {noun}", "student", count))
    each = 1 if student.scale in (0, 1) else 2  # calls of a step, see `guided`
    for count in steps:
        label = f"teacher, {each * count} calls in {count} steps"
        rows.append((label, "teacher", count))
    look = Look(
        words=words,
        count=noises,
        columns=noises,
        scale=student.scale,
        scales=None,
        rows=tuple(rows),
    )
    return panel({"student": student, "teacher": teacher}, look)


def finish_here(
    glyffuser: Glyffuser,
    pictures: Mapping[str, Tensor],
    *,
    words: str = "fish",
    scale: float = 2.0,
    scales: tuple[float, float] = (1.0, 8.0),
    keep: str = "left",
    count: int = 8,
) -> HTML:
    """A panel with a field to draw on: the glyffuser finishes what is drawn there.

    It does so by replacement, see `editing.keeping`.

    Args:
        glyffuser: what draws.
        pictures: to begin with, by name: x0, of one channel, of the glyffuser's size.
        words: that stand in the field at first.
        scale: of the guidance, at first.
        scales: from which to which the reader may set it.
        keep: which part of a picture is kept at first: "left", "right", "upper" or
            "lower", each a half, or "ink", "all" or "nothing".
        count: of glyphs, at least 1.

    Raises:
        ValueError: If it is a student, a picture is of another size, keep is unknown,
            or a number is out of range.
    """
    if isinstance(glyffuser, Student):
        raise ValueError(
            "a student jumps where it has learnt to, and keeps nothing on the way: "
            "finish pictures with a glyffuser"
        )
    if keep not in KEPT:
        raise ValueError(f"keep {keep!r} must be one of {', '.join(KEPT)}")
    check_scale(scale)
    check_count("count", count)
    if not scales[0] <= scale <= scales[1]:
        raise ValueError(f"scale {scale} must lie within scales {scales}")
    begun = []
    for label, x0 in pictures.items():
        if x0.numel() != glyffuser.size**2:
            shape, side = tuple(x0.shape), glyffuser.size
            raise ValueError(f"picture {label!r} {shape} must be {side} x {side}")
        greys = images_from_x0(x0).numpy().tobytes()
        begun.append({"label": label, "greys": base64.b64encode(greys).decode()})
    look = Look(
        words=words,
        count=count,
        scale=scale,
        scales=scales,
        sketch={"pictures": begun, "keep": keep},
    )
    return panel({name_of(glyffuser): glyffuser}, look)


def check_count(name: str, count: int) -> None:
    """Raise a ValueError if a number of glyphs is below 1."""
    if count < 1:
        raise ValueError(f"{name} {count} must be at least 1")


def name_of(drawer: Glyffuser | Student) -> str:
    """What readers call it."""
    return "the student" if isinstance(drawer, Student) else "the glyffuser"
