"""Judge a glyffuser, or a student: the table of its model card, made by one command.

Invariant: the report is written after each part, with what it was made of; a killed
run goes on with the first part that is missing, and never mixes two models.
"""

import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import sha256
from itertools import chain
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor

from glyflib.data import Glyphs, evenly, x0_from_images
from glyflib.evaluation.intervals import Estimate, bootstrap_interval, share_interval
from glyflib.evaluation.radicals import RadicalClassifier, shrink_x0
from glyflib.evaluation.samples import (
    evaluate_samples,
    measure_likeness,
    measure_novelty,
    nearest_captions,
    reference_rows,
    shuffled_rate,
    words_alone,
)
from glyflib.files import WEIGHTS, provenance, write_text
from glyflib.glyffuser import SHIPPED, Glyffuser
from glyflib.precision import products_in_bf16
from glyflib.runs import PROMPTS, RunFolder, glyphs_seen
from glyflib.sampling import check_scale, level_grid, seeds_of
from glyflib.student import Student, is_student
from glyflib.text import encode_captions

REPORT = "report.json"  # in the folder of the glyffuser that it judges
# Plain words and the radical that each names: the first word of one of `PROMPTS`.
PLAIN = {
    word: radical
    for word in (
        *("gold", "water", "fish", "tree", "grass", "insect"),
        *("bird", "horse", "silk", "hand", "speech"),
    )
    for prompt, radical in PROMPTS.items()
    if prompt.partition(";")[0] == word
}
TOGETHER = "all but gold"
TEACHER = "teacher"  # the way in which it draws when it is not hurried
LEAST = 4  # glyphs of a kind, below which nothing is said of their spread


@dataclass(frozen=True)
class ReportConfig:
    """What to draw; kept in the report.

    Attributes:
        scales: of the guidance.
        num_captions: captions, evenly spaced among all that can be asked for.
        num_samples: glyphs a caption.
        num_plain: glyphs a plain prompt.
        num_steps: of the sampler, DPM-Solver++ 2M.
        seed: of all draws.
        cpu_bf16: whether a CPU multiplies in bfloat16 while it draws.
    """

    scales: tuple[float, ...] = (1.0, 2.0, 3.0, 5.0)
    num_captions: int = 1000
    num_samples: int = 8
    num_plain: int = 100
    num_steps: int = 15
    seed: int = 0
    cpu_bf16: bool = False


# Settings that reports were written without at first, and what held then.
BEFORE = {"cpu_bf16": False}

#: Draws one glyph a prompt, from B prompts to x0 (B, 1, S, S) in [-1, 1].
DrawPrompts = Callable[[Sequence[str]], Tensor]


