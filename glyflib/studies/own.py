"""A font's symbols learnt, for chapter 22: its live run, gone on for some minutes.

Invariant: all moments of the run are asked for the same drawings from the same noises,
and measured on the same noisy glyphs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from glyflib.data import Glyphs, evenly, images_from_x0, load_glyphs, x0_from_images
from glyflib.evaluation.radicals import RadicalClassifier
from glyflib.evaluation.samples import nearest_captions
from glyflib.glyffuser import Glyffuser
from glyflib.glyphs.assemble import build_glyphs
from glyflib.glyphs.fonts import carried_font, open_face
from glyflib.glyphs.names import name_captions, parse_ranges
from glyflib.glyphs.tables import NO_UNIHAN
from glyflib.lessons.own import Learnt, learn
from glyflib.runs import LEVELS
from glyflib.studies.common import Part, Subject, clock
from glyflib.training import TrainConfig, errors_by_level

SYMBOLS = "U+2190-U+21FF, U+2600-U+27BF"  # arrows; symbols and dingbats
WISHES = (  # the names of the last two are held back
    "black chess knight",
    "white chess queen",
    "leftwards arrow",
    "white heart suit",
    "umbrella",
    "black chess king",
)


@dataclass(frozen=True)
class Plan:
    """How long the run is, and by how much it is judged.

    Attributes:
        config: how to train; that of the chapter, but for the number of steps and for
            products in bfloat16, which take less time. Drawings are made in float32.
        moments: steps after which it is asked for drawings, rising, the last one that
            of the whole run.
        every: so many steps apart the errors are measured.
        num_shown: names that it is shown, asked for once each.
        num_each: drawings of each name that is held back.
        num_steps: of the sampler.
        scale: of the guidance.
    """

    config: TrainConfig = field(
        default_factory=lambda: TrainConfig(
            600,
            batch_size=16,
            learning_rate=4e-4,
            warmup=4,
            ema_decay=0.9,
            cpu_bf16=True,
        )
    )
    moments: tuple[int, ...] = (0, 40, 200, 600)
    every: int = 40
    num_shown: int = 46
    num_each: int = 2
    num_steps: int = 10
    scale: float = 2.0

    def __post_init__(self):
        rising = sorted(set(self.moments))
        if list(self.moments) != rising or rising[-1:] != [self.config.steps]:
            told = f"moments {self.moments} must rise to the {self.config.steps} steps"
            raise ValueError(f"{told} of the run")


def symbol_set() -> Glyphs:
    """The symbols of the font that matplotlib carries, at 32 by 32 pixels."""
    captions: dict[str, str] = {}
    for span in parse_ranges(SYMBOLS):
        captions |= name_captions(span)
    with TemporaryDirectory() as folder:
        out = Path(folder) / "symbols.parquet"
        face = open_face(carried_font())
        build_glyphs(face, captions, NO_UNIHAN, out, is_unihan=False)
        return load_glyphs("all", 32, path=out)


class Lesson:
    """One run, gone on with as far as it is asked for.

    Attributes:
        glyphs: all of the set.
        shown: those that it is trained on.
        asked: kind -> the names that are drawn and judged.
    """

    def __init__(self, subject: Subject, plan: Plan, glyphs: Glyphs):
        """Begin nothing yet.

        Args:
            subject: whose glyffuser learns.
            plan: how long, how much.
            glyphs: to learn, some of them held back.
        """
        self.start, self.plan, self.glyphs = subject.glyffuser, plan, glyphs
        self.shown = glyphs.take(~glyphs.is_test)
        back = glyphs.is_test.nonzero().squeeze(1)
        spread = evenly(min(plan.num_shown, len(self.shown)), len(self.shown))
        self.asked = {
            "shown": (~glyphs.is_test).nonzero().squeeze(1)[spread],
            "held back": back.repeat_interleave(plan.num_each),
        }
        # the errors are measured on as many of either kind
        few = self.shown.take(evenly(min(len(back), len(self.shown)), len(self.shown)))
        self.measured = {"shown": few, "held back": glyphs.take(back)}
        self.seconds = 0.0
        self.steps: Iterator[Learnt] | None = None
        self.step, self.now = 0, subject.glyffuser

    @cached_property
    def real_features(self) -> Tensor:
        """What the radical classifier sees in the set's glyphs, (N, 96)."""
        x0 = x0_from_images(self.glyphs.images)
        return RadicalClassifier.load().read(x0).features

    def go_on(self, until: int) -> dict:
        """Train until a step; the losses on the way, and errors every so many steps.

        A run that has passed the step begins again, and one that was killed with its
        process does so as well: with the same seed it goes the same way.
        """
        if self.steps is None or until < self.step:
            config, shown = self.plan.config, self.shown
            self.steps = learn(self.start, shown.images, shown.captions, config)
            self.step, self.now, self.seconds = 0, self.start, 0.0
        losses: list[float] = []
        at: list[int] = []
        errors: dict[str, list[Tensor]] = {kind: [] for kind in self.measured}

        def measure() -> None:
            at.append(self.step)
            for kind, some in self.measured.items():
                errors[kind].append(errors_of(self.now, some, self.plan.config.seed))

        if until == 0:
            measure()
        while self.step < until:
            begin = clock()
            learnt = next(self.steps)
            self.seconds += clock() - begin
            self.step, self.now = learnt.step, learnt.glyffuser
            losses.append(learnt.loss)
            if self.step % self.plan.every == 0 or self.step == until:
                measure()
        tensors = {f"{kind} errors": torch.stack(rows) for kind, rows in errors.items()}
        return {"losses": losses, "measured": at} | tensors

    def draw(self, prompts: Sequence[str], seed: int) -> Tensor:
        """Drawings x0 (N, 1, S, S) as the run now draws them."""
        plan = self.plan
        return self.now.sample(
            prompts, num_steps=plan.num_steps, scale=plan.scale, seed=seed
        )

    def nearest(self, kind: str, seed: int) -> Tensor:
        """The row of the real glyph that each drawing of a kind is most like, (N,)."""
        prompts = [self.glyphs.captions[row] for row in self.asked[kind].tolist()]
        features = RadicalClassifier.load().read(self.draw(prompts, seed)).features
        rows = torch.arange(len(self.glyphs))
        return nearest_captions(features, self.real_features, rows)


