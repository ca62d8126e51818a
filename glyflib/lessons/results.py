"""What the studies found, by name: what takes longer than a chapter's minute.

Invariant: names of parts, as `glyflib.lessons.stored` keeps them, are read here and
nowhere else; a name that is not stored is told, with those that are.
"""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from glyflib.data import x0_from_images
from glyflib.evaluation.intervals import (
    Estimate,
    bootstrap_draws,
    bootstrap_interval,
    interval_of,
    means_over_runs,
    share_interval,
)
from glyflib.evaluation.report import REPORT
from glyflib.files import CONFIG, DATA
from glyflib.lessons import asked, solver_race, ways_in
from glyflib.lessons.own import has_common_word
from glyflib.lessons.stored import RESULTS, Results, load_results
from glyflib.run_log import LOG, SNAPSHOTS, read_log
from glyflib.training import TrainConfig

FIRST_EDITION = DATA / "first-edition"
# Samplers of the chapter on sampling, and what their parts are called.
LADDERS = {"DDIM": "ddim", "DDPM": "ddpm", "2M": "dpm"}
JUDGED = LADDERS | {"DDIM, clipped": "ddim clipped"}
DENOISERS = ("captions", "no captions", "ideal")
SPLITS = ("train", "test")
KINDS = ("shown", "held back")  # names of one's own glyphs
# What the curve was followed for, and what the parts are called.
CURVES = {"untold": "curve", "told": "told", "uniform": "uniform", "fine": "fine"}


def check_name(what: str, name: object, known: Collection) -> None:
    """Raise a ValueError that names what there is, unless the name is among it."""
    if name not in known:
        listed = ", ".join(str(one) for one in known)
        raise ValueError(f"{what} {name!r} is not stored: there are {listed}")


@dataclass(frozen=True)
class StudyResults:
    """What a study found.

    Attributes:
        stored: as it lies in the files.
    """

    stored: Results = field(repr=False)

    @property
    def facts(self) -> dict:
        """Command, seed, weights, machine and date of what made it; see `Results`."""
        return self.stored.facts

    def numbers(self, part: str) -> dict:
        """The numbers of a part.

        Raises:
            ValueError: If the study was cut off before it.
        """
        if part not in self.stored.parts:
            raise ValueError(
                f"there is no part {part!r} yet: finish it with "
                f"`{self.facts.get('command', 'glyflib data results')}`"
            )
        return self.stored.parts[part]

    def tensor(self, part: str, name: str) -> Tensor:
        """A tensor of a part, as it is stored; errors as those of `numbers`."""
        self.numbers(part)
        return self.stored.tensors[f"{part}/{name}"]

    def parts_by_steps(self, kind: str) -> dict[int, str]:
        """Names of the parts of a kind, such as "same ddim", by the number of steps."""
        found = {
            numbers["steps"]: part
            for part, numbers in self.stored.parts.items()
            if part.rpartition(" ")[0] == kind
        }
        return dict(sorted(found.items()))


@dataclass(frozen=True)
class Film:
    """A walk from noise to glyphs, in K frames of N glyphs.

    Attributes:
        levels: K levels reached.
        xt: (K, N, 1, S, S) uint8, the noisy glyphs, from -2 black to +2 white.
        x0_hat: (K, N, 1, S, S) uint8, what the network believes of them, -1 to +1.
    """

    levels: list[int]
    xt: Tensor
    x0_hat: Tensor


class SamplingResults(StudyResults):
    """How many steps, and which sampler: glyphs for held-out captions, unguided.

    Picture i starts from the noise of seed i, whatever the sampler and the number of
    steps. Captions lie evenly among the held-out ones: `evenly(num_captions, N)`.
    """

    @property
    def num_captions(self) -> int:
        """Held-out captions, with one glyph each."""
        return len(self.drawn)

    def pictures(self, sampler: str) -> dict[int, Tensor]:
        """The first few glyphs x0 (12, 1, S, S) float64, by the number of steps.

        Args:
            sampler: "DDIM", "DDPM" or "2M".

        Raises:
            ValueError: If there is no such sampler.
        """
        check_name("sampler", sampler, LADDERS)
        parts = self.parts_by_steps(f"same {LADDERS[sampler]}")
        return {n: self.tensor(part, "x0").double() for n, part in parts.items()}

    def features(self, sampler: str) -> dict[int, Tensor]:
        """What the radical classifier sees (N, 96) float64, by the number of steps.

        Args:
            sampler: "DDIM", "DDPM", "2M" or "DDIM, clipped".

        Raises:
            ValueError: If there is no such sampler.
        """
        check_name("sampler", sampler, JUDGED)
        parts = self.parts_by_steps(f"judged {JUDGED[sampler]}")
        return {n: self.tensor(part, "features").double() for n, part in parts.items()}

    def frechet(self, sampler: str) -> dict[int, Estimate]:
        """Fréchet distance to all held-out glyphs, by the number of steps.

        Arguments and errors as those of `features`.
        """
        check_name("sampler", sampler, JUDGED)
        parts = self.parts_by_steps(f"judged {JUDGED[sampler]}")
        return {n: Estimate(**self.numbers(p)["frechet"]) for n, p in parts.items()}

    @property
    def floor(self) -> Estimate:
        """The same distance for as many training glyphs."""
        return Estimate(**self.numbers("floor")["frechet"])

    def missed(self, sampler: str) -> dict[int, Tensor]:
        """How far each caption's glyph (N,) is from that of very many steps, by steps.

        The root of the mean squared difference of pixels, where ink and paper are 2
        apart. The glyph of very many steps is by 2M, from the same noise.

        Args:
            sampler: "DDIM" or "2M".

        Raises:
            ValueError: If there is no such sampler.
        """
        check_name("sampler", sampler, ("DDIM", "2M"))
        self.numbers("missed")  # tells if the study was cut off before it
        found = {}
        for name in self.stored.tensors:
            part, _, way = name.partition("/")
            kind, _, steps = way.rpartition(" ")
            if part == "missed" and kind == LADDERS[sampler]:
                found[int(steps)] = self.tensor(part, way).double()
        return dict(sorted(found.items()))

    @property
    def strangers(self) -> Tensor:
        """How far the glyph of each caption (N,) is from the one of the next caption.

        Both are of very many steps; the measure is that of `missed`.
        """
        return self.tensor("missed", "strangers").double()

    @property
    def drawn(self) -> Tensor:
        """One glyph a caption, x0 (N, 1, S, S), by DDIM in 20 steps."""
        return x0_from_images(self.tensor("judged ddim 20", "images"))

    @property
    def film(self) -> Film:
        """DDIM in 120 steps, for the first sixteen captions."""
        return Film(
            levels=self.numbers("film")["levels"],
            xt=self.tensor("film", "xt"),
            x0_hat=self.tensor("film", "x0_hat"),
        )

    def between(self, way: str) -> Tensor:
        """Glyphs x0 (N / 2, 1, S, S) from the middles of pairs of noises.

        Noise i is paired with noise i + N / 2, under the caption of the first.

        Args:
            way: "straight", or on the "sphere".

        Raises:
            ValueError: If there is no such way.
        """
        ways = {"straight": "straight", "sphere": "curved"}
        check_name("way", way, ways)
        return x0_from_images(self.tensor("between", ways[way]))


