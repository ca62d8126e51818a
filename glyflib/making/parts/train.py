"""Train the reader of parts, on real glyphs and on halves of them pasted together.

Invariant: no half and no glyph of a held-out character is ever trained on; a label
that is unknown adds nothing to the loss; the same seed, fonts, tables and machine give
the same weights.
"""

import platform
import time
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from glyflib.data import Glyphs
from glyflib.evaluation.parts import PARTS, PLACES, PartReader
from glyflib.glyphs.fonts import Face
from glyflib.glyphs.tables import Unihan
from glyflib.making.parts.card import card, measure
from glyflib.making.parts.labels import (
    ALONE,
    BESIDE,
    MIN_GLYPHS,
    STACKED,
    WHOLE,
    Labels,
    make_labels,
    place_labels,
    write_labels,
)
from glyflib.making.parts.paste import (
    Frames,
    Halves,
    cut_halves,
    find_frames,
    paste,
    paste_inside,
)
from glyflib.making.parts.spelling import Speller
from glyflib.making.radicals.augment import augment
from glyflib.making.radicals.train import (
    LEARNING_RATE,
    SHARE_OF_SET,
    WEIGHT_DECAY,
    Views,
    choose_views,
    draw_views,
    halve,
    optimise,
    save,
)

NUM_REAL, NUM_ALONE = 60, 6  # real glyphs of a batch, and radicals that stand alone
NUM_BESIDE, NUM_STACKED, NUM_ENCLOSED = 28, 16, 18  # of pasted ones
SHARE_ALIKE = 0.25  # of the pasted have halves that are known to share a part
WEIGHT_HELD = 3  # of a label "holds", which is rare, beside one "lacks"
NETWORK = {"widths": [40, 80, 160], "feature_dim": 160}
LABELS = "labels.parquet"


class Batch(NamedTuple):
    """Disturbed pictures and what they hold.

    Attributes:
        x0: (B, 1, 32, 32).
        parts: (B, P) int8 labels.
        places: (B, P, 7) int8 labels.
        rows: row numbers of all glyphs that the pictures are made from.
    """

    x0: Tensor
    parts: Tensor
    places: Tensor
    rows: Tensor


def known_loss(logits: Tensor, labels: Tensor, *, weight: float = 1) -> Tensor:
    """Mean cross-entropy over the labels that are known; 0 if none is.

    Args:
        logits: (...) of any shape.
        labels: (...) 1, 0 or -1, which is unknown.
        weight: of a label 1.
    """
    known = labels >= 0
    if not known.any():
        return 0 * logits.sum()
    return binary_cross_entropy_with_logits(
        logits[known], labels[known].float(), pos_weight=torch.tensor(float(weight))
    )


def loss_of(model: PartReader, batch: Batch) -> Tensor:
    """Loss of parts, plus that of the places of those parts that are there."""
    parts, places = model.split(model(batch.x0))
    is_held = batch.parts == 1
    where = known_loss(places[is_held], batch.places[is_held])
    return known_loss(parts, batch.parts, weight=WEIGHT_HELD) + where


