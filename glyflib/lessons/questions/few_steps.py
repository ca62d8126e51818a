"""Questions of chapter 21: calls, an aim, a bell, its map, a price, a lesson, a slope.

Invariant: answers are computed from the package, or from the formulas beside them.
"""

import json
from functools import cache

import torch
from torch import Tensor

from glyflib.distillation import Jumps, Teacher, draw_jumps, target_x0, two_jumps
from glyflib.exact import GaussianMixture
from glyflib.files import CONFIG
from glyflib.lessons import one_pixel
from glyflib.lessons.few_steps import calls_of_teaching
from glyflib.lessons.question import Mistake, Question
from glyflib.schedule import cosine_alpha_bar
from glyflib.student import SHIPPED, ending_in_noise, jump

STEPS = 30  # of a guided glyph
CALLS = 4  # of a student's
SIGNALS = (0.6, 0.8)  # factors of the signal at t and at s; of the noise, the others
START, LANDING = 1.0, 0.96
STD = 0.5  # of a bell
NOISE = 1.2


def calls_of_guided(num_steps: int) -> int:
    """Calls of a guided glyph: two answers a step."""
    return 2 * num_steps


def aim(start: float, landing: float, signals: tuple[float, float]) -> float:
    """The data towards which one jump leads from the start to the landing.

    Args:
        start: at level t.
        landing: at level s.
        signals: factors of the signal at t and at s.
    """
    alpha_bar = torch.tensor([1.0, signals[1] ** 2, signals[0] ** 2]).double()
    xt, xs = (torch.tensor([[x]], dtype=torch.float64) for x in (start, landing))
    return target_x0(xt, xs, torch.tensor([2]), torch.tensor([1]), alpha_bar).item()


def flow_of_bell(xt: Tensor, ab_t: float, ab_s: float, var: float) -> Tensor:
    """Where the curve through xt leads, where data are a bell with mean 0.

    Args:
        xt: places at level t.
        ab_t: alpha_bar there.
        ab_s: alpha_bar at the level to go to.
        var: variance of the data.

    References:
        Song et al. 2021 (score-based SDEs), section 4.3, for one Gaussian.
    """
    return xt * ((ab_s * var + 1 - ab_s) / (ab_t * var + 1 - ab_t)) ** 0.5


def by_variances(xt: Tensor, ab_t: float, ab_s: float, var: float) -> Tensor:
    """The same without the root: variances in the place of spreads."""
    return xt * (ab_s * var + 1 - ab_s) / (ab_t * var + 1 - ab_t)


def upside_down(xt: Tensor, ab_t: float, ab_s: float, var: float) -> Tensor:
    """The way from s to t."""
    return flow_of_bell(xt, ab_s, ab_t, var)


def without_noise(xt: Tensor, ab_t: float, ab_s: float, var: float) -> Tensor:
    """As if the crowd were as wide as its signal alone."""
    return xt * (ab_s / ab_t) ** 0.5


def by_one_call(xt: Tensor, ab_t: float, ab_s: float, var: float) -> Tensor:
    """One step of DDIM with the exact denoiser, which is no curve."""
    wide = ab_t * var + 1 - ab_t
    x0_hat = ab_t**0.5 * var / wide * xt
    eps_hat = (1 - ab_t) ** 0.5 / wide * xt
    return ab_s**0.5 * x0_hat + (1 - ab_s) ** 0.5 * eps_hat


def noisy_places() -> tuple[Tensor, float, float, float]:
    """Places, two levels and a variance, on which a function is tried."""
    return torch.linspace(-2, 2, 7).double(), 0.1, 0.7, 0.3


@cache
def training_of_shipped() -> dict:
    """What the shipped student's config.json tells of its training."""
    return json.loads((SHIPPED / CONFIG).read_text("utf-8"))["training"]


def glyphs_until_it_pays(saved: float) -> float:
    """After how many thousand glyphs teaching has cost less than it has saved.

    Args:
        saved: calls of each glyph.
    """
    return calls_of_teaching(training_of_shipped()) / saved / 1000


def saved_calls() -> int:
    """Calls that the student saves of a guided glyph."""
    return calls_of_guided(STEPS) - CALLS


@cache
def schedule_of_student() -> Tensor:
    """The glyffuser's schedule, with nothing of the data left at its last level."""
    return ending_in_noise(cosine_alpha_bar(1000))