class SolverResults(StudyResults):
    """Every sampler from the same noises, with few calls; and the order of three.

    The race starts at level `solver_race.START`, with the empty prompt. Its reference
    is 2M with very many calls.
    """

    @property
    def samplers(self) -> tuple[str, ...]:
        """Names of the samplers that race."""
        return tuple(solver_race.SAMPLERS)

    @property
    def num_calls(self) -> tuple[int, ...]:
        """The K numbers of calls of the network."""
        return solver_race.CALLS

    @property
    def order_steps(self) -> tuple[int, ...]:
        """The numbers of steps at which the order is measured."""
        return solver_race.ORDER_STEPS

    @cached_property
    def all_pictures(self) -> Tensor:
        """All that is drawn, x0 (seeds, samplers times K, then one, B, 1, S, S)."""
        seeds = [part for part in self.stored.parts if part.startswith("seed ")]
        rows = [self.tensor(part, "pictures") for part in seeds]
        return x0_from_images(torch.stack(rows).unsqueeze(3))

    @property
    def reference(self) -> Tensor:
        """Where the paths of the ODE end, x0 (seeds, B, 1, S, S)."""
        return self.all_pictures[:, -1]

    def pictures(self, sampler: str) -> Tensor:
        """What a sampler draws, x0 (seeds, K, B, 1, S, S).

        Raises:
            ValueError: If there is no such sampler.
        """
        check_name("sampler", sampler, self.samplers)
        sizes = len(self.samplers), len(self.num_calls)
        of_samplers = self.all_pictures[:, :-1].unflatten(1, sizes)
        return of_samplers[:, self.samplers.index(sampler)]

    def errors(self, sampler: str) -> Tensor:
        """Root mean square distance of each glyph to the reference (seeds, K, B).

        Raises:
            ValueError: If there is no such sampler.
        """
        check_name("sampler", sampler, self.samplers)
        seeds = [part for part in self.stored.parts if part.startswith("seed ")]
        return torch.tensor([self.numbers(part)["errors"][sampler] for part in seeds])

    def order_errors(self, sampler: str) -> list[float]:
        """Error half way down, by the number of steps in `order_steps`.

        Args:
            sampler: one for the ODE: "DDIM", "Heun" or "2M".

        Raises:
            ValueError: If there is no such sampler.
        """
        found = self.numbers("order")["errors"]
        check_name("sampler", sampler, found)
        return found[sampler]


class TrainingResults(StudyResults):
    """Loss by level of the shipped glyffuser, beside what a perfect denoiser loses."""

    @property
    def levels(self) -> tuple[int, ...]:
        """The K noise levels."""
        return tuple(self.numbers(SPLITS[0])["levels"])

    def rows(self, split: str) -> list[int]:
        """Rows of the N glyphs of a split, "train" or "test"; errors as `errors`."""
        check_name("split", split, SPLITS)
        return self.numbers(split)["rows"]

    def errors(self, split: str, denoiser: str) -> Tensor:
        """Mean squared error in v (K, N) of each glyph at each level.

        Args:
            split: "train" or "test".
            denoiser: "captions" or "no captions", the glyffuser told and untold; or
                "ideal", the perfect denoiser of the training glyphs.

        Raises:
            ValueError: If there is no such split or denoiser.
        """
        check_name("split", split, SPLITS)
        check_name("denoiser", denoiser, DENOISERS)
        return self.tensor(split, denoiser)


