"""What the reader of parts can do, measured, and the model card that says so.

Invariant: every number in the card is read from config.json's content, and labels that
are unknown are not counted.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from glyflib.data import Glyphs
from glyflib.evaluation.intervals import Estimate, bootstrap_interval, share_interval
from glyflib.evaluation.parts import PLACES, PartReader, PartReading
from glyflib.making.parts.labels import (
    ALONE,
    BESIDE,
    ENCLOSED,
    FIRST,
    SECOND,
    STACKED,
    WHOLE,
    Labels,
    place_labels,
)
from glyflib.making.parts.paste import Pasted, cut_halves, paste
from glyflib.making.radicals.augment import augment
from glyflib.making.radicals.train import Views

NUM_DISTURBED = 4  # disturbed pictures of each held-out glyph
NUM_PASTED = 1000  # pictures pasted from held-out halves, of each kind
NUM_TWINS = 6  # pictures of each part, in which it is pasted beside itself
THRESHOLD = 0.5
#: Shares that `measure` finds, apart from those by view and by part.
SHARES = (
    "inner",
    "inside",
    "alone",
    "several",
    "placed",
    "misplaced",
    "beside",
    "stacked",
    "twice",
    "twice_falsely",
)

CARD = """# Model card: reader of parts

A small convolutional network that reads which of {num_parts} parts a 32x32 glyph
contains, and where they stand. The radical classifier names one Kangxi radical a
glyph, so a sickness (疒) with fire (火) in it reads "sickness", and two birds read as
one bird. This one answers for each part on its own.

| file | what |
|---|---|
| `model.safetensors` | {parameters:,} parameters in half precision |
| `config.json` | settings, parts, measurements and checksums; makes this card |
| `labels.parquet` | what is known of each glyph's parts |

`glyflib.evaluation.parts.read_parts(pictures)` gives probabilities by name.

## Input and output

Pictures (B, 1, S, S), S = 32, 64 or 128, the larger ones averaged down; uint8 (paper
255, ink 0) or floating (paper +1, ink -1). Out come a probability for each part
(B, {num_parts}) and one for each part in each of seven places (B, {num_parts}, 7):
{places}.
A part stands "left" if it lies anywhere in the left half of a glyph whose halves stand
beside each other: the mouth of 語 is at the right. A part that comes twice is likely in
two places. Two radicals that look alike are one part: {twins}.

## Labels, and what is unknown

No table says which parts a character has. The labels follow from three fields of
Unihan: kCangjie, which spells shapes (痣 is KGP, 疢 KF, 痰 KFF, where K is 疒, P 心,
F 火), kRSUnicode and kTotalStrokes.

- A glyph **holds** its radical if its code begins or ends as that radical is spelt and
  what is left over can be split off so. The rest is looked up: characters spelt as the
  other letters are and with as many strokes as are left. What all of them hold, the
  glyph holds.
- A glyph **lacks** a part if the part has more strokes than there are; or if a piece's
  code surely names all its shapes and no spelling of the part is among its letters; or
  if all characters that a piece can be lack it.
- **All else is unknown.** A long character's code leaves out the shapes in the middle,
  so that a part is missing from the code proves nothing. Unknown labels are neither
  learnt nor counted.
- **Where** a part stands follows from the end at which the radical is spelt and from
  which cut through the picture is cheaper, down or across; radicals that enclose are
  listed by hand.

Of the labels of the training glyphs {share_held:.1%} are "holds", {share_lacked:.1%}
"lacks" and {share_unknown:.1%} unknown. They were made by rule, and a few are wrong.

## Training

- **Glyphs:** the {training_glyphs:,} of the training split. Each is shown as it is in
  the glyph set{fonts}
- **Pasted pieces:** of each batch {batch[real]} pictures are real glyphs and
  {batch[alone]} more are radicals alone; {batch[beside]} are two halves pasted beside
  each other and {batch[stacked]} on each other; {batch[enclosed]} are a whole glyph,
  made small, in an enclosing radical. A half is cut next to the radical where the
  cheapest cut runs, or is a whole glyph made narrow or low. So any part may stand in
  any place, and twice.
- **No leak:** nothing of a held-out character was trained on. (Halves of two training
  glyphs may by chance make up a held-out one.)
- **Disturbances:** those of the [radical classifier](../radicals/README.md).
- **Recipe:** {steps:,} steps of {batch_size}, AdamW at {learning_rate:g} on one cycle,
  weight decay {weight_decay:g}, cross-entropy of each known label, "holds" weighed
  {weight_held} times, seed {seed}.
  {cpu_seconds} seconds of processor time, drawing included ({machine}, torch {torch}).