@dataclass(frozen=True)
class Judge:
    """Who judges, what, and by which glyphs; nothing here is loaded by itself.

    A part of its report is a dictionary of estimates as JSON. What it cannot measure
    is named, with the reason, in `left_out`. A glyffuser is judged at each scale of the
    guidance; a student with each number of calls, beside its teacher.

    Attributes:
        glyffuser: to be judged, or the teacher of the student that is.
        classifier: describes glyphs, and reads radicals.
        train: training glyphs.
        held_out: held-out glyphs.
        config: what to draw.
        progress: wraps the batches of glyphs drawn, as tqdm does.
        student: to be judged; None for the glyffuser.
    """

    glyffuser: Glyffuser
    classifier: RadicalClassifier
    train: Glyphs
    held_out: Glyphs
    config: ReportConfig
    progress: Callable[[Sequence], Iterable] = list
    student: Student | None = None

    def ways(self) -> dict[str, DrawPrompts]:
        """Ways of drawing by the name of their part, such as "scale 3".

        Of a student: "teacher", as well as it can; then for each number of calls
        "student 8", and "teacher 8" in as many steps, each of two calls.
        """
        if self.student is None:
            return {
                f"scale {scale:g}": partial(self.draw, scale=scale)
                for scale in self.config.scales
            }
        teacher = partial(self.draw, scale=self.student.scale)
        found: dict[str, DrawPrompts] = {TEACHER: teacher}
        for calls in self.student.counts:
            found[f"student {calls}"] = partial(self.draw_few, calls=calls)
            found[f"{TEACHER} {calls}"] = partial(teacher, num_steps=calls)
        return found

    def draw(
        self, prompts: Sequence[str], scale: float, num_steps: int | None = None
    ) -> Tensor:
        """One glyph a prompt by the glyffuser, glyph i from the seed plus i.

        Args:
            prompts: B of them.
            scale: of the guidance.
            num_steps: of the sampler; those of the config by default.

        Returns:
            (B, 1, S, S) in [-1, 1].
        """
        with self.drawing():
            return self.glyffuser.sample(
                prompts,
                num_steps=num_steps or self.config.num_steps,
                scale=scale,
                seed=self.config.seed,
                progress=self.progress,
            )

    def draw_few(self, prompts: Sequence[str], calls: int) -> Tensor:
        """One glyph a prompt by the student, from the noises that its teacher gets.

        Args:
            prompts: B of them.
            calls: of the student's network.

        Returns:
            (B, 1, S, S) in [-1, 1].

        Raises:
            ValueError: If there is no student, or it did not learn so many calls.
        """
        if self.student is None:
            raise ValueError("there is no student: a glyffuser draws at a scale")
        with self.drawing():
            return self.student.sample(
                prompts, calls=calls, seed=self.config.seed, progress=self.progress
            )

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """What to draw under: the precision asked for; captions are cut silently."""
        precision = products_in_bf16("cpu", on_gpu=False, on_cpu=self.config.cpu_bf16)
        with warnings.catch_warnings(action="ignore"), precision:
            yield

    def rows_asked(self, glyphs: Glyphs) -> Tensor:
        """Rows of the glyphs whose captions are drawn, each as often as it is."""
        num = min(self.config.num_captions, len(glyphs))
        rows = evenly(num, len(glyphs))
        return rows.repeat_interleave(self.config.num_samples)

    def generator(self) -> torch.Generator:
        """The source of randomness of every part."""
        return torch.Generator().manual_seed(self.config.seed)

    def part(self, name: str) -> dict:
        """A part of the report by its name, one of `names`."""
        if name == "references":
            return self.references()
        kind, _, rest = name.partition(" ")
        ways = self.ways()
        if kind != "plain":
            return self.drawn(ways[name])
        return self.plain(ways[rest if rest in ways else f"scale {rest}"])


class RadicalJudge(Judge):
    """Judges by radicals; all glyphs that it is given have a known one."""

    asked = "held-out captions"
    left_out: Mapping[str, str] = MappingProxyType({})

    def names(self) -> list[str]:
        """Parts of the report, in order: of each way, captions, then plain prompts."""
        pairs = [(way, plain_name(way)) for way in self.ways()]
        return ["references", *chain.from_iterable(pairs)]

    def drawn(self, draw: DrawPrompts) -> dict:
        """All metrics of one way of drawing, on held-out captions.

        Args:
            draw: one of `ways`.

        Returns:
            The fields of `Metrics`, each with the value and the ends of its interval.
        """
        held_out, rows = self.held_out, self.rows_asked(self.held_out)
        found = evaluate_samples(
            draw([held_out.captions[row] for row in rows.tolist()]),
            held_out.radicals[rows],
            rows,
            x0_from_images(held_out.images),
            x0_from_images(self.train.images),
            self.classifier,
            self.generator(),
        )
        return as_json(found)

    def plain(self, draw: DrawPrompts) -> dict:
        """How often each plain prompt is answered with the radical that it names.

        A trial of one prompt is a glyph. For all prompts but "gold" together it is a
        prompt: glyphs of one prompt succeed or fail together, so whole prompts are
        drawn again.

        Args:
            draw: one of `ways`.

        Returns:
            For each prompt, and for all but "gold", the share and the ends of its
            interval.
        """
        num = self.config.num_plain
        prompts = [prompt for prompt in PLAIN for _ in range(num)]
        wanted = torch.tensor(list(PLAIN.values())).repeat_interleave(num)
        hits = self.classifier.read(draw(prompts)).radicals == wanted
        by_prompt = dict(zip(PLAIN, hits.split(num), strict=True))
        found = {prompt: share_interval(some) for prompt, some in by_prompt.items()}
        shares = [found[prompt].value for prompt in PLAIN if prompt != "gold"]
        found[TOGETHER] = share_over_prompts(shares, self.generator())
        return {name: estimate._asdict() for name, estimate in found.items()}

    def references(self) -> dict:
        """Chance, ceiling and floor, and what the words alone can tell.

        Returns:
            The fields of `References`, and as "words_alone" those of `WordsAlone`.
        """
        config, train, held_out = self.config, self.train, self.held_out
        encoder, generator = self.glyffuser.encoder, self.generator()
        rows = reference_rows(
            x0_from_images(held_out.images),
            held_out.radicals,
            x0_from_images(train.images),
            train.radicals,
            self.classifier,
            generator,
            num_samples=min(len(train), config.num_captions * config.num_samples),
        )
        words = words_alone(
            encode_captions(encoder, train.captions).mean_tokens(),
            train.radicals,
            encode_captions(encoder, held_out.captions).mean_tokens(),
            held_out.radicals,
            generator,
        )
        return as_json(rows) | {"words_alone": as_json(words)}