class BitsResults(StudyResults):
    """What held-out glyphs cost under the glyffuser, in bits per pixel.

    By the curve of the probability flow, for N glyphs: "untold" of their captions;
    "told" them; "uniform", of greys that are spread evenly over their bins; and "fine",
    in twice as many steps. The last three are of the first few of the glyphs.
    """

    @property
    def ways(self) -> tuple[str, ...]:
        """What the curve was followed for."""
        return tuple(CURVES)

    def part_of(self, way: str) -> str:
        """Name of the part of a way; a ValueError if there is no such way."""
        check_name("way", way, CURVES)
        return CURVES[way]

    def rows(self, way: str = "untold") -> list[int]:
        """Rows of the held-out glyphs; errors as those of `by_curve`."""
        return self.numbers(self.part_of(way))["rows"]

    def levels(self, way: str = "untold") -> list[int]:
        """The K levels that the curve visits; errors as those of `by_curve`."""
        return self.numbers(self.part_of(way))["levels"]

    def by_curve(self, way: str = "untold") -> Tensor:
        """Bits per pixel (N,) float64 of each glyph, the last touch among them.

        Args:
            way: one of `ways`.

        Raises:
            ValueError: If there is no such way.
        """
        return self.tensor(self.part_of(way), "bits").double()

    def touch(self, way: str = "untold") -> Tensor:
        """Bits per pixel (N,) of the last touch; errors as those of `by_curve`."""
        return self.tensor(self.part_of(way), "touch").double()

    def traces(self, way: str = "untold") -> Tensor:
        """How strongly beliefs follow pictures, (K, N); errors as `by_curve`."""
        return self.tensor(self.part_of(way), "traces").double()

    @property
    def by_bound(self) -> Tensor:
        """Bits per pixel (N,) float64 by the bound, untold, with the same last touch.

        Raises:
            ValueError: If bound and curve are of different glyphs.
        """
        rows = self.numbers("bound")["rows"]
        if rows != self.rows():
            raise ValueError(f"the bound is of glyphs {rows}, not {self.rows()}")
        return self.tensor("bound", "steps").double() + self.touch()

    @property
    def drawn_levels(self) -> Tensor:
        """The levels (K, N) int64 that the bound drew by lot for each glyph."""
        return self.tensor("bound", "drawn").long()

    @property
    def drawn_errors(self) -> Tensor:
        """Mean squared error (K, N) of a pixel of the noise at `drawn_levels`."""
        return self.tensor("bound", "errors").double()


class GuidanceResults(StudyResults):
    """How hard to guide: glyphs by 2M in twelve steps, from noises that stay the same.

    Picture i of a set starts from the noise of seed i, whatever the scale. Captions lie
    evenly among the held-out ones: `evenly(num_captions, N)`. Pictures are uint8.
    """

    @property
    def scales(self) -> tuple[float, ...]:
        """The guidance scales of the sweep."""
        return asked.SCALES

    @property
    def prompts(self) -> tuple[str, ...]:
        """The prompts that `same` repeats."""
        return tuple(asked.PROMPTS)

    @property
    def spans(self) -> dict[str, tuple[int, int]]:
        """Spans of levels (low, high] that were guided, by name."""
        return dict(asked.SPANS)

    @property
    def fixes(self) -> tuple[str, ...]:
        """Names of what is done to beliefs outside the range of pixels."""
        return ("clip", "dynamic")

    @property
    def negatives(self) -> dict[str, str]:
        """Prompts, each with what it was steered away from."""
        return dict(asked.NEGATIVES)

    @property
    def num_captions(self) -> int:
        """Held-out captions of the sweep, with one glyph each."""
        return len(self.sweep(self.scales[0]))

    @property
    def levels(self) -> list[int]:
        """The level before each step."""
        return self.numbers(f"sweep {self.scales[0]}")["levels"]

    def sweep(self, scale: float) -> Tensor:
        """One glyph a caption (N, 1, S, S) at a scale.

        Raises:
            ValueError: If there is no such scale.
        """
        check_name("scale", scale, self.scales)
        return self.tensor(f"sweep {scale:g}", "images")

    def outside(self, scale: float) -> list[float]:
        """Share of the sweep's beliefs outside the range of pixels, at each step.

        Errors as those of `sweep`.
        """
        check_name("scale", scale, self.scales)
        return self.numbers(f"sweep {scale:g}")["outside"]

    def same(self, prompt: str, scale: float) -> Tensor:
        """Glyphs (8, 1, S, S) of one prompt at a scale.

        Raises:
            ValueError: If there is no such prompt or scale.
        """
        check_name("prompt", prompt, self.prompts)
        check_name("scale", scale, self.scales)
        return self.tensor(f"same {prompt} {scale:g}", "images")

    @property
    def captions(self) -> tuple[str, ...]:
        """Captions (N) of `sweep`."""
        return tuple(self.numbers(f"sweep {self.scales[0]}")["prompts"])

    @property
    def bird_scales(self) -> tuple[float, ...]:
        """Scales of `bird`."""
        return asked.BIRD_SCALES

    def bird(self, scale: float) -> Tensor:
        """Glyphs (48, 1, S, S) of "bird" at one of `bird_scales`.

        Raises:
            ValueError: If there is no such scale.
        """
        check_name("scale", scale, self.bird_scales)
        return self.tensor(f"{asked.BIRD} {scale:g}", "images")

    def guided_within(self, span: str) -> Tensor:
        """The sweep's captions (N, 1, S, S) at scale 8 within a span of `spans` only.

        Raises:
            ValueError: If there is no such span.
        """
        check_name("span", span, asked.SPANS)
        return self.tensor(f"span {span}", "images")

    def fixed(self, fix: str) -> Tensor:
        """The sweep's captions (N, 1, S, S) at scale 15, with one of `fixes`.

        Raises:
            ValueError: If there is no such fix.
        """
        check_name("fix", fix, self.fixes)
        return self.tensor(f"fix {fix}", "images")

    def plain(self, prompt: str) -> Tensor:
        """Glyphs (16, 1, S, S) of a prompt of `negatives` at scale 3, not steered away.

        Raises:
            ValueError: If there is no such prompt.
        """
        check_name("prompt", prompt, asked.NEGATIVES)
        return self.tensor(f"with {prompt}", "images")

    def steered(self, prompt: str) -> Tensor:
        """The same from the same noises, steered away from its negative prompt.

        Errors as those of `plain`.
        """
        check_name("prompt", prompt, asked.NEGATIVES)
        return self.tensor(f"without {prompt}", "images")