def aims(xt: Tensor, jumps: Jumps, teachers: dict[int, Teacher]) -> Tensor:
    """The data towards which one jump of each row leads, by that row's own teacher.

    Args:
        xt: (B, ...) noisy data at the levels where the jumps start.
        jumps: to walks in these numbers of calls.
        teachers: who jumps twice, by the calls of the walk.

    References:
        Salimans and Ho 2022, Algorithm 2.
    """
    wanted = torch.empty_like(xt)
    for calls, teacher in teachers.items():
        mine = jumps.count == calls
        t, middle, s = (levels[mine] for levels in jumps[1:])
        xs = two_jumps(teacher, xt[mine], t, middle, s, schedule_of_student())
        wanted[mine] = target_x0(xt[mine], xs, t, s, schedule_of_student())
    return wanted


def aims_of_newest(xt: Tensor, jumps: Jumps, teachers: dict[int, Teacher]) -> Tensor:
    """All rows by the teacher of the fewest calls."""
    newest = teachers[min(teachers)]
    return aims(xt, jumps, dict.fromkeys(teachers, newest))


def aims_exchanged(xt: Tensor, jumps: Jumps, teachers: dict[int, Teacher]) -> Tensor:
    """Each row by the teacher of the other walk."""
    others = zip(teachers, reversed(teachers.values()), strict=True)
    return aims(xt, jumps, dict(others))


def landings(xt: Tensor, jumps: Jumps, teachers: dict[int, Teacher]) -> Tensor:
    """Where each row's teacher lands, in place of the aim that leads there."""
    found = aims(xt, jumps, teachers)
    return jump(xt, found, jumps.t, jumps.s, schedule_of_student())


def beliefs(xt: Tensor, jumps: Jumps, teachers: dict[int, Teacher]) -> Tensor:
    """What each row's teacher says at the start: one jump of it, and not two."""
    said = torch.empty_like(xt)
    for calls, teacher in teachers.items():
        mine = jumps.count == calls
        said[mine] = teacher(xt[mine], jumps.t[mine], jumps.s[mine])
    return said


def mixed_jumps() -> tuple[Tensor, Jumps, dict[int, Teacher]]:
    """Places, jumps of walks in 2 calls and in 1, and a teacher of each."""
    generator = torch.Generator().manual_seed(0)
    jumps = draw_jumps((2, 1), 16, 1000, generator)
    xt = torch.randn(16, 2, generator=generator).double()

    def hesitant(xt: Tensor, t: Tensor, s: Tensor) -> Tensor:
        return xt * (1 - t[:, None] / 2000) + s[:, None] / 1000

    def bold(xt: Tensor, t: Tensor, s: Tensor) -> Tensor:
        return xt.sign() * (2 - t[:, None] / 1000) - s[:, None] / 1000

    return xt, jumps, {2: hesitant, 1: bold}


@cache
def pixel() -> GaussianMixture:
    """The pixel of chapter 13, on the student's schedule."""
    return one_pixel.pixel_of_three_bells(schedule_of_student())


def slope_of_map(noise: float) -> float:
    """How steeply the end of the curve rises with the noise: one density by another.

    Each curve keeps its rank, so as many noises lie in a piece of the axis as data lie
    in the piece that it becomes.
    """
    z = torch.tensor([noise], dtype=torch.float64)
    end = one_pixel.end_of_path(pixel(), z, 1000)
    of_noise = (-z.square() / 2).exp() / (2 * torch.pi) ** 0.5
    of_data = pixel().density(end[:, None], torch.tensor(0))
    return (of_noise / of_data).item()