class CaptionJudge(Judge):
    """Judges glyphs without radicals: by the real glyph that each drawn one is like.

    The captions are the held-out ones; where there are fewer than `LEAST` of them, all
    of the training glyphs'.
    """

    @property
    def is_held_out(self) -> bool:
        """Whether there are held-out glyphs enough to judge by."""
        return len(self.held_out) >= LEAST

    @property
    def asked(self) -> str:
        """Whose captions are drawn."""
        return "held-out captions" if self.is_held_out else "training captions"

    @property
    def judged_by(self) -> Glyphs:
        """The glyphs whose captions are drawn."""
        return self.held_out if self.is_held_out else self.train

    @property
    def left_out(self) -> Mapping[str, str]:
        """What is not measured, and why."""
        found = {"radicals": f"the set has fewer than {LEAST} glyphs with radicals"}
        if not self.is_held_out:
            found["new or copied"] = f"the set has fewer than {LEAST} held-out glyphs"
        if len(self.judged_by) < LEAST:
            found["likeness"] = f"the set has fewer than {LEAST} glyphs"
        return found

    def names(self) -> list[str]:
        """Parts of the report, in order."""
        return ["references", *self.ways()]

    def drawn(self, draw: DrawPrompts) -> dict:
        """What can be measured of one way of drawing.

        Args:
            draw: one of `ways`.

        Returns:
            "caption_hit" and "caption_shuffled", the share of glyphs that are most like
            the real glyph of their own caption and the same for captions dealt at
            random; the fields of `Likeness` and `Novelty` where there are glyphs
            enough. Each with the value and the ends of its interval.
        """
        glyphs, generator = self.judged_by, self.generator()
        rows = self.rows_asked(glyphs)
        real, captions = self.features(glyphs), caption_numbers(glyphs)
        samples = draw([glyphs.captions[row] for row in rows.tolist()])
        samples, asked = shrink_x0(samples), captions[rows]
        features = self.classifier.read(samples).features
        nearest = nearest_captions(features, real, captions)
        again = partial(bootstrap_interval, generator=generator, groups=asked)
        found = {
            "caption_hit": again(torch.mean, (nearest == asked).double()),
            "caption_shuffled": again(shuffled_rate, torch.stack([nearest, asked], 1)),
        }
        if min(len(real), len(samples)) >= LEAST:
            likeness = measure_likeness(features, real, generator, groups=asked)
            found |= likeness._asdict()
        if self.is_held_out:
            train, held_out = map(x0_at_judges_size, (self.train, self.held_out))
            novelty = measure_novelty(samples, train, held_out, generator, groups=asked)
            found |= novelty._asdict()
        return {name: estimate._asdict() for name, estimate in found.items()}

    def references(self) -> dict:
        """Chance, and how near training glyphs are to held-out ones.

        Returns:
            "caption_by_chance", and "floor", the fields of `Likeness`, where there are
            held-out glyphs.
        """
        glyphs, generator = self.judged_by, self.generator()
        numbers = caption_numbers(glyphs)
        chance = torch.bincount(numbers).double()[numbers] / len(numbers)
        draw = partial(bootstrap_interval, torch.mean, generator=generator)
        found = {"caption_by_chance": draw(chance)._asdict()}
        if self.is_held_out and len(self.train) >= LEAST:
            floor = measure_likeness(
                self.features(self.train), self.features(self.held_out), generator
            )
            found["floor"] = as_json(floor)
        return found

    def features(self, glyphs: Glyphs) -> Tensor:
        """What the classifier's network tells of glyphs, (N, D)."""
        return self.classifier.read(x0_at_judges_size(glyphs)).features