## Accuracy on {glyphs:,} held-out glyphs

A part, or its place, is read if its probability is above {threshold:g}. All shares
have 95 % intervals: of draws of glyphs with all that is known of them, or Wilson's.

| pictures | parts held: read | parts lacked: read | parts read: held |
|---|---|---|---|
{by_view}

| question | share | 95 % interval | of |
|---|---|---|---|
| parts held that are not the radical: read | {inner} |
| glyphs known to hold two parts or more: all read | {several} |
| known places of parts held: read | {placed} |
| other places of these parts: read | {misplaced} |
| parts held inside an enclosing radical: read | {inside} |
| parts held by radicals that stand alone: read | {alone} |
| halves pasted beside each other: parts held by either, read | {beside} |
| halves pasted on each other: parts held by either, read | {stacked} |
| a part pasted twice: read in both halves | {twice} |
| a part in one half alone: read in both | {twice_falsely} |

Every number counts known labels alone, so "parts read: held" leaves out those that are
read where nothing is known.

### By part

| part | | training glyphs | held by | read in | 95 % interval \
| lacked by | read in | 95 % interval |
|---|---|---|---|---|---|---|---|---|
{by_part}

## Limits

- Probabilities are learnt from known labels, which are about the clearer cases, and
  lean towards "holds", which was weighed more. They rank, and are read at
  {threshold:g}; they are no frequencies.
- What a glyph holds deep inside is often unknown, and then never tested.
- A part with few held-out glyphs has a wide interval: the table says how wide.
- A reading follows how Cangjie spells. 疒 is not said to hold 广, nor 金 人.
- Parts that are not in the list are not read, and a picture that is no character gets
  an answer too.
- A radical that fills the picture alone, and small parts of few strokes, are often not
  read: the tables say how often. Nor is a part that comes twice always seen twice.
- Its places are halves. They say nothing of where in its half a part stands.

## Making it again

With Debian's packages `fonts-noto-cjk` and `unicode-data`:

```
noto=/usr/share/fonts/opentype/noto
glyflib data parts --unihan /usr/share/unicode --out data/parts \\
  --font $noto/NotoSansCJK-Bold.ttc "Noto Sans CJK SC Bold" \\
  --font $noto/NotoSerifCJK-Regular.ttc "Noto Serif CJK SC" \\
  --font $noto/NotoSerifCJK-Bold.ttc "Noto Serif CJK SC Bold"
```

The same fonts, tables, seed, versions, machine and number of threads give the same
weights.

## Licence

MIT, as the code. It was trained on pictures drawn with Noto fonts (SIL Open Font
License 1.1), and its labels follow from the Unihan database (see `data/README.md`).
"""


def ratio(numbers: Tensor) -> Tensor:
    """Sum of the first column of (N, 2) over that of the second; 0 of 0 is 0."""
    over, under = numbers.sum(0)
    return over / under.clamp(min=1)


def as_list(found: Estimate, num: int) -> list[float]:
    """Value, ends of its interval, and of how many it is."""
    return [*found, num]


def share_of(
    is_hit: Tensor,
    is_counted: Tensor,
    generator: torch.Generator,
    groups: Tensor | None = None,
) -> list[float] | None:
    """Share of hits among what is counted, its interval drawn again row by row.

    Args:
        is_hit: (N, ...) bool.
        is_counted: (N, ...) bool.
        generator: source of the draws.
        groups: (N,) rows that are drawn together, None for each on its own.

    Returns:
        share, lower end, upper end, number counted; None if nothing is.
    """
    counted = is_counted.flatten(1).sum(1)
    if not (num := int(counted.sum())):
        return None
    hits = (is_hit & is_counted).flatten(1).sum(1)
    numbers = torch.stack([hits, counted], 1).double()
    found = bootstrap_interval(ratio, numbers, generator=generator, groups=groups)
    return as_list(found, num)


def trials(is_hit: Tensor, groups: Tensor | None = None) -> list[float] | None:
    """Share of hits (N,) with Wilson's interval, and N; None if there are none."""
    if not len(is_hit):
        return None
    return as_list(share_interval(is_hit.double(), groups=groups), len(is_hit))


def by_part(is_read: Tensor, holds: Tensor, names: Sequence[str]) -> dict[str, Any]:
    """Share of the glyphs with a part, and of those without, in which it is read.

    Args:
        is_read: (N, P) bool.
        holds: (N, P) int8 labels.
        names: of the P parts.
    """
    found = {}
    for column, name in enumerate(names):
        read, label = is_read[:, column], holds[:, column]
        found[name] = {
            "held": trials(read[label == 1]),
            "lacked": trials(read[label == 0]),
        }
    return found