@dataclass(frozen=True)
class Drawn:
    """Glyphs that were drawn and read.

    Attributes:
        prompts: N, what was asked for; none where studies did not keep it yet.
        num_steps: of the sampler.
        scale: of the guidance.
        radicals: (N,) int64, as the radical classifier reads them.
        images: (M, 1, S, S) uint8, the first few.
    """

    prompts: tuple[str, ...]
    num_steps: int
    scale: float
    radicals: Tensor
    images: Tensor


class WordResults(StudyResults):
    """How words steer the picture; picture i of a set starts from noise of seed i."""

    def part(self, name: str) -> Drawn:
        """One part by its stored name; errors as those of `numbers`."""
        numbers = self.numbers(name)
        return Drawn(
            prompts=tuple(numbers.get("prompts", ())),
            num_steps=numbers["steps"],
            scale=numbers["scale"],
            radicals=torch.tensor(numbers["radicals"]),
            images=self.tensor(name, "images"),
        )

    @property
    def num_captions(self) -> int:
        """Captions of `cut`, rows `asked.rows_with_radical` of the held-out glyphs."""
        return len(self.cut("both").radicals)

    @property
    def ideas(self) -> tuple[str, ...]:
        """Prompts of `idea`, one word, or two ideas that want one place."""
        return tuple(asked.IDEAS)

    def cut(self, ways: str) -> Drawn:
        """Glyphs for held-out captions, some of the two ways of the text being open.

        Args:
            ways: "both", "attention", "mean" or "neither".

        Raises:
            ValueError: If ways is none of the four.
        """
        check_name("ways", ways, ways_in.WAYS)
        return self.part(f"cut {ways}")

    def gold(self, num_steps: int, scale: float) -> Drawn:
        """Glyphs for "gold".

        Args:
            num_steps: 1, 20 or 120.
            scale: 1 or 3; of 120 steps, 3 alone.

        Raises:
            ValueError: If there are no such glyphs.
        """
        parts = {
            (1, 1): "one gold 1",
            (1, 3): "one gold 3",
            (20, 1): "20 gold 1",
            (20, 3): "20 gold 3",
            (120, 3): "120 gold 3",
        }
        check_name("number of steps and scale", (num_steps, scale), parts)
        return self.part(parts[num_steps, scale])

    @property
    def empty(self) -> Drawn:
        """Glyphs for the empty prompt, in one step."""
        return self.part("one empty 1")

    def others(self, scale: float) -> dict[str, Tensor]:
        """Radicals (n,) read in one-step glyphs for each prompt of `asked.OTHERS`.

        Raises:
            ValueError: If scale is neither 1 nor 3.
        """
        check_name("scale", scale, (1, 3))
        radicals = self.part(f"one others {scale:g}").radicals
        rows = radicals.reshape(len(asked.OTHERS), -1)
        return dict(zip(asked.OTHERS, rows, strict=True))

    def idea(self, prompt: str) -> Drawn:
        """Glyphs for one of `ideas`, in 12 steps at scale 3, with all their pictures.

        Raises:
            ValueError: If there is no such prompt.
        """
        check_name("prompt", prompt, self.ideas)
        return self.part(prompt)

    @property
    def by_steps(self) -> dict[str, tuple[int, ...]]:
        """Prompts of `in_steps`, each with its numbers of steps."""
        return dict(asked.BY_STEPS)

    def in_steps(self, prompt: str, num_steps: int) -> Drawn:
        """Glyphs for one of `by_steps` at scale 3, with all their pictures.

        Raises:
            ValueError: If there is no such prompt, or not in so many steps.
        """
        check_name("prompt", prompt, self.by_steps)
        check_name("number of steps", num_steps, self.by_steps[prompt])
        return self.part(f"{prompt} in {num_steps}")


@dataclass(frozen=True)
class Learnt:
    """What a network draws that was shown so many glyphs.

    Attributes:
        num_shown: glyphs of the training split that it was shown.
        images: (N, 1, S, S) uint8, what it drew.
        nearest: (N,) row in the training split of the nearest glyph it was shown.
        ratios: (N,) distance to that glyph, a held-out glyph's usual distance being 1.
        ratio: their median.
        copied: share of what it drew that is nearer than 99 % of the held-out glyphs.
        shown_loss: (K, N) squared error in v at K levels, on glyphs that it was shown.
        held_out_loss: (K, N) the same on held-out glyphs.
    """

    num_shown: int
    images: Tensor
    nearest: Tensor
    ratios: Tensor
    ratio: Estimate
    copied: Estimate
    shown_loss: Tensor
    held_out_loss: Tensor


