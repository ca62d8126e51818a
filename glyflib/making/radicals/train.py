"""Train the radical classifier on real glyphs of the training split, in many guises.

Invariant: no picture of a held-out character, in any font, is ever trained on; the
same seed, fonts and machine give the same weights.
"""

import json
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors.torch
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from glyflib.data import IMAGE_SIZE, Glyphs, shrink
from glyflib.evaluation.radicals import RADICALS, GlyphNetwork, RadicalClassifier
from glyflib.files import CONFIG, WEIGHTS, write_bytes, write_text
from glyflib.glyphs.fonts import Face, draw
from glyflib.making.radicals.augment import augment
from glyflib.making.radicals.card import card, measure

SIZE = 64  # pixels a side before they are disturbed, which halves them
BATCH_SIZE = 128
LEARNING_RATE = 4e-3
WEIGHT_DECAY = 0.05
SMOOTHING = 0.05  # share of each label that is spread over all radicals
SHARE_OF_SET = 0.4  # of the training pictures surely come from the glyph set itself
NETWORK = {"widths": [40, 80, 160], "feature_dim": 96}


class Views(NamedTuple):
    """The same N characters in V fonts; view 0 is the glyph set itself.

    Attributes:
        images: (V, N, 1, 64, 64) uint8.
        is_usable: (V, N) bool: drawn, and no twin of a held-out character's picture.
    """

    images: Tensor
    is_usable: Tensor


def draw_view(face: Face, chars: Sequence[str]) -> Tensor:
    """Draw characters at half size (N, 1, 64, 64) uint8; blank where not covered."""
    levels = np.full((len(chars), IMAGE_SIZE, IMAGE_SIZE), 15, np.uint8)
    for place, char in zip(levels, chars, strict=True):
        if face.covers(char):
            place[:] = draw(face, char)
    return torch.from_numpy(shrink(levels, SIZE)).unsqueeze(1)


def draw_views(glyphs: Glyphs, fonts: Iterable[Face]) -> Views:
    """Draw the glyph set in other fonts, and mark what may be used."""
    images = [glyphs.images, *(draw_view(face, glyphs.chars) for face in fonts)]
    held_out = {x.numpy().tobytes() for view in images for x in view[glyphs.is_test]}
    held_out.add(bytes([255]) * SIZE**2)  # a blank picture is no glyph either
    is_usable = [[x.numpy().tobytes() not in held_out for x in view] for view in images]
    usable = torch.tensor(is_usable)
    usable[0] = True  # the split itself sees to it that the set has no twins
    return Views(torch.stack(images), usable)


def choose_views(views: Views, rows: Tensor, generator: torch.Generator) -> Tensor:
    """A view for each row (B,), the set itself where another may not be used."""
    which = torch.randint(len(views.images), (len(rows),), generator=generator)
    is_own = torch.rand(len(rows), generator=generator) < SHARE_OF_SET
    return torch.where(is_own | ~views.is_usable[which, rows], 0, which)


def draw_batches(
    views: Views, rows: Tensor, steps: int, generator: torch.Generator
) -> Iterable[tuple[Tensor, Tensor]]:
    """Row numbers (B,) and disturbed pictures (B, 1, 32, 32), epoch after epoch."""
    size = min(BATCH_SIZE, len(rows))
    order = torch.empty(0, dtype=torch.long)
    for _ in range(steps):
        if len(order) < size:
            order = rows[torch.randperm(len(rows), generator=generator)]
        batch, order = order[:size], order[size:]
        which = choose_views(views, batch, generator)
        yield batch, augment(views.images[which, batch], generator)


