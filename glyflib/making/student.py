"""Teach a student to draw in 8, 4, 2 and 1 calls, phase by phase, and judge it.

Invariant: everything lies in one folder, the teacher's copy too. A run killed at any
moment goes on from its last checkpoint, to the same weights bit by bit.

A step costs more than one of plain training, for the teachers answer twice: 2.3 times
as much in the first phase, where each answer is guided, 2.1 in the second and 1.9 in
the last (processor time of one thread, products in bfloat16, 64 glyphs a step).
"""

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
from accelerate import Accelerator
from torch import Tensor

from glyflib.checkpoint import RECORD, load_checkpoint
from glyflib.data import Glyphs, evenly
from glyflib.distillation import (
    draw_lesson,
    guided_teacher,
    student_teacher,
    teachers_for,
)
from glyflib.evaluation.card import write_card
from glyflib.evaluation.intervals import bootstrap_interval
from glyflib.evaluation.report import digest_of
from glyflib.files import provenance, write_bytes
from glyflib.glyffuser import Glyffuser
from glyflib.making.plan import damaged, read_plan, write_plan
from glyflib.run_log import Log
from glyflib.runs import (
    TRIAL_STEPS,
    WARMUP,
    RunFolder,
    Start,
    copy_sources,
    prepare,
    steps_in,
)
from glyflib.sampling import sample
from glyflib.student import COUNTS, SCALE, Student, StudentNet
from glyflib.text import TextCondition, encode_captions
from glyflib.training import TrainConfig, TrainStep, load, train

PLAN = "student.json"  # of the run's folder: what it was started with
# Share of the time, or of the steps, that each phase gets. The first has the most to
# learn, the guidance; four calls are what the student is for.
SHARES = {8: 0.4, 4: 0.3, 2: 0.15, 1: 0.15}
NUM_JUDGED = 64  # held-out captions


@dataclass(frozen=True)
class StudentStart:
    """What a run is asked for.

    Attributes:
        steps: how many, over all phases; None if `minutes` tells.
        minutes: about how long, over all phases; a trial tells how many steps that is.
        fewest: calls that the last phase teaches, one of `student.COUNTS`.
        scale: of the guidance to fold in.
        batch_size: glyphs a step.
        learning_rate: peak, in each phase.
        ema_decay: of the averaged weights.
        seed: of all draws.
        cpu_bf16: whether a CPU multiplies in bfloat16, the teachers too.
        checkpoint_seconds: time between checkpoints.
    """

    steps: int | None = None
    minutes: float | None = None
    fewest: int = 1
    scale: float = SCALE
    batch_size: int = 64
    learning_rate: float = 1e-4
    ema_decay: float = 0.999
    seed: int = 0
    cpu_bf16: bool = False
    checkpoint_seconds: float = 60.0

    def __post_init__(self):
        if (self.steps is None) == (self.minutes is None):
            raise ValueError("give steps or minutes")
        if self.minutes is not None and not 0 < self.minutes < math.inf:
            raise ValueError(f"minutes {self.minutes} must be above 0")
        if self.fewest not in COUNTS:
            raise ValueError(f"fewest {self.fewest} must be one of {COUNTS}")
        if self.steps is not None and self.steps < len(self.counts):
            raise ValueError(f"steps {self.steps}: at least one for each phase")

    @property
    def counts(self) -> tuple[int, ...]:
        """Calls that the phases teach, one after the other."""
        return tuple(count for count in COUNTS if count >= self.fewest)

    def share(self, count: int) -> float:
        """Of the phase that teaches so many calls."""
        return SHARES[count] / sum(SHARES[one] for one in self.counts)