def plain_name(way: str) -> str:
    """The part on plain prompts of a way of drawing: "plain 3" for "scale 3"."""
    return f"plain {way.removeprefix('scale ')}"


def share_over_prompts(shares: Sequence[float], generator: torch.Generator) -> Estimate:
    """Mean share of hits over prompts, with the interval from drawing prompts again.

    Args:
        shares: of hits, one a prompt.
        generator: source of randomness.
    """
    values = torch.tensor(shares, dtype=torch.float64)
    return bootstrap_interval(torch.mean, values, generator=generator)


def x0_at_judges_size(glyphs: Glyphs) -> Tensor:
    """Glyphs as the classifier sees them, (N, 1, 32, 32)."""
    return shrink_x0(x0_from_images(glyphs.images))


def caption_numbers(glyphs: Glyphs) -> Tensor:
    """A number (N,) for each glyph, the same for glyphs of one caption."""
    folded = [caption.casefold() for caption in glyphs.captions]
    numbers = {caption: number for number, caption in enumerate(dict.fromkeys(folded))}
    return torch.tensor([numbers[caption] for caption in folded])


def judge_of(
    glyffuser: Glyffuser,
    glyphs: Glyphs,
    config: ReportConfig,
    *,
    progress: Callable[[Sequence], Iterable] = list,
    student: Student | None = None,
) -> RadicalJudge | CaptionJudge:
    """The judge that a glyph set allows.

    Args:
        glyffuser: to be judged, or the teacher of the student that is.
        glyphs: of both splits.
        config: what to draw.
        progress: wraps the batches of glyphs drawn, as tqdm does.
        student: to be judged; None for the glyffuser.

    Raises:
        ValueError: If there are no glyphs, or a setting is out of range.
    """
    check_config(config, glyffuser)
    if not len(glyphs):
        raise ValueError("there are no glyphs to judge by: give a set with some")
    known = glyphs.take(glyphs.radicals > 0)
    train, held_out = known.take(~known.is_test), known.take(known.is_test)
    is_known = min(len(train), len(held_out)) >= LEAST
    is_known = is_known and len(train.radicals.unique()) > 1
    if not is_known:
        train, held_out = glyphs.take(~glyphs.is_test), glyphs.take(glyphs.is_test)
    return (RadicalJudge if is_known else CaptionJudge)(
        glyffuser=glyffuser,
        classifier=RadicalClassifier.load(),
        train=train,
        held_out=held_out,
        config=config,
        progress=progress,
        student=student,
    )


def check_config(config: ReportConfig, glyffuser: Glyffuser) -> None:
    """Raise a ValueError, before anything is drawn, if a setting is out of range."""
    for name in ("num_captions", "num_samples", "num_plain"):
        if (num := getattr(config, name)) < 1:
            raise ValueError(f"{name} {num} must be at least 1")
    level_grid(len(glyffuser.alpha_bar) - 1, config.num_steps)
    seeds_of(config.seed, config.num_captions * config.num_samples)
    for scale in config.scales:
        check_scale(scale)


def as_json(found: tuple) -> dict:
    """Named tuples within each other, as dictionaries.

    Args:
        found: a named tuple whose values are named tuples or fit in JSON.
    """
    return {
        name: as_json(value) if isinstance(value, tuple) else value
        for name, value in found._asdict().items()
    }


def find_teacher(path: Path) -> Path:
    """Folder of a student's teacher: in the folder of its run, or the shipped one.

    Args:
        path: folder of the student.
    """
    beside = RunFolder(path.resolve().parent).initial
    return beside if beside.is_dir() else SHIPPED


def load_teacher(student: Student, path: Path) -> Glyffuser:
    """The glyffuser that a student has learnt from.

    Args:
        student: whose teacher it is to be.
        path: folder of the glyffuser.

    Raises:
        FileNotFoundError: If there is no such glyffuser.
        ValueError: If it is damaged, or not the one that the student has learnt from.
    """
    teacher, way_out = Glyffuser.load(path), "name the right one with --teacher"
    told = student.training.get("teacher")
    if told is not None and told != digest_of(path):
        raise ValueError(
            f"{path} is not the teacher of this student: its weights are not those "
            f"that the student's config.json names: {way_out}"
        )
    pairs = {
        name: (getattr(student, name), getattr(teacher, name))
        for name in ("size", "prediction", "schedule", "max_tokens")
    }
    forms = [net.config | {"dropout": 0} for net in (student.net.unet, teacher.unet)]
    for name, (mine, theirs) in (pairs | {"network": tuple(forms)}).items():
        if mine != theirs:
            raise ValueError(
                f"{path} cannot be the teacher of this student, its {name} is "
                f"{theirs}, not {mine}: {way_out}"
            )
    return teacher