def optimise(
    model: GlyphNetwork, batches: Iterable, loss_of: Callable[..., Tensor], steps: int
) -> None:
    """Take a step for each batch (AdamW, one cycle of the learning rate).

    Args:
        model: changed in place.
        batches: as many as there are steps.
        loss_of: what is made less, given the items of a batch.
        steps: updates.

    References:
        Loshchilov and Hutter 2019; Smith and Topin 2019.
    """
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=steps + 1, pct_start=0.15
    )
    for batch in batches:
        loss = loss_of(*batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def fit(
    views: Views, glyphs: Glyphs, *, seed: int, steps: int, progress: Callable
) -> RadicalClassifier:
    """Train a classifier from random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = RadicalClassifier(**NETWORK).to(memory_format=torch.channels_last)
        rows = torch.where(~glyphs.is_test & (glyphs.radicals > 0))[0]
        generator = torch.Generator().manual_seed(seed)

        def loss_of(batch: Tensor, x0: Tensor) -> Tensor:
            labels = glyphs.radicals[batch] - 1
            return cross_entropy(model(x0), labels, label_smoothing=SMOOTHING)

        batches = progress(draw_batches(views, rows, steps, generator))
        optimise(model, batches, loss_of, steps)
    return model.eval().requires_grad_(False)


def check_known(glyphs: Glyphs) -> None:
    """Raise a ValueError unless both sides of the split have known radicals."""
    is_known = glyphs.radicals > 0
    if not all((side & is_known).any() for side in (glyphs.is_test, ~glyphs.is_test)):
        found = f"{len(glyphs)} glyphs, {int(glyphs.is_test.sum())} held out"
        raise ValueError(f"{found}: both sides need known radicals")


def halve(model: GlyphNetwork) -> bytes:
    """Round the weights to half precision, in the model too, and pack them."""
    weights = {
        name: value.half().contiguous() if value.is_floating_point() else value
        for name, value in model.state_dict().items()
    }
    model.load_state_dict(weights)  # what is measured is what is stored
    return safetensors.torch.save(weights)


def describe(views: Views, glyphs: Glyphs) -> dict[str, Any]:
    """What the network was trained on, and how."""
    is_trained = ~glyphs.is_test & (glyphs.radicals > 0)
    return {
        "network": NETWORK,
        "batch_size": BATCH_SIZE,
        "learning_rate": LEARNING_RATE,
        "weight_decay": WEIGHT_DECAY,
        "label_smoothing": SMOOTHING,
        "share_of_set": SHARE_OF_SET,
        "training_glyphs": int(is_trained.sum()),
        "views_left_out": int((~views.is_usable[:, is_trained]).sum()),
        "machine": f"{platform.machine()}, {torch.get_num_threads()} thread(s)",
        "torch": torch.__version__,
    }


def save(out: Path, data: bytes, config: dict[str, Any], page: str) -> None:
    """Write weights, configuration and the card's page, each whole or not at all.

    Until the last one is in place the check sums differ, and loading says so.
    """
    out.mkdir(parents=True, exist_ok=True)
    write_bytes(out / WEIGHTS, data)
    write_text(out / "README.md", page)
    write_text(out / CONFIG, json.dumps(config, indent=2) + "\n")


def build_classifier(
    glyphs: Glyphs,
    out: Path | str = RADICALS,
    *,
    fonts: Sequence[Face],
    seed: int = 0,
    steps: int = 2000,
    progress: Callable = lambda items: items,
) -> dict[str, Any]:
    """Train the classifier and write it with what it was measured to do.

    Args:
        glyphs: 64x64 ones of both splits.
        out: folder for model.safetensors (half precision), config.json and README.md.
        fonts: faces to draw further training views with; may be empty.
        seed: of weights and draws.
        steps: updates, each on 128 glyphs.
        progress: wraps the sequence of steps.

    Returns:
        What config.json holds.

    Raises:
        ValueError: If steps is below 1, or the split leaves nothing to learn or test.
    """
    if steps < 1:
        raise ValueError(f"steps {steps} must be at least 1")
    check_known(glyphs)
    start, names = time.process_time(), [face.name for face in fonts]
    views = draw_views(glyphs, fonts)
    model = fit(views, glyphs, seed=seed, steps=steps, progress=progress)
    seconds = round(time.process_time() - start)
    data = halve(model)
    config = describe(views, glyphs) | {
        "seed": seed,
        "steps": steps,
        "fonts": names,
        "cpu_seconds": seconds,
        "parameters": sum(p.numel() for p in model.parameters()),
        "held_out": measure(model, views.images, glyphs, names),
        "glyphs_sha256": glyphs.sha256,
        "sha256": sha256(data).hexdigest(),
    }
    save(Path(out), data, config, card(config))
    return config