QUESTIONS = {
    "few-calls": Question(
        right=lambda: calls_of_guided(STEPS) / CALLS,
        because=lambda right: (
            f"{STEPS} guided steps are {calls_of_guided(STEPS)} calls, and "
            f"{calls_of_guided(STEPS)} is {right:g} times {CALLS}."
        ),
        mistakes=(
            Mistake(
                lambda: STEPS / CALLS,
                "That counts steps. How many answers does a guided step ask for?",
            ),
            Mistake(
                lambda: STEPS / (2 * CALLS),
                "The *teacher* asks twice a step. The student has the guidance in it.",
            ),
            Mistake(saved_calls, "That is the difference. How many times?"),
        ),
        hint="Calls of the one, divided by calls of the other.",
    ),
    "few-aim": Question(
        right=lambda: aim(START, LANDING, SIGNALS),
        because="0.75 of the start is kept; what is left of the landing is 0.21, "
        "and 0.21 / 0.35 is 0.6.",
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: LANDING,
                "At level 0 the aim is the landing. Here noise is left at level s.",
            ),
            Mistake(
                lambda: (LANDING - 0.75 * START) / SIGNALS[1],
                "The start holds data, too: take 0.75 times *its* factor from 0.8.",
            ),
            Mistake(
                lambda: LANDING - 0.75 * START,
                "That is above the line. What is below it?",
            ),
        ),
        hint="First k = 0.6 / 0.8, then what stands above the line, then below it.",
    ),
    "few-bell": Question(
        right=lambda: (flow_of_bell(NOISE, 0, 1, STD**2), by_one_call(NOISE, 0, 1, 0)),
        because=lambda right: (
            f"the curve keeps its place in the crowd, so it ends at {right[0]:g}; one "
            "call of the denoiser says the mean, whatever the noise."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: (NOISE * STD**2, 0.0),
                "The second is right. For the first, spreads count, not variances.",
            ),
            Mistake(
                lambda: (NOISE, 0.0),
                "The second is right. But the data are narrower than the noise.",
            ),
            Mistake(
                lambda: (NOISE * STD, NOISE * STD),
                "The first is right. The second: what does noise alone tell of data?",
            ),
            Mistake(lambda: (0.0, NOISE * STD), "The right numbers, the other way."),
        ),
        hint="The curve keeps its rank. The denoiser says a mean.",
    ),
    "few-map": Question(
        right=lambda: flow_of_bell,
        because="the place keeps its rank, so it grows as the crowd's spread does.",
        tolerance=1e-6,
        mistakes=(
            Mistake(
                lambda: by_variances,
                "These are variances. A place grows with the spread, the root.",
            ),
            Mistake(lambda: upside_down, "That is the way back, from s to t."),
            Mistake(
                lambda: by_one_call,
                "That is a step of DDIM. It leaves the curve; keep the rank instead.",
            ),
            Mistake(
                lambda: without_noise, "At each level there is noise in the crowd, too."
            ),
        ),
        hint="The spread of the crowd at level s, over that at level t, times xt.",
        given=noisy_places,
    ),
    "few-pays": Question(
        right=lambda: glyphs_until_it_pays(saved_calls()),
        because=lambda right: (
            f"each glyph saves {saved_calls()} calls, so after about {right:,.0f} "
            "thousand of them the teaching is paid for."
        ),
        tolerance=0.6,
        mistakes=(
            Mistake(
                lambda: 1000 * glyphs_until_it_pays(saved_calls()),
                "The right number of glyphs. It is asked for in thousands.",
            ),
            Mistake(
                lambda: glyphs_until_it_pays(STEPS - CALLS),
                "A guided step of the teacher takes two calls.",
            ),
            Mistake(
                lambda: glyphs_until_it_pays(calls_of_guided(STEPS)),
                "The student's own calls are not free: what is *saved* a glyph?",
            ),
        ),
        hint="Calls of teaching, over calls saved a glyph, over a thousand.",
    ),
    "few-practice": Question(
        right=lambda: aims,
        because="each row is asked to land where two jumps of its own teacher do.",
        tolerance=1e-6,
        mistakes=(
            Mistake(
                lambda: aims_of_newest,
                "All rows learn from one teacher. Which rows are of the other walk?",
            ),
            Mistake(
                lambda: aims_exchanged,
                "The teachers are exchanged: `teachers[1]` is for rows of count 1.",
            ),
            Mistake(
                lambda: landings,
                "That is where the teachers land. What must the network *say* so that "
                "one jump lands there?",
            ),
            Mistake(
                lambda: beliefs,
                "That is what a teacher says at the start. Let it jump twice.",
            ),
        ),
        hint="For each of both teachers: two jumps, then the aim. Then choose by row.",
        given=mixed_jumps,
    ),
    "few-slope": Question(
        right=lambda: slope_of_map(0.0),
        because=lambda right: (
            f"there the map rises {right:.1f} times as fast as the noise."
        ),
        tolerance=0.1,
        mistakes=(
            Mistake(
                lambda: 1 / slope_of_map(0.0),
                "The other way round: where data are rare, the map is *steep*.",
            ),
        ),
        hint="The density of the noise there, over the density of the data at the end.",
    ),
}