class Lessons:
    """What all phases of a run share: teacher, glyphs and captions, on one device.

    Args:
        teacher: the glyffuser.
        glyphs: to learn, of its size.
        start: what the run is asked for.
        progress: wraps the batches of captions, as tqdm does.

    Raises:
        ValueError: If the glyphs are of another size, or the teacher predicts eps.
    """

    def __init__(
        self,
        teacher: Glyffuser,
        glyphs: Glyphs,
        start: StudentStart,
        *,
        progress: Callable[[Sequence], Iterable] = list,
    ):
        if glyphs.images.shape[-1] != teacher.size:
            sides = f"{glyphs.images.shape[-1]} pixels a side, not {teacher.size}"
            raise ValueError(f"the glyphs have {sides}: load them at the model's size")
        self.start, self.glyphs = start, glyphs
        self.student = Student.of(teacher, counts=start.counts, scale=start.scale)
        captions = [*glyphs.captions, ""]
        texts = encode_captions(teacher.encoder, captions, progress=progress)
        self.cond, null = texts.take(slice(-1)), texts.take(slice(-1, None))
        self.null = TextCondition(null.tokens.float(), null.mask)
        device = Accelerator().device
        self.teacher = guided_teacher(
            deepcopy(teacher.unet).eval().requires_grad_(False).to(device),
            TextCondition(*(some.to(device) for some in self.null)),
            start.scale,
            teacher.prediction,
            self.student.alpha_bar,
        )
        self.device = device

    def config(self, count: int, steps: int) -> TrainConfig:
        """How the phase that teaches so many calls is trained."""
        start = self.start
        return TrainConfig(
            steps,
            batch_size=start.batch_size,
            learning_rate=start.learning_rate,
            warmup=min(WARMUP, steps // 10),
            ema_decay=start.ema_decay,
            prediction=self.student.prediction,
            seed=start.seed + start.counts.index(count),
            cpu_bf16=start.cpu_bf16,
            checkpoint_seconds=start.checkpoint_seconds,
        )

    def teach(
        self,
        net: StudentNet,
        count: int,
        config: TrainConfig,
        directory: Path | None = None,
    ) -> Iterator[TrainStep]:
        """Train a network in place, for one phase; goes on from a checkpoint there.

        Args:
            net: as it came out of the phase before, or the teacher's.
            count: calls that this phase teaches, beside the earlier ones.
            config: how to train.
            directory: folder for checkpoints; none are written without.
        """
        counts = self.start.counts
        taught = counts[: counts.index(count) + 1]
        alpha_bar, prediction = self.student.alpha_bar, self.student.prediction
        frozen = deepcopy(net).eval().requires_grad_(False).to(self.device)
        later = student_teacher(frozen, prediction, alpha_bar)
        teachers = teachers_for(taught, self.teacher, later)
        return train(
            net,
            self.glyphs.images,
            config,
            alpha_bar,
            cond=self.cond,
            null=self.null,
            data_sha256=self.glyphs.sha256,
            directory=directory,
            resume=directory is not None and (directory / RECORD).is_file(),
            draw=partial(draw_lesson, teachers=teachers, alpha_bar=alpha_bar),
        )

    def phase_steps(self) -> dict[int, int]:
        """Steps of each phase; where minutes are asked for, trials tell how many."""
        start, found = self.start, {}
        for count in start.counts:
            if start.steps is not None:
                found[count] = max(1, round(start.share(count) * start.steps))
                continue
            config = replace(self.config(count, TRIAL_STEPS), warmup=0)
            times = [perf_counter()]
            for _ in self.teach(deepcopy(self.student.net), count, config):
                times.append(perf_counter())
            seconds = median(b - a for a, b in pairwise(times[3:]))
            found[count] = steps_in(start.share(count) * start.minutes, seconds)
        return found


def begin(
    start: StudentStart,
    teacher: Path | str,
    folder: RunFolder,
    glyphs: Glyphs,
    *,
    progress: Callable[[Sequence], Iterable] = list,
) -> tuple[Lessons, dict[int, int]]:
    """Begin a run in a folder, or take up the one that is there.

    Args:
        start: what the run is asked for.
        teacher: folder of a glyffuser, read where the run is new; its copy in the run's
            folder is read from then on.
        folder: of the run.
        glyphs: to learn, of the teacher's size.
        progress: wraps the batches of captions, as tqdm does.

    Returns:
        What all phases share, and the steps of each phase.

    Raises:
        FileNotFoundError: If there is no such teacher.
        FileExistsError: If the folder holds anything but such a run.
        ValueError: If the folder holds a run that was asked for something else, or the
            teacher is damaged or predicts eps.
    """
    path = folder.path / PLAN
    if path.is_file():
        steps = planned_steps(path, start)
        return Lessons(kept_teacher(folder), glyphs, start, progress=progress), steps
    if folder.path.is_dir() and any(folder.path.iterdir()):
        raise FileExistsError(
            f"{folder.path} holds something, but no run of a student: name another "
            "folder"
        )
    sources = Start(steps=1, init=str(teacher))
    glyffuser, _ = prepare(sources, folder)
    lessons = Lessons(glyffuser, glyphs, start, progress=progress)
    steps = lessons.phase_steps()
    copy_sources(sources, folder, glyffuser)
    write_plan(path, start, steps)
    return lessons, steps


def kept_teacher(folder: RunFolder) -> Glyffuser:
    """The run's own copy of its teacher, wherever the folder has been moved."""
    return prepare(Start(steps=1, init=str(folder.initial)), folder)[0]


def planned_steps(path: Path, start: StudentStart) -> dict[int, int]:
    """Steps of each phase of a run that is there.

    Raises:
        ValueError: If its record is damaged, or it was asked for something else.
    """
    steps = read_plan(path, start)
    try:
        return {count: int(steps[str(count)]) for count in start.counts}
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path, error) from error