class MemorisationResults(StudyResults):
    """Copies or not, by the size of the training set: one small network for each."""

    @cached_property
    def part_of(self) -> dict[int, str]:
        """Name of each part, by the number of glyphs that were shown."""
        return {part["count"]: name for name, part in self.stored.parts.items()}

    @property
    def sizes(self) -> tuple[int, ...]:
        """Numbers of glyphs shown, from few to all of the training split."""
        return tuple(self.part_of)

    @property
    def levels(self) -> tuple[int, ...]:
        """The K noise levels of the losses."""
        return tuple(self.numbers(self.part_of[self.sizes[0]])["levels"])

    def learnt(self, num_shown: int) -> Learnt:
        """What the network draws that was shown so many glyphs.

        Raises:
            ValueError: If there is no such network.
        """
        check_name("number of glyphs shown", num_shown, self.sizes)
        part = self.part_of[num_shown]
        numbers = self.numbers(part)
        return Learnt(
            num_shown=num_shown,
            images=self.tensor(part, "images"),
            nearest=self.tensor(part, "nearest").long(),
            ratios=self.tensor(part, "ratios"),
            ratio=Estimate(**numbers["ratio"]),
            copied=Estimate(**numbers["copied"]),
            shown_loss=self.tensor(part, "shown loss"),
            held_out_loss=self.tensor(part, "held out loss"),
        )

    @property
    def ratio(self) -> dict[int, Estimate]:
        """Median ratio to the nearest glyph shown, by the number of glyphs shown."""
        return {size: self.learnt(size).ratio for size in self.sizes}

    @property
    def copied(self) -> dict[int, Estimate]:
        """Share of copies, by the number of glyphs shown."""
        return {size: self.learnt(size).copied for size in self.sizes}

    def losses(self, generator: torch.Generator) -> dict[str, dict[int, Estimate]]:
        """The losses "shown" and "held out", each by the number of glyphs shown.

        Means over levels and then over glyphs, with an interval over glyphs.

        Args:
            generator: source of the intervals' draws.
        """
        found = {"shown": {}, "held out": {}}
        for size in self.sizes:
            one = self.learnt(size)
            kinds = {"shown": one.shown_loss, "held out": one.held_out_loss}
            for kind, loss in kinds.items():
                mean = bootstrap_interval(torch.mean, loss.mean(0), generator=generator)
                found[kind][size] = mean
        return found


@dataclass(frozen=True)
class Race:
    """How a recipe did in a short race from random weights.

    Attributes:
        num_steps: steps that it took.
        num_glyphs: glyphs that it saw.
        seconds: processor time that it used.
        loss: squared error of eps_hat on held-out glyphs, over seven log-SNRs.
    """

    num_steps: int
    num_glyphs: int
    seconds: float
    loss: Estimate


@dataclass(frozen=True)
class RecipeRace(Race):
    """How a recipe did.

    Attributes:
        by_log_snr: the loss at each log-SNR.
    """

    by_log_snr: dict[float, float]


@dataclass(frozen=True)
class TextRace(Race):
    """How a way of reading text did.

    Attributes:
        gain: how much higher the loss is with a stranger's caption.
        hit_rate: share of held-out captions whose radical is drawn.
    """

    gain: Estimate
    hit_rate: Estimate


class RecipeResults(StudyResults):
    """Why the shipped recipe is what it is: recipes at equal processor time."""

    @property
    def races(self) -> dict[str, RecipeRace]:
        """How each recipe did, by what it does differently."""
        return {
            name: RecipeRace(
                num_steps=part["steps"],
                num_glyphs=part["glyphs"],
                seconds=part["seconds"],
                loss=Estimate(**part["loss"]),
                by_log_snr={float(k): loss for k, loss in part["by_log_snr"].items()},
            )
            for name, part in self.stored.parts.items()
        }


class TextResults(StudyResults):
    """What a trained text encoder is worth, at equal processor time."""

    @property
    def races(self) -> dict[str, TextRace]:
        """How each text encoder did, by its name."""
        return {
            name: TextRace(
                num_steps=part["steps"],
                num_glyphs=part["glyphs"],
                seconds=part["seconds"],
                loss=Estimate(**part["loss"]),
                gain=Estimate(**part["gain"]),
                hit_rate=Estimate(**part["hit_rate"]),
            )
            for name, part in self.stored.parts.items()
        }


@dataclass(frozen=True)
class Entry:
    """How a recipe did with a budget, the mean over seeds.

    Attributes:
        recipe: its name.
        scale: of the guidance.
        minutes: budget of a quiet machine.
        num_steps: steps that it buys.
        num_glyphs: glyphs that are shown in them.
        frechet: Fréchet distance to the held-out glyphs.
        hit_rate: share of held-out captions whose radical is drawn.
        frechet_by_seed: the same of each seed, its interval over glyphs alone.
        hit_rate_by_seed: likewise.
        pictures: (seeds, K, 1, S, S) uint8, the first glyphs drawn with each seed, for
            the captions of rows `asked.rows_with_radical`.
    """

    recipe: str
    scale: float
    minutes: float
    num_steps: int
    num_glyphs: int
    frechet: Estimate
    hit_rate: Estimate
    frechet_by_seed: tuple[Estimate, ...]
    hit_rate_by_seed: tuple[Estimate, ...]
    pictures: Tensor = field(repr=False)