def by_view(
    read: Callable[[Tensor], PartReading],
    pictures: Tensor,
    holds: Tensor,
    generator: torch.Generator,
) -> dict[str, Any]:
    """Parts held and lacked that are read in pictures of N glyphs.

    Args:
        read: reads pictures.
        pictures: (K * N, 1, 32, 32), all glyphs K times.
        holds: (N, P) int8 labels.
        generator: source of the draws.
    """
    is_read = read(pictures).probabilities > THRESHOLD
    times, num = len(pictures) // len(holds), len(holds)
    holds, groups = holds.repeat(times, 1), torch.arange(num).repeat(times)
    return {
        "held": share_of(is_read, holds == 1, generator, groups),
        "lacked": share_of(is_read, holds == 0, generator, groups),
        "right": share_of(holds == 1, is_read & (holds >= 0), generator, groups),
    }


def twin_pairs(holds: Tensor, num: int, generator: torch.Generator) -> Tensor:
    """Pairs of glyphs (2, M) that hold one part, and that part (M,), as (3, M)."""
    found = []
    for part in range(holds.shape[1]):
        rows = (holds[:, part] == 1).nonzero().squeeze(1)
        if len(rows):
            pair = rows[torch.randint(len(rows), (2, num), generator=generator)]
            found.append(torch.cat([pair, torch.full((1, num), part)]))
    return torch.cat(found, 1) if found else torch.zeros(3, 0, dtype=torch.long)


def both_halves(places: Tensor, kind: int) -> Tensor:
    """Whether parts (B, P) are likely in both halves, from places (B, P, 7)."""
    names = {BESIDE: ("left", "right"), STACKED: ("top", "bottom")}[kind]
    first, second = (places[..., PLACES.index(name)] > THRESHOLD for name in names)
    return first & second


def measure_pasted(
    read: Callable[[Tensor], PartReading],
    views: Views,
    labels: Labels,
    generator: torch.Generator,
) -> dict[str, Any]:
    """What is read in halves of held-out glyphs that are pasted together.

    Args:
        read: reads pictures.
        views: the glyph set alone, (1, N, 1, 64, 64).
        labels: of the same N held-out glyphs.
        generator: source of randomness.
    """
    halves, found = cut_halves(views.images, labels), {}
    twice, falsely, parts, pictures = [], [], [], []
    for name, kind in (("beside", BESIDE), ("stacked", STACKED)):
        pool = ((labels.division == kind) & halves.is_cut[0]).nonzero().squeeze(1)
        if not len(pool):
            found[name] = None
            continue
        drawn = torch.randint(len(pool), (2, NUM_PASTED), generator=generator)
        pair = tuple(pool[drawn])
        pasted = paste(views, labels, halves, pair, kind, generator, share_whole=0)
        reading = read(augment(pasted.images, generator, strongest=0))
        is_read = reading.probabilities > THRESHOLD
        found[name] = share_of(is_read, pasted.holds[WHOLE] == 1, generator)
        is_one = in_one_half(pasted)
        falsely.append(both_halves(reading.places, kind)[is_one])
        pictures.append(is_one.nonzero()[:, 0] + NUM_PASTED * kind)
        *rows, part = twin_pairs(labels.holds[WHOLE], NUM_TWINS, generator)
        pasted = paste(views, labels, halves, tuple(rows), kind, generator)
        is_both = (pasted.holds[FIRST] == 1) & (pasted.holds[SECOND] == 1)
        kept = is_both.gather(1, part[:, None]).squeeze(1)
        reading = read(augment(pasted.images, generator, strongest=0))
        both = both_halves(reading.places, kind).gather(1, part[:, None]).squeeze(1)
        twice.append(both[kept])
        parts.append(part[kept])
    for name, hits, groups in (
        ("twice", twice, parts),
        ("twice_falsely", falsely, pictures),
    ):
        found[name] = trials(torch.cat(hits), torch.cat(groups)) if hits else None
    return found


def in_one_half(pasted: Pasted) -> Tensor:
    """Whether parts (B, P) are known to be in one half and not in the other."""
    first, second = pasted.holds[FIRST], pasted.holds[SECOND]
    return ((first == 1) & (second == 0)) | ((first == 0) & (second == 1))