def phase_folder(folder: RunFolder, count: int) -> Path:
    """Where the checkpoint of the phase that teaches so many calls lies."""
    return folder.path / f"calls-{count}"


def train_student(
    lessons: Lessons, steps: dict[int, int], folder: RunFolder
) -> Iterator[TrainStep]:
    """Teach one phase after the other; a step's number counts over all of them.

    After each phase, the folder's model is written: a student of the counts so far.

    Args:
        lessons: what all phases share.
        steps: of each phase.
        folder: of the run, as `begin` left it.

    Raises:
        ValueError: If a checkpoint there is damaged or of another run.
    """
    student, before = lessons.student, 0
    net = student.net.to(memory_format=torch.channels_last)
    done = {count: steps_done(phase_folder(folder, count)) for count in steps}
    finished = [count for count in steps if done[count] == steps[count]]
    log = Log(folder.log, step=sum(done.values()), glyphs=0)
    for count, num_steps in steps.items():
        place = phase_folder(folder, count)
        if count not in finished:
            config = lessons.config(count, num_steps)
            for step in lessons.teach(net, count, config, place):
                step = step._replace(step=before + step.step)
                log.add(step, config.batch_size)
                yield step
        load(place, net)  # the averaged weights go on, in float32
        before += num_steps
        if count not in finished[:-1]:  # the model there may know more counts
            taught = tuple(one for one in steps if one >= count)
            save_student(lessons, taught, steps, log.seconds, folder)


def steps_done(place: Path) -> int:
    """How many steps of a phase its checkpoint holds; 0 where there is none."""
    if not (place / RECORD).is_file():
        return 0
    return load_checkpoint(place).facts["step"]


def save_student(
    lessons: Lessons,
    taught: tuple[int, ...],
    steps: dict[int, int],
    seconds: float,
    folder: RunFolder,
) -> None:
    """Write the student as it is now, for the counts that it has been taught."""
    facts = asdict(lessons.start) | {
        "teacher": digest_of(folder.initial),
        "phases": {str(count): steps[count] for count in taught},
        "glyphs": sum(steps[count] for count in taught) * lessons.start.batch_size,
        "seconds": round(seconds),
        "data": lessons.glyphs.name,
        "data_sha256": lessons.glyphs.sha256,
    }
    told = replace(lessons.student, counts=taught, training=facts | provenance())
    told.save(folder.model)


def finish(folder: RunFolder, held_out: Glyphs, *, seed: int = 0) -> None:
    """Judge the run's student beside its teacher, and write its model card and log.

    Args:
        folder: of the run, all of whose phases are done.
        held_out: glyphs whose captions are drawn.
        seed: of the draws and of the intervals.
    """
    teacher = kept_teacher(folder)
    student = Student.load(folder.model, encoder=teacher.encoder)
    rows = evenly(min(NUM_JUDGED, len(held_out)), len(held_out)).tolist()
    captions = [held_out.captions[row] for row in rows]
    report = {"captions": len(captions)}
    with warnings.catch_warnings(action="ignore"):  # long captions are cut
        report |= judge(student, teacher, captions, seed=seed)
    student.training = student.training | {"report": report}
    student.save(folder.model)
    write_bytes(folder.model / folder.log.name, folder.log.read_bytes())
    write_card(folder.model)


def judge(
    student: Student, teacher: Glyffuser, captions: Sequence[str], *, seed: int
) -> dict[str, dict]:
    """How far pictures lie from the teacher's own ones of the same noise.

    Its own ones are drawn in twice as many DDIM steps as the student's most calls. A
    distance is the root mean square of a picture's pixels, on a scale of -1 to 1; the
    mean over captions has an interval.

    Returns:
        "student 8", … and, for comparison, "teacher 8", …: the teacher in as many DDIM
        steps of two calls each.
    """

    def draw(steps: int) -> Tensor:
        options = {"scale": student.scale, "sampler": sample, "seed": seed}
        return teacher.sample(captions, num_steps=steps, **options)

    wanted, found = draw(2 * student.counts[0]), {}
    for calls in student.counts:
        ways = {
            f"student {calls}": student.sample(captions, calls=calls, seed=seed),
            f"teacher {calls}": draw(calls),
        }
        for name, pictures in ways.items():
            gaps = (pictures - wanted).square().mean((1, 2, 3)).sqrt().double()
            generator = torch.Generator().manual_seed(seed)
            interval = bootstrap_interval(torch.mean, gaps, generator=generator)
            found[name] = interval._asdict()
    return found