def errors_of(glyffuser: Glyffuser, glyphs: Glyphs, seed: int) -> Tensor:
    """Error in v of each glyph (N,), told its caption, a mean over levels."""
    levels, alpha_bar = list(LEVELS), glyffuser.alpha_bar
    errors = errors_by_level(
        glyffuser.denoiser(glyphs.captions),
        x0_from_images(glyphs.images),
        levels,
        alpha_bar,
        torch.Generator().manual_seed(seed),
    )
    return (errors / alpha_bar[levels, None]).mean(0).float()


def moment(lesson: Lesson, before: int, step: int, seed: int) -> dict:
    """What the run draws after a step, and what it lost on the way there.

    Args:
        lesson: the run.
        before: the moment before this one, from which on losses are told.
        step: after which it is asked.
        seed: of the noises.
    """
    if before and lesson.step != before:  # what it lost until there is in the file
        lesson.go_on(before)
    told = lesson.go_on(step)
    told |= {"steps": step, "seconds": round(lesson.seconds, 1)}
    told |= {"wishes": list(WISHES), "scale": lesson.plan.scale}
    told["sheet"] = images_from_x0(lesson.draw(list(WISHES), seed))
    for kind, rows in lesson.asked.items():
        told[f"{kind} asked"] = [lesson.glyphs.captions[row] for row in rows.tolist()]
        told[f"{kind} rows"] = rows.int()
        told[f"{kind} nearest"] = lesson.nearest(kind, seed).int()
    return told


def about(lesson: Lesson) -> dict:
    """What the run is: how it trains, and on how many glyphs."""
    return {
        "config": asdict(lesson.plan.config),
        "num_glyphs": len(lesson.glyphs),
        "num_shown": len(lesson.shown),
        "num_held_back": len(lesson.glyphs) - len(lesson.shown),
        "levels": list(LEVELS),
        "captions": list(lesson.glyphs.captions),
    }


def own(
    subject: Subject,
    seed: int,
    *,
    plan: Plan | None = None,
    glyphs: Glyphs | None = None,
) -> Mapping[str, Part]:
    """A part "about", and one for each moment: "step 0", "step 40" and so on.

    Args:
        subject: whose glyffuser learns; its own glyphs are not asked for.
        seed: of the noises that drawings begin with.
        plan: how long, how much; its configuration has the seed of the training.
        glyphs: to learn; by default the symbols of the carried font.
    """
    plan = plan or Plan()
    whole: list[Lesson] = []  # made once, when a part is first computed

    def lesson() -> Lesson:
        if not whole:
            learn_from = symbol_set() if glyphs is None else glyphs
            whole.append(Lesson(subject, plan, learn_from))
        return whole[0]

    def part(before: int, step: int) -> dict:
        return moment(lesson(), before, step, seed)

    parts: dict[str, Part] = {"about": lambda: about(lesson())}
    for before, step in pairwise((0, *plan.moments)):
        parts[f"step {step}"] = partial(part, before, step)
    return parts