def digest_of(path: Path) -> str:
    """The sha256 of the weights in a model's folder."""
    return sha256((path / WEIGHTS).read_bytes()).hexdigest()


def build_report(
    model: Path | str,
    glyphs: Glyphs,
    out: Path | str,
    config: ReportConfig,
    *,
    teacher: Path | str | None = None,
    progress: Callable[[Sequence], Iterable] = list,
) -> Iterator[tuple[str, dict]]:
    """Judge a glyffuser or a student, part by part, and write each as it is found.

    Args:
        model: folder of the glyffuser, or of the student.
        glyphs: to judge it by, of both splits; 32 pixels a side are what is seen.
        out: JSON file; parts that it holds already, of this model and this
            configuration, are not done again.
        config: what to draw; a student's scale is the one that it was taught.
        teacher: folder of the glyffuser that a student has learnt from; by default the
            one in its run's folder or, if there is none, the shipped one.
        progress: wraps the batches of glyphs drawn, as tqdm does.

    Yields:
        name and content of each part: "references", then one for each of `Judge.ways`
        and, where radicals are known, one for plain prompts: "scale 3", "plain 3", or
        "student 8", "plain student 8".

    Raises:
        ValueError: If a setting is out of range, there are no glyphs, the file holds a
            report of another model, configuration or glyph set, or the teacher is that
            of another student, or given for a glyffuser.
        FileNotFoundError: If there is no such model or teacher.
    """
    model, student, more = Path(model), None, {}
    if is_student(model):
        student = Student.load(model)
        teacher = Path(teacher or find_teacher(model))
        glyffuser = load_teacher(student, teacher)
        config = replace(config, scales=(student.scale,))
        more = {"teacher": digest_of(teacher), "counts": list(student.counts)}
        seen = student.training.get("glyphs", 0)
    elif teacher is not None:
        raise ValueError(f"{model} is no student: a teacher is for one")
    else:
        glyffuser = Glyffuser.load(model)
        seen = glyphs_seen(glyffuser)
    judge = judge_of(glyffuser, glyphs, config, progress=progress, student=student)
    facts = {
        "model": digest_of(model),
        "glyphs_seen": seen,
        "settings": json.loads(json.dumps(asdict(config))),
        "glyphs": {
            "name": glyphs.name,
            "sha256": glyphs.sha256,
            "train": int((~glyphs.is_test).sum()),
            "held_out": int(glyphs.is_test.sum()),
            "asked": judge.asked,
            "left_out": dict(judge.left_out),
        },
    } | more
    report = read_report(Path(out), facts)
    for name in judge.names():
        if name not in report["parts"]:
            report["parts"][name] = judge.part(name)
            report |= provenance()
            write_text(Path(out), json.dumps(report, indent=1) + "\n")
        yield name, report["parts"][name]


def read_report(path: Path, facts: dict) -> dict:
    """The report in a file, or a new one.

    Settings that the file is too old to name are taken as what held then.

    Raises:
        ValueError: If it is one of something else; it says what differs.
    """
    if not path.is_file():
        return facts | {"parts": {}}
    try:
        report = json.loads(path.read_text("utf-8"))
        report["settings"] = BEFORE | report.get("settings", {})
        other = [name for name, value in facts.items() if report.get(name) != value]
        is_report = isinstance(report["parts"], dict)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no report: {error}") from error
    if other or not is_report:
        told = "another model, with other glyphs or with other settings"
        asked, there = facts.get("settings", {}), report["settings"]
        which = [
            f"settings: {name} is {there.get(name)} there, {asked.get(name)} here"
            for name in {**asked, **there}
            if there.get(name) != asked.get(name)
        ]
        named = [name for name in other if name != "settings"] + which
        raise ValueError(
            f"{path} is of {told} ({', '.join(named)}): remove it, or write elsewhere"
        )
    return report
