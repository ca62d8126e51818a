"""What the radical classifier can do, measured, and the model card that says so.

Invariant: every number in the card is read from config.json's content.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from glyflib.data import Glyphs
from glyflib.evaluation.intervals import bootstrap_interval
from glyflib.evaluation.radicals import NUM_RADICALS, RadicalClassifier
from glyflib.making.radicals.augment import augment

NUM_DISTURBED = 4  # disturbed pictures of each held-out glyph
FREQUENCIES = (0, 20, 50, 200, 500)  # training glyphs of the same radical

CARD = """# Model card: radical classifier

A small convolutional network that reads the Kangxi radical (1 to 214) of a 32x32 glyph.
The book uses it to judge generated glyphs: does the picture show the radical of its
caption's character, and are its features spread like those of real glyphs?

| file | what |
|---|---|
| `model.safetensors` | {parameters:,} parameters in half precision |
| `config.json` | settings, measurements and checksums; this card is written from it |

`glyflib.evaluation.radicals.RadicalClassifier.load()` reads them.

## Input and output

Pictures (B, 1, S, S) with paper +1 and ink -1; S is 32, or 64 or 128 and then averaged
down. Out come logits (B, 214), and on request {feature_dim} features: the input of the
last non-linear step, each with mean 0 and variance 1 over the training pictures.

## Training

- **Glyphs:** the {training_glyphs:,} of the training split. Each is shown as it is in
  the glyph set{fonts}
- **No leak:** no held-out character was seen in any font. A drawing that is blank, or
  the very picture of a held-out character, is left out; {views_left_out} were.
- **Disturbances:** each picture is turned, stretched, slanted, shifted and bent; its
  strokes made thinner, fatter, softer or harder; its ink faded, soiled with noise and
  smudges, and blurred. The strength is drawn anew for each, from none to full
  (`glyflib/making/radicals/augment.py`).
- **Recipe:** {steps:,} steps of {batch_size}, AdamW at {learning_rate:g} on one cycle,
  weight decay {weight_decay:g}, labels smoothed by {label_smoothing:g}, seed {seed}.
  {cpu_seconds} seconds of processor time, drawing included ({machine}, torch {torch}).

## Accuracy on {glyphs:,} held-out glyphs

| pictures | radical right |
|---|---|
| as in the glyph set | **{top1:.1%}** (95 % interval {low:.1%} to {high:.1%}) |
| as in the glyph set, among the five likeliest | {top5:.1%} |
| disturbed as in training | {top1_disturbed:.1%} |
{by_font}
| for comparison: always the commonest radical | {commonest_radical:.1%} |

Rare radicals are harder. By the number of training glyphs with the same radical:

| training glyphs | held-out glyphs | radical right |
|---|---|---|
{by_count}

## Limits

- A hit rate measured with it has the first line as its ceiling, not 100 %.
- Which part of a character counts as its radical is a convention of dictionaries. Some
  of the errors are characters whose radical cannot be told from the picture.
- It gives an answer for any picture, also for one that is no character.
- Its features are those of characters in print. Distances in them can be compared with
  each other, not with distances in another network's features.
- It has learnt the training glyphs, so it describes them with more certainty than
  others.

## Making it again

With Debian's package `fonts-noto-cjk`, whose faces are named above:

```python
from pathlib import Path
from glyflib.making.radicals.train import build_classifier
from glyflib.glyphs.fonts import open_face

noto = Path("/usr/share/fonts/opentype/noto")
faces = [
    ("NotoSansCJK-Bold.ttc", "Noto Sans CJK SC Bold"),
    ("NotoSerifCJK-Regular.ttc", "Noto Serif CJK SC"),
    ("NotoSerifCJK-Bold.ttc", "Noto Serif CJK SC Bold"),
]
fonts = [open_face(noto / file, face) for file, face in faces]
build_classifier("radicals", fonts=fonts, seed=0, steps=2000)
```

The same fonts, seed, versions, machine and number of threads give the same weights.

## Licence