class PublishedResults(StudyResults):
    """Our recipe against the published one, at equal numbers of quiet minutes.

    What is stored may be a part of all races: budgets come one after the other.
    """

    @property
    def settings(self) -> dict:
        """How long the races are, and by how much they are judged."""
        return self.facts["settings"]

    @property
    def seconds_a_step(self) -> dict[str, float]:
        """Seconds of a step by recipe, on a quiet machine."""
        return self.numbers("calibration")["seconds"]

    @property
    def num_parameters(self) -> dict[str, int]:
        """How many numbers the network of each recipe learns."""
        return self.numbers("calibration")["parameters"]

    @property
    def noise(self) -> dict[str, float]:
        """How many times as long the median round of the calibration took, by recipe.

        Near 1, the machine was quiet.
        """
        return self.numbers("calibration")["noise"]

    @property
    def threads(self) -> int:
        """With one, seconds are those of the processor; with more, of the wall."""
        return self.numbers("calibration")["threads"]

    @property
    def recipes(self) -> tuple[str, ...]:
        """Names of the recipes, ours first."""
        return tuple(self.seconds_a_step)

    @property
    def floor(self) -> Estimate:
        """Fréchet distance of as many training glyphs."""
        return Estimate(**self.numbers("references")["floor"]["frechet"])

    @property
    def ceiling(self) -> Estimate:
        """Share of the real held-out glyphs that are read as their radical."""
        return Estimate(**self.numbers("references")["ceiling"])

    @property
    def commonest(self) -> Estimate:
        """Share of radicals hit by drawing the commonest one always."""
        return Estimate(**self.numbers("references")["commonest"])

    def parts_of(self, recipe: str, minutes: float) -> list[str]:
        """Names of the stored races of a recipe with a budget, by their seeds."""
        wanted = recipe, minutes
        found = {
            numbers["seed"]: part
            for part, numbers in self.stored.parts.items()
            if (numbers.get("recipe"), numbers.get("minutes")) == wanted
        }
        return [found[seed] for seed in sorted(found)]

    @property
    def minutes(self) -> tuple[float, ...]:
        """Budgets with which all recipes have raced with all seeds."""
        if "references" not in self.stored.parts:
            return ()
        num_seeds = self.settings["num_seeds"]
        return tuple(
            minutes
            for minutes in self.settings["minutes"]
            if all(len(self.parts_of(n, minutes)) == num_seeds for n in self.recipes)
        )

    def scales(self, recipe: str, minutes: float) -> tuple[float, ...]:
        """Scales at which a recipe draws with a budget, its own first.

        Args:
            recipe: one of `recipes`.
            minutes: one of `minutes`.

        Raises:
            ValueError: If there is no such recipe or budget.
        """
        check_name("recipe", recipe, self.recipes)
        check_name("number of minutes", minutes, self.minutes)
        first, *_ = self.parts_of(recipe, minutes)
        return tuple(float(scale) for scale in self.numbers(first)["drawn"])

    def hits(self, recipe: str, minutes: float, scale: float) -> Tensor:
        """Whether each caption's radical was drawn, (seeds, captions) of 0 and 1."""
        names = self.parts_of(recipe, minutes)
        return torch.stack([self.tensor(part, f"hits {scale:g}") for part in names])

    def draws(
        self, measure: str, recipe: str, minutes: float, scale: float | None = None
    ) -> Tensor:
        """A measure for glyphs drawn again, (seeds, draws) float64.

        Draw k is of the same captions for all recipes, budgets and seeds.

        Args:
            measure: "frechet" or "hits".
            recipe: one of `recipes`.
            minutes: one of `minutes`.
            scale: of the guidance; the recipe's own by default.

        Raises:
            ValueError: If there is no such measure, recipe, budget or scale.
        """
        check_name("measure", measure, ("frechet", "hits"))
        scales = self.scales(recipe, minutes)
        scale = scales[0] if scale is None else scale
        check_name("scale", scale, scales)
        if measure == "frechet":
            names = self.parts_of(recipe, minutes)
            found = [self.tensor(part, f"frechet {scale:g}") for part in names]
            return torch.stack(found).double()
        seed, num = self.facts["seed"], self.settings["num_draws"]
        found = self.hits(recipe, minutes, scale)
        return torch.stack(
            [
                bootstrap_draws(
                    torch.mean,
                    hits.double(),
                    generator=torch.Generator().manual_seed(seed),
                    num=num,
                )
                for hits in found
            ]
        )

    def by_seed(
        self, measure: str, recipe: str, minutes: float, scale: float
    ) -> tuple[Estimate, ...]:
        """One of "frechet" and "hit_rate" for each seed; intervals are over glyphs."""
        parts = self.parts_of(recipe, minutes)
        drawn = [self.numbers(part)["drawn"][f"{scale:g}"] for part in parts]
        return tuple(Estimate(**one[measure]) for one in drawn)

    def entry(self, recipe: str, minutes: float, scale: float | None = None) -> Entry:
        """How a recipe did with a budget; arguments and errors as those of `draws`."""
        scales = self.scales(recipe, minutes)
        scale = scales[0] if scale is None else scale
        check_name("scale", scale, scales)
        numbers = self.numbers(self.parts_of(recipe, minutes)[0])
        by_seed = {
            measure: self.by_seed(measure, recipe, minutes, scale)
            for measure in ("frechet", "hit_rate")
        }
        found = {}
        for measure, stored in {"frechet": "frechet", "hit_rate": "hits"}.items():
            values = [one.value for one in by_seed[measure]]
            draws = self.draws(stored, recipe, minutes, scale)
            means = means_over_runs(draws, torch.Generator().manual_seed(0))
            found[measure] = interval_of(sum(values) / len(values), means)
        hits = self.hits(recipe, minutes, scale)
        if hits.min() == hits.max():  # nothing else can be drawn from these
            captions = torch.arange(hits.shape[1]).repeat(len(hits))
            found["hit_rate"] = share_interval(hits.flatten(), groups=captions)
        pictures = [
            self.tensor(part, f"images {scale:g}")
            for part in self.parts_of(recipe, minutes)
        ]
        return Entry(
            recipe=recipe,
            scale=scale,
            minutes=minutes,
            num_steps=numbers["steps"],
            num_glyphs=numbers["glyphs"],
            frechet=found["frechet"],
            hit_rate=found["hit_rate"],
            frechet_by_seed=by_seed["frechet"],
            hit_rate_by_seed=by_seed["hit_rate"],
            pictures=torch.stack(pictures),
        )

    def entries(self, minutes: float) -> list[Entry]:
        """How all recipes did with a budget, at each of their scales."""
        return [
            self.entry(recipe, minutes, scale)
            for recipe in self.recipes
            for scale in self.scales(recipe, minutes)
        ]

    def gap(
        self,
        measure: str,
        recipe: str,
        minutes: float,
        *,
        scale: float | None = None,
        less_scale: float | None = None,
    ) -> Estimate:
        """By how much a recipe's measure lies above that of ours, seeds on average.

        Seeds are drawn again for each of the two, glyphs for both together.

        Args:
            measure: "frechet" or "hits".
            recipe: one of `recipes`.
            minutes: one of `minutes`.
            scale: of its guidance; the recipe's own by default.
            less_scale: of ours; likewise.

        Raises:
            ValueError: If there is no such measure, recipe, budget or scale.
        """
        generator = torch.Generator().manual_seed(0)
        ours = self.recipes[0]
        more = self.draws(measure, recipe, minutes, scale)
        less = self.draws(measure, ours, minutes, less_scale)
        drawn = means_over_runs(more, generator) - means_over_runs(less, generator)
        key = {"frechet": "frechet", "hits": "hit_rate"}[measure]
        values = [
            getattr(self.entry(name, minutes, at), key).value
            for name, at in ((recipe, scale), (ours, less_scale))
        ]
        return interval_of(values[0] - values[1], drawn)