def measure(
    model: PartReader,
    views: Tensor,
    labels: Labels,
    glyphs: Glyphs,
    names: Sequence[str],
) -> dict[str, Any]:
    """Accuracy on held-out glyphs: by view and part, in places, and pasted.

    Args:
        model: as it is stored.
        views: (V, N, 1, 64, 64) uint8, the glyph set and V - 1 further fonts.
        labels: of the N glyphs.
        glyphs: the N glyphs.
        names: of the V - 1 fonts.
    """
    generator = torch.Generator().manual_seed(0)
    kept = glyphs.is_test.nonzero().squeeze(1)
    labels, views = labels.take(kept), views[:, kept]
    holds = labels.holds[WHOLE]
    plain = [augment(images, generator, strongest=0) for images in views]
    noisy = [augment(views[0], generator) for _ in range(NUM_DISTURBED)]
    reading = model.read(plain[0])
    is_read = reading.probabilities > THRESHOLD
    several = (holds == 1).sum(1) > 1
    is_inside = (labels.holds[SECOND] == 1) & (labels.division == ENCLOSED)[:, None]
    is_alone = (labels.division == ALONE)[:, None]
    is_all = (is_read | (holds != 1)).all(1)
    places = place_labels(labels.holds, labels.division)
    is_placed, is_held = reading.places > THRESHOLD, (holds == 1).unsqueeze(2)
    set_alone = Views(views[:1], torch.ones(1, len(kept), dtype=torch.bool))
    return {
        "glyphs": len(kept),
        "threshold": THRESHOLD,
        "by_view": {
            "as in the glyph set": by_view(model.read, plain[0], holds, generator),
            "disturbed as in training": by_view(
                model.read, torch.cat(noisy), holds, generator
            ),
            **{
                f"drawn with {name.partition(',')[0]}": by_view(
                    model.read, x0, holds, generator
                )
                for name, x0 in zip(names, plain[1:], strict=True)
            },
        },
        "inner": share_of(is_read, (holds == 1) & ~labels.is_radical, generator),
        "inside": share_of(is_read, is_inside & (holds == 1), generator),
        "alone": share_of(is_read, is_alone & (holds == 1), generator),
        "several": trials(is_all[several]),
        "placed": share_of(is_placed, places == 1, generator),
        "misplaced": share_of(is_placed, is_held & (places == 0), generator),
        **measure_pasted(model.read, set_alone, labels, generator),
        "parts": by_part(is_read, holds, [part.name for part in labels.parts]),
    }


def cells(found: list[float] | None, *, digits: int = 1) -> str:
    """Share, interval and number as cells of a table."""
    if found is None:
        return "none | | 0"
    value, low, high, num = found
    return (
        f"**{value:.{digits}%}** | {low:.{digits}%} to {high:.{digits}%} | {num:,.0f}"
    )


def part_cells(found: list[float] | None) -> str:
    """How many glyphs, in what share of them a part is read, and the interval."""
    if found is None:
        return "0 | | "
    value, low, high, num = found
    return f"{num:,.0f} | {value:.1%} | {low:.1%} to {high:.1%}"


def short(found: list[float] | None) -> str:
    """Share and interval in one cell."""
    if found is None:
        return "none"
    return "{:.1%} ({:.1%} to {:.1%})".format(*found[:3])


def card(config: dict[str, Any]) -> str:
    """The text of the card for a configuration as `build_reader` makes it."""
    held_out, names = config["held_out"], config["fonts"]
    views = [
        f"| {name} | {short(row['held'])} | {short(row['lacked'])} "
        f"| {short(row['right'])} |"
        for name, row in held_out["by_view"].items()
    ]
    parts = [
        f"| {part['name']} | {part['char']} | {count:,} "
        f"| {part_cells(row['held'])} | {part_cells(row['lacked'])} |"
        for part, count, row in zip(
            config["parts"],
            config["training_counts"],
            held_out["parts"].values(),
            strict=True,
        )
    ]
    fonts = "".join(f"\n  - {name.partition(';')[0]}" for name in names)
    twins = [
        " and ".join(radical_char(n) for n in part["radicals"])
        for part in config["parts"]
        if len(part["radicals"]) > 1
    ]
    facts = {
        **config,
        **{name: cells(held_out[name]) for name in SHARES},
        "glyphs": held_out["glyphs"],
        "threshold": held_out["threshold"],
        "num_parts": len(config["parts"]),
        "places": ", ".join(config["places"]),
        "twins": ", ".join(twins) or "none here",
        "batch_size": sum(config["batch"].values()),
        "fonts": f", and drawn with{fonts}" if names else ".",
        "by_view": "\n".join(views),
        "by_part": "\n".join(parts),
    }
    return CARD.format(**facts)


def radical_char(number: int) -> str:
    """A Kangxi radical as a character."""
    return chr(0x2F00 + number - 1)