MIT, as the code. It was trained on pictures drawn with Noto fonts (SIL Open Font
License 1.1) and on radicals from the Unihan database (see `data/README.md`).
"""


def share_right(
    model: RadicalClassifier, x0: Tensor, radicals: Tensor, top: int = 1
) -> float:
    """Share of glyphs with the true radical among the likeliest ones."""
    likeliest = model.read(x0).logits.topk(top).indices + 1
    return (likeliest == radicals[:, None]).any(1).double().mean().item()


def by_frequency(is_right: Tensor, counts: Tensor) -> dict[str, dict[str, Any]]:
    """Share right (N,) by how many training glyphs (N,) have the same radical."""
    found = {}
    for low, high in pairwise([*FREQUENCIES, torch.inf]):
        rows = is_right[(low <= counts) & (counts < high)].double()
        share = rows.mean().item() if len(rows) else None
        found[str(low)] = {"glyphs": len(rows), "top1": share}
    return found


def measure(
    model: RadicalClassifier, views: Tensor, glyphs: Glyphs, names: Sequence[str]
) -> dict[str, Any]:
    """Accuracy on held-out characters: by font, when disturbed, by frequency.

    Args:
        model: as it is stored.
        views: (V, N, 1, 64, 64) uint8, the glyph set and V - 1 further fonts.
        glyphs: the N glyphs.
        names: of the V - 1 fonts.
    """
    is_kept = glyphs.is_test & (glyphs.radicals > 0)
    radicals, generator = glyphs.radicals[is_kept], torch.Generator().manual_seed(0)
    own, *others = (augment(x[is_kept], generator, strongest=0) for x in views)
    noisy = [augment(views[0, is_kept], generator) for _ in range(NUM_DISTURBED)]
    noisy = share_right(model, torch.cat(noisy), radicals.repeat(NUM_DISTURBED))
    trained = glyphs.radicals[~glyphs.is_test & (glyphs.radicals > 0)]
    counts = torch.bincount(trained, minlength=NUM_RADICALS + 1)
    is_right = model.read(own).radicals == radicals
    top1 = bootstrap_interval(torch.mean, is_right.double(), generator=generator)
    by_font = {
        name: share_right(model, x0, radicals)
        for name, x0 in zip(names, others, strict=True)
    }
    return {
        "glyphs": len(radicals),
        "top1": top1.value,
        "top1_interval": [top1.low, top1.high],
        "top5": share_right(model, own, radicals, top=5),
        "top1_disturbed": noisy,
        "top1_by_font": by_font,
        "top1_by_training_glyphs": by_frequency(is_right, counts[radicals]),
        "commonest_radical": (radicals == counts.argmax()).double().mean().item(),
    }


def card(config: dict[str, Any]) -> str:
    """The text of the card for a configuration as `build_classifier` makes it."""
    held_out, names = config["held_out"], config["fonts"]
    low, high = held_out["top1_interval"]
    by_font = [
        f"| drawn with {name.partition(',')[0]} | {right:.1%} |"
        for name, right in held_out["top1_by_font"].items()
    ]
    bins = list(held_out["top1_by_training_glyphs"].items())
    ends = [f"{a} to {int(b) - 1}" for (a, _), (b, _) in pairwise(bins)]
    by_count = [
        f"| {end} | {found['glyphs']} | {found['top1']:.1%} |"
        for end, (_, found) in zip(
            [*ends, f"{bins[-1][0]} and more"], bins, strict=True
        )
        if found["glyphs"]
    ]
    fonts = "".join(f"\n  - {name.partition(';')[0]}" for name in names)
    facts = {
        **config,
        **config["network"],
        **held_out,
        "fonts": f", and drawn with{fonts}" if names else "",
        "low": low,
        "high": high,
        "by_count": "\n".join(by_count),
        "by_font": "\n".join(by_font),
    }
    page = CARD.format(**facts)
    return (
        page if by_font else page.replace("\n\n| for comparison", "\n| for comparison")
    )
