"""Your own glyphs: a font learnt, a face learnt, a prompt taught, for chapter 22.

Invariant: pictures that are compared start from the same noises, and a network that
learns starts from the shipped weights (the second round of rewards from the first's).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from glyflib.data import Glyphs, evenly, images_from_x0, load_glyphs, x0_from_images
from glyflib.evaluation.parts import read_parts
from glyflib.evaluation.radicals import RadicalClassifier
from glyflib.evaluation.samples import nearest_captions
from glyflib.files import DATA
from glyflib.glyffuser import Glyffuser
from glyflib.glyphs.assemble import build_glyphs
from glyflib.glyphs.fonts import carried_font, open_face
from glyflib.glyphs.names import name_captions, parse_ranges
from glyflib.glyphs.tables import NO_UNIHAN
from glyflib.lessons.asked import OTHERS, rows_with_radical, some_rows
from glyflib.lessons.own import (
    FACE_PROMPTS,
    JUDGED_RIGHT,
    SERIF,
    SYMBOL_PROMPTS,
    SYMBOLS,
    TAUGHT,
    learn,
    matched,
)
from glyflib.precision import products_in_bf16
from glyflib.runs import LEVELS
from glyflib.studies.common import Part, Subject, clock
from glyflib.training import TrainConfig, errors_by_level

SERIF_GLYPHS = DATA / "serif.parquet"
LATER = 100_000  # seeds from here on are for glyphs that no network has learnt from


@dataclass(frozen=True)
class Plan:
    """How long, and by how much each is judged.

    Attributes:
        symbol_steps: steps of training on the symbols.
        face_steps: steps of training on a face.
        reward_steps: steps of each round of rewards.
        rounds: of rewards.
        batch_size: glyphs a step.
        num_steps: of the sampler.
        scale: of the guidance, where symbols and faces are drawn.
        num_symbols: training captions of symbols that are drawn again.
        num_each: drawings of each held-out symbol.
        num_captions: held-out captions that are drawn before and after a face.
        num_drawn: drawings of which a round of rewards chooses.
        num_judged: drawings that judge a round.
        num_others: drawings of each prompt that is not taught.
        cpu_bf16: whether products are in bfloat16.
    """

    symbol_steps: int = 200
    face_steps: int = 80
    reward_steps: int = 50
    rounds: int = 2
    batch_size: int = 64
    num_steps: int = 12
    scale: float = 2.0
    num_symbols: int = 69
    num_each: int = 3
    num_captions: int = 112
    num_drawn: int = 256
    num_judged: int = 160
    num_others: int = 12
    cpu_bf16: bool = True

    def config(self, steps: int, learning_rate: float, seed: int) -> TrainConfig:
        """How to train for so many steps."""
        return TrainConfig(
            steps,
            batch_size=self.batch_size,
            learning_rate=learning_rate,
            warmup=steps // 10,
            ema_decay=0.97,
            seed=seed,
            cpu_bf16=self.cpu_bf16,
        )

    def draw(
        self, glyffuser: Glyffuser, prompts: Sequence[str], scale: float, seed: int
    ) -> Tensor:
        """Pictures (N, 1, S, S) uint8, picture i from the noise of seed + i."""
        with products_in_bf16("cpu", on_gpu=False, on_cpu=self.cpu_bf16):
            x0 = glyffuser.sample(
                prompts, num_steps=self.num_steps, scale=scale, seed=seed
            )
        return images_from_x0(x0)

    def errors(self, glyffuser: Glyffuser, glyphs: Glyphs, seed: int) -> Tensor:
        """Error in v of each glyph (N,), told its caption, a mean over levels."""
        levels, alpha_bar = list(LEVELS), glyffuser.alpha_bar
        with products_in_bf16("cpu", on_gpu=False, on_cpu=self.cpu_bf16):
            errors = errors_by_level(
                glyffuser.denoiser(glyphs.captions),
                x0_from_images(glyphs.images),
                levels,
                alpha_bar,
                torch.Generator().manual_seed(seed),
            )
        return (errors / alpha_bar[levels, None]).mean(0).float()


def symbol_set() -> Glyphs:
    """The symbols of the font that matplotlib carries, at 32 by 32 pixels."""
    captions: dict[str, str] = {}
    for part in parse_ranges(SYMBOLS):
        captions |= name_captions(part)
    with TemporaryDirectory() as folder:
        out = Path(folder) / "symbols.parquet"
        face = open_face(carried_font())
        build_glyphs(face, captions, NO_UNIHAN, out, is_unihan=False)
        return load_glyphs("all", 32, path=out)


def moments_of(steps: int) -> list[int]:
    """Steps at which the drawings are looked at: 0, a tenth, three tenths, the last."""
    return sorted({0, steps // 10, 3 * steps // 10, steps})


def symbols(subject: Subject, seed: int, plan: Plan, given: Glyphs | None) -> dict:
    """Learn the symbols of a font; sheets and errors on the way, judged at the end."""
    glyphs = symbol_set() if given is None else given
    train, held_out = glyphs.take(~glyphs.is_test), glyphs.take(glyphs.is_test)
    again = train.take(evenly(len(held_out), len(train)))  # as many that it is shown
    moments, sheets = moments_of(plan.symbol_steps), []
    losses: list[float] = []
    errors: dict[str, list[float]] = {"shown": [], "held back": []}

    def look(glyffuser: Glyffuser) -> None:
        prompts = list(SYMBOL_PROMPTS)
        sheets.append(plan.draw(glyffuser, prompts, plan.scale, LATER + seed))
        for name, some in {"shown": again, "held back": held_out}.items():
            errors[name].append(plan.errors(glyffuser, some, seed).mean().item())

    look(subject.glyffuser)
    config = plan.config(plan.symbol_steps, 5e-4, seed)
    seconds, begin = 0.0, clock()
    for now in learn(subject.glyffuser, train.images, train.captions, config):
        losses.append(now.loss)
        if now.step in moments:
            seconds += clock() - begin
            look(now.glyffuser)
            begin = clock()
    found = {
        "steps": plan.symbol_steps,
        "batch_size": plan.batch_size,
        "learning_rate": config.learning_rate,
        "num_train": len(train),
        "num_held_out": len(held_out),
        "seconds": round(seconds),
        "losses": losses,
        "moments": moments,
        "errors": errors,
        "prompts": list(SYMBOL_PROMPTS),
        "scale": plan.scale,
        "num_steps": plan.num_steps,
        "sheets": torch.stack(sheets),
    }
    shown = train.take(evenly(min(plan.num_symbols, len(train)), len(train)))
    asked = {
        "shown": shown.captions,
        "held back": [c for c in held_out.captions for _ in range(plan.num_each)],
    }
    for name, captions in asked.items():
        drawn = plan.draw(now.glyffuser, captions, plan.scale, LATER + seed)
        found |= named_by_likeness(name, drawn, list(captions), glyphs)
    found["real far"] = far_from(held_out.images, train.images).tolist()
    found["shown far"] = far_from(found["shown images"], train.images).tolist()
    found["held back far"] = far_from(found["held back images"], train.images).tolist()
    return found


def named_by_likeness(
    name: str, drawn: Tensor, captions: list[str], glyphs: Glyphs
) -> dict:
    """Drawings, what they were to show, and the real glyph that each is most like."""
    read = RadicalClassifier.load().read
    features = read(x0_from_images(drawn)).features
    real = read(x0_from_images(glyphs.images)).features
    nearest = nearest_captions(features, real, torch.arange(len(glyphs)))
    like = [glyphs.captions[row] for row in nearest.tolist()]
    return {f"{name} asked": captions, f"{name} like": like, f"{name} images": drawn}


def far_from(images: Tensor, others: Tensor) -> Tensor:
    """How far each picture is from the nearest of others, (N,): RMS over pixels."""
    x, y = (x0_from_images(some).flatten(1) for some in (images, others))
    return torch.cdist(x, y).amin(1) / x.shape[1] ** 0.5


@dataclass(frozen=True, eq=False)
class Faces:
    """The characters of a second face, and the same in the first.

    Attributes:
        subject: has the first face.
        serif: all glyphs of the second.
    """

    subject: Subject
    serif: Glyphs

    @cached_property
    def to_learn(self) -> tuple[Glyphs, Glyphs]:
        """Serif and sans of the characters that the glyffuser was shown."""
        return matched(self.serif, self.subject.train)

    @cached_property
    def unseen(self) -> tuple[Glyphs, Glyphs]:
        """Serif and sans of those that were held back from it; they stay so."""
        return matched(self.serif, self.subject.held_out)


def faces(
    subject: Subject, seed: int, plan: Plan, serif: Glyphs | None, way: str
) -> dict:
    """A network before or after it learnt a second face, and what it draws.

    Args:
        subject: the glyffuser, with the first face.
        seed: of all draws.
        plan: how long, how much.
        serif: the second face; None for the book's.
        way: "before"; "serif" learns the second face alone; "both" learns both, and is
            told the second by a word.
    """
    serif = serif or load_glyphs("all", 32, path=SERIF_GLYPHS)
    pair = Faces(subject, serif)
    second, first = pair.to_learn
    images, captions = second.images, list(second.captions)
    if way == "both":
        images = torch.cat([second.images, first.images])
        captions = [SERIF + caption for caption in captions] + list(first.captions)
    found: dict = {"num_serif": len(second), "way": way}
    glyffuser = subject.glyffuser
    if way != "before":
        config, losses = plan.config(plan.face_steps, 3e-4, seed), []
        begin = clock()
        for now in learn(glyffuser, images, captions, config):
            losses.append(now.loss)
        found |= {
            "steps": plan.face_steps,
            "batch_size": plan.batch_size,
            "learning_rate": config.learning_rate,
            "seconds": round(clock() - begin),
            "losses": losses,
        }
        glyffuser = now.glyffuser
    rows = rows_with_radical(subject.held_out, plan.num_captions)
    found |= {"rows": rows, "scale": plan.scale, "num_steps": plan.num_steps}
    asked = list(subject.held_out.take(rows).captions)
    words = {"": "plain"} | ({SERIF: "told"} if way == "both" else {})
    for word, name in words.items():
        ask = partial(plan.draw, glyffuser, scale=plan.scale, seed=LATER + seed)
        found[f"{name} sheet"] = ask([word + prompt for prompt in FACE_PROMPTS])
        found[f"{name} images"] = ask([word + caption for caption in asked])
    for name, some in zip(("serif", "sans"), pair.unseen, strict=True):
        found[f"{name} errors"] = plan.errors(glyffuser, some, seed)
    return found


def judged(images: Tensor) -> dict:
    """What two judges say of drawings: a probability each, and a radical each."""
    x0 = x0_from_images(images)
    return {
        "probabilities": read_parts(images).of(TAUGHT).tolist(),
        "radicals": RadicalClassifier.load().read(x0).radicals.tolist(),
    }


def rewards(subject: Subject, seed: int, plan: Plan) -> dict:
    """Draw, keep what one judge calls right, weigh it, train; and once more.

    Numbers and pictures of round 0 are those of the shipped glyffuser.
    """
    glyffuser, found = subject.glyffuser, {"rounds": [], "steps": plan.reward_steps}
    found |= {"batch_size": plan.batch_size, "num_steps": plan.num_steps}
    for number in range(plan.rounds + 1):
        told = {}
        if number:
            glyffuser, told = one_round(glyffuser, subject, seed + number, plan)
            found[f"kept images {number}"] = told.pop("kept images")
        same = [TAUGHT] * plan.num_judged
        images = plan.draw(glyffuser, same, 1.0, LATER + seed)
        found[f"images {number}"] = images
        told |= judged(images) | {"others": {}}
        for prompt in OTHERS:
            if prompt != TAUGHT:
                some = [prompt] * plan.num_others
                drawn = plan.draw(glyffuser, some, 1.0, LATER + seed)
                told["others"][prompt] = judged(drawn)["radicals"]
        found["rounds"].append(told)
    return found


def one_round(
    glyffuser: Glyffuser, subject: Subject, seed: int, plan: Plan
) -> tuple[Glyffuser, dict]:
    """One round: what the network became, and what it was taught by."""
    first = seed * plan.num_drawn
    images = plan.draw(glyffuser, [TAUGHT] * plan.num_drawn, 1.0, first)
    said = judged(images)
    sure = torch.tensor(said["probabilities"])
    kept = sure > JUDGED_RIGHT
    # as many real glyphs as it keeps, so that what it knows is not lost
    rows = some_rows(len(subject.train), int(kept.sum()), seed)
    real = subject.train.take(rows)
    weights = sure[kept] / sure[kept].mean()
    begin, losses = clock(), []
    config = plan.config(plan.reward_steps, 1e-4, seed)
    steps = learn(
        glyffuser,
        torch.cat([images[kept], real.images]),
        [TAUGHT] * int(kept.sum()) + list(real.captions),
        config,
        weights=torch.cat([weights, torch.ones(len(real))]),
    )
    for now in steps:
        losses.append(now.loss)
    return now.glyffuser, {
        "drawn": said,
        "kept": int(kept.sum()),
        "weights": weights.tolist(),
        "learning_rate": config.learning_rate,
        "losses": losses,
        "seconds": round(clock() - begin),
        "kept images": images[kept][:64],
    }


def own(
    subject: Subject,
    seed: int,
    *,
    plan: Plan | None = None,
    font_glyphs: Glyphs | None = None,
    serif: Glyphs | None = None,
) -> Mapping[str, Part]:
    """Parts "before", "serif", "reward", "symbols" and "both".

    Args:
        subject: the shipped glyffuser, and the book's glyphs.
        seed: of all draws.
        plan: how long, how much.
        font_glyphs: the symbols to learn; by default those of the carried font.
        serif: the second face; by default that in data/.
    """
    plan = plan or Plan()
    face = partial(faces, subject, seed, plan, serif)
    return {
        "before": partial(face, "before"),
        "serif": partial(face, "serif"),
        "reward": partial(rewards, subject, seed, plan),
        "symbols": partial(symbols, subject, seed, plan, font_glyphs),
        "both": partial(face, "both"),
    }