class OwnResults(StudyResults):
    """A font's symbols learnt: the live run of chapter 22, gone on for some minutes.

    Drawings of all moments start from the same noises. Of the names that are judged,
    those of kind "shown" are trained on, and those "held back" are not; the latter are
    asked for several times each.
    """

    @property
    def config(self) -> TrainConfig:
        """How it was trained."""
        return TrainConfig(**self.numbers("about")["config"])

    @property
    def num_glyphs(self) -> int:
        """Glyphs of the set, one answer each for the judge."""
        return self.numbers("about")["num_glyphs"]

    @property
    def num_shown(self) -> int:
        """Glyphs of the set that it is trained on."""
        return self.numbers("about")["num_shown"]

    @cached_property
    def parts_by_moment(self) -> dict[int, str]:
        """Names of the parts, by the number of steps, rising."""
        return self.parts_by_steps("step")

    @property
    def moments(self) -> tuple[int, ...]:
        """Numbers of steps after which it was asked for drawings."""
        return tuple(self.parts_by_moment)

    @property
    def wishes(self) -> list[str]:
        """The names of `sheets`, in order."""
        return self.numbers(self.parts_by_moment[0])["wishes"]

    @property
    def sheets(self) -> dict[int, Tensor]:
        """One drawing a wish, x0 (W, 1, S, S), by the number of steps."""
        return {
            step: x0_from_images(self.tensor(part, "sheet"))
            for step, part in self.parts_by_moment.items()
        }

    @property
    def minutes(self) -> float:
        """What the training took, measuring and drawing not counted."""
        last = self.parts_by_moment[self.moments[-1]]
        return self.numbers(last)["seconds"] / 60

    @property
    def losses(self) -> list[float]:
        """Of each step, from the first one."""
        return [
            loss
            for part in self.parts_by_moment.values()
            for loss in self.numbers(part)["losses"]
        ]

    @property
    def measured_steps(self) -> list[int]:
        """The K numbers of steps after which the errors were measured."""
        return [
            step
            for part in self.parts_by_moment.values()
            for step in self.numbers(part)["measured"]
        ]

    def errors(self, kind: str) -> Tensor:
        """Mean squared error in v (K, N) of some glyphs, told their captions.

        Args:
            kind: "shown" or "held back".

        Raises:
            ValueError: If there is no such kind.
        """
        check_name("kind", kind, KINDS)
        parts = self.parts_by_moment.values()
        return torch.cat([self.tensor(part, f"{kind} errors") for part in parts])

    def asked(self, kind: str) -> list[str]:
        """The names that were drawn and judged (N); errors as those of `errors`."""
        check_name("kind", kind, KINDS)
        return self.numbers(self.parts_by_moment[0])[f"{kind} asked"]

    def is_hit(self, kind: str, step: int) -> Tensor:
        """Whether each drawing (N,) is most like the real glyph that was asked for.

        Args:
            kind: "shown" or "held back".
            step: one of `moments`.

        Raises:
            ValueError: If there is no such kind or moment.
        """
        check_name("kind", kind, KINDS)
        check_name("step", step, self.moments)
        part = self.parts_by_moment[step]
        asked = self.tensor(part, f"{kind} rows")
        return self.tensor(part, f"{kind} nearest") == asked

    def most_like(self, kind: str, step: int) -> list[str]:
        """The name of the real glyph that each drawing (N) is most like.

        Arguments and errors as those of `is_hit`.
        """
        check_name("kind", kind, KINDS)
        check_name("step", step, self.moments)
        rows = self.tensor(self.parts_by_moment[step], f"{kind} nearest")
        captions = self.numbers("about")["captions"]
        return [captions[row] for row in rows.tolist()]

    def has_common_word(self, kind: str, step: int) -> Tensor:
        """Whether that name has a word in common with the one asked for, (N,).

        Arguments and errors as those of `is_hit`.
        """
        pairs = zip(self.asked(kind), self.most_like(kind, step), strict=True)
        return torch.tensor([has_common_word(*pair) for pair in pairs])

    def hits(self, kind: str) -> dict[int, Estimate]:
        """Share of hits by the number of steps; errors as those of `errors`.

        Drawings of one name count as one trial for the interval.
        """
        return self.shares(kind, self.is_hit)

    def kinship(self, kind: str) -> dict[int, Estimate]:
        """Share of drawings with a common word; as `hits`."""
        return self.shares(kind, self.has_common_word)

    def kinship_by_chance(self, kind: str) -> float:
        """The same at the last moment, if names were dealt to the drawings at random.

        Args:
            kind: "shown" or "held back".

        Raises:
            ValueError: If there is no such kind.
        """
        found = self.most_like(kind, self.moments[-1])
        pairs = product(self.asked(kind), found)
        return sum(has_common_word(*pair) for pair in pairs) / len(found) ** 2

    def shares(
        self, kind: str, judge: Callable[[str, int], Tensor]
    ) -> dict[int, Estimate]:
        """By the number of steps, the share of a kind's drawings that a judge likes."""
        check_name("kind", kind, KINDS)
        names = self.tensor(self.parts_by_moment[0], f"{kind} rows")
        return {
            step: share_interval(judge(kind, step), groups=names)
            for step in self.moments
        }