def pairs(
    labels: Labels, rows: Tensor, kind: int, num: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Glyphs for the first and the second halves, some with a part in common.

    Most have nothing to do with each other. For the others a part is drawn, each as
    often as another, and two glyphs that hold it.

    Args:
        labels: of all glyphs.
        rows: those to draw from.
        kind: BESIDE or STACKED, how the halves will stand: the glyphs stand so too,
            apart from those with a part in common.
        num: pairs.
        generator: source of randomness.
    """
    pool = rows[labels.division[rows] == kind]
    pool = pool if len(pool) else rows
    first, second = (
        pool[torch.randint(len(pool), (num,), generator=generator)] for _ in range(2)
    )
    holds = labels.holds[WHOLE, rows] == 1
    parts = holds.any(0).nonzero().squeeze(1)
    for i in range(round(SHARE_ALIKE * num) if len(parts) else 0):
        part = parts[torch.randint(len(parts), (1,), generator=generator)]
        both = rows[holds[:, part].squeeze(1)]
        drawn = both[torch.randint(len(both), (2,), generator=generator)]
        first[i], second[i] = drawn
    return first, second


def draw_batches(
    views: Views,
    labels: Labels,
    halves: Halves,
    frames: Frames,
    rows: Tensor,
    steps: int,
    generator: torch.Generator,
) -> Iterable[tuple[Batch]]:
    """Batches of real and pasted glyphs of some rows, the real ones in their turn.

    Radicals that stand alone are few, and are shown more often.
    """
    alone = rows[labels.division[rows] == ALONE]
    size, order = min(NUM_REAL, len(rows)), torch.empty(0, dtype=torch.long)
    for _ in range(steps):
        if len(order) < size:
            order = rows[torch.randperm(len(rows), generator=generator)]
        real, order = order[:size], order[size:]
        if len(alone):
            more = torch.randint(len(alone), (NUM_ALONE,), generator=generator)
            real = torch.cat([real, alone[more]])
        images = [views.images[choose_views(views, real, generator), real]]
        holds, division, used = [labels.holds[:, real]], [labels.division[real]], [real]
        made = []
        for kind, num in ((BESIDE, NUM_BESIDE), (STACKED, NUM_STACKED)):
            pair = pairs(labels, rows, kind, num, generator)
            made.append(paste(views, labels, halves, pair, kind, generator))
        if frames.rows:
            made.append(
                paste_inside(views, labels, frames, rows, NUM_ENCLOSED, generator)
            )
        for pasted in made:
            images.append(pasted.images)
            holds.append(pasted.holds)
            division.append(pasted.division)
            used.append(pasted.rows.flatten())
        known = torch.cat(holds, 1)
        places = place_labels(known, torch.cat(division))
        x0 = augment(torch.cat(images), generator)
        yield (Batch(x0, known[WHOLE], places, torch.cat(used)),)


def fit(
    views: Views,
    labels: Labels,
    rows: Tensor,
    *,
    seed: int,
    steps: int,
    progress: Callable,
) -> PartReader:
    """Train a reader from random weights on some rows."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = PartReader(**NETWORK, parts=labels.parts)
        model = model.to(memory_format=torch.channels_last)
        generator = torch.Generator().manual_seed(seed)
        halves = cut_halves(views.images, labels)
        frames = find_frames(views.images, labels, rows)
        batches = draw_batches(views, labels, halves, frames, rows, steps, generator)
        optimise(model, progress(batches), lambda batch: loss_of(model, batch), steps)
    return model.eval().requires_grad_(False)


def describe(labels: Labels, glyphs: Glyphs) -> dict[str, Any]:
    """What the network was trained on, and how."""
    trained = labels.holds[WHOLE, ~glyphs.is_test]
    return {
        "network": NETWORK,
        "parts": [part._asdict() for part in labels.parts],
        "places": PLACES,
        "batch": {
            "real": NUM_REAL,
            "alone": NUM_ALONE,
            "beside": NUM_BESIDE,
            "stacked": NUM_STACKED,
            "enclosed": NUM_ENCLOSED,
        },
        "learning_rate": LEARNING_RATE,
        "weight_decay": WEIGHT_DECAY,
        "share_of_set": SHARE_OF_SET,
        "share_alike": SHARE_ALIKE,
        "weight_held": WEIGHT_HELD,
        "min_glyphs": MIN_GLYPHS,
        "training_glyphs": len(trained),
        "share_held": (trained == 1).double().mean().item(),
        "share_lacked": (trained == 0).double().mean().item(),
        "share_unknown": (trained == -1).double().mean().item(),
        "training_counts": (trained == 1).sum(0).tolist(),
        "machine": f"{platform.machine()}, {torch.get_num_threads()} thread(s)",
        "torch": torch.__version__,
    }


def build_reader(
    glyphs: Glyphs,
    unihan: Unihan,
    out: Path | str = PARTS,
    *,
    fonts: Sequence[Face],
    seed: int = 0,
    steps: int = 3200,
    min_glyphs: int = MIN_GLYPHS,
    progress: Callable = lambda items: items,
) -> dict[str, Any]:
    """Train the reader and write it with what it was measured to do.

    Args:
        glyphs: 64x64 ones of both splits.
        unihan: the fields that `spelling.FIELDS` names.
        out: folder for model.safetensors (half precision), config.json, README.md and
            the labels.
        fonts: faces to draw further training views with; may be empty.
        seed: of weights and draws.
        steps: updates, each on 128 pictures.
        min_glyphs: training glyphs that hold a part, or it is left out.
        progress: wraps the sequence of steps.

    Returns:
        What config.json holds.

    Raises:
        ValueError: If steps is below 1, nothing is held out, or no part is in enough
            training glyphs.
    """
    if steps < 1:
        raise ValueError(f"steps {steps} must be at least 1")
    if not 0 < (held_out := int(glyphs.is_test.sum())) < len(glyphs):
        raise ValueError(f"{held_out} of {len(glyphs)} glyphs are held out: some must")
    start, names = time.process_time(), [face.name for face in fonts]
    labels = make_labels(glyphs, Speller(unihan), min_glyphs=min_glyphs)
    views = draw_views(glyphs, fonts)
    rows = (~glyphs.is_test).nonzero().squeeze(1)
    model = fit(views, labels, rows, seed=seed, steps=steps, progress=progress)
    seconds = round(time.process_time() - start)
    data, out = halve(model), Path(out)
    config = describe(labels, glyphs) | {
        "min_glyphs": min_glyphs,
        "seed": seed,
        "steps": steps,
        "fonts": names,
        "cpu_seconds": seconds,
        "parameters": sum(p.numel() for p in model.parameters()),
        "held_out": measure(model, views.images, labels, glyphs, names),
        "glyphs_sha256": glyphs.sha256,
        "sha256": sha256(data).hexdigest(),
    }
    out.mkdir(parents=True, exist_ok=True)
    write_labels(labels, glyphs.codepoints, out / LABELS)
    save(out, data, config, card(config))
    return config