@dataclass(frozen=True)
class FirstEdition:
    """What the first edition's glyffuser left, which learnt its captions by heart.

    Attributes:
        folder: where its files lie.
    """

    folder: Path

    @property
    def weights(self) -> str:
        """The sha256 of its weights, which are not kept."""
        return self.kept["weights"]

    @cached_property
    def kept(self) -> dict:
        """When and from which weights the files were copied, each with its sha256."""
        return json.loads((self.folder / "kept.json").read_text("utf-8"))

    @cached_property
    def stages(self) -> list[dict]:
        """Settings of each stage of its training, as config.json has them."""
        config = json.loads((self.folder / CONFIG).read_text("utf-8"))
        return config["training"]["stages"]

    @cached_property
    def report(self) -> dict:
        """What `glyflib evaluate` found."""
        return json.loads((self.folder / REPORT).read_text("utf-8"))

    @cached_property
    def log(self) -> list[dict[str, float]]:
        """The loss log, a row a step; see `run_log.Log`."""
        return read_log(self.folder / LOG)

    @cached_property
    def snapshots(self) -> dict[str, Tensor]:
        """Samples and losses at a few moments by name; see `runs.take_snapshot`."""
        return safetensors.torch.load_file(self.folder / SNAPSHOTS)

    @cached_property
    def training(self) -> TrainingResults:
        """Its loss by level with captions and without, beside a perfect denoiser's."""
        return training(self.folder)

    @cached_property
    def words(self) -> WordResults:
        """What it drew for words."""
        return words(self.folder)


def first_edition(folder: Path | str = FIRST_EDITION) -> FirstEdition:
    """Log, samples and curves of the first edition's glyffuser.

    Args:
        folder: written by `glyflib data keep`.

    Raises:
        FileNotFoundError: If nothing is kept there.
    """
    if not (Path(folder) / "kept.json").is_file():
        raise FileNotFoundError(
            f"no kept diary in {folder}: `git checkout -- data/first-edition` brings "
            "it back"
        )
    return FirstEdition(Path(folder))


def sampling(folder: Path | str = RESULTS) -> SamplingResults:
    """How many steps, and which sampler; errors as those of `load_results`."""
    return SamplingResults(load_results("sampling", folder))


def solvers(folder: Path | str = RESULTS) -> SolverResults:
    """Which solver comes nearest with few calls; errors as those of `load_results`."""
    return SolverResults(load_results("solvers", folder))


def training(folder: Path | str = RESULTS) -> TrainingResults:
    """Loss by level, beside the perfect denoiser's; errors as `load_results`."""
    return TrainingResults(load_results("training", folder))


def bits(folder: Path | str = RESULTS) -> BitsResults:
    """Price of held-out glyphs, in bits; errors as those of `load_results`."""
    return BitsResults(load_results("bits", folder))


def guidance(folder: Path | str = RESULTS) -> GuidanceResults:
    """How hard to guide; errors as those of `load_results`."""
    return GuidanceResults(load_results("guidance", folder))


def words(folder: Path | str = RESULTS) -> WordResults:
    """How words steer the picture; errors as those of `load_results`."""
    return WordResults(load_results("words", folder))


def memorisation(folder: Path | str = RESULTS) -> MemorisationResults:
    """Copies or not, by the size of the training set; errors as `load_results`."""
    return MemorisationResults(load_results("memorisation", folder))


def own(folder: Path | str = RESULTS) -> OwnResults:
    """A font's symbols learnt; errors as those of `load_results`."""
    return OwnResults(load_results("own", folder))


def recipes(folder: Path | str = RESULTS) -> RecipeResults:
    """Short races of recipes; errors as those of `load_results`."""
    return RecipeResults(load_results("recipes", folder))


def texts(folder: Path | str = RESULTS) -> TextResults:
    """Short races of text encoders; errors as those of `load_results`."""
    return TextResults(load_results("texts", folder))


def published(folder: Path | str = RESULTS) -> PublishedResults:
    """Races against the published recipe; errors as those of `load_results`."""
    return PublishedResults(load_results("published", folder))
