"""Paste halves of real glyphs together, so that any part may stand anywhere.

Invariant: a half is cut where the cheapest cut runs, next to the radical, and only out
of glyphs that a cut divides nearly without ink; its labels are those of that piece.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample, max_pool2d

from glyflib.making.parts.labels import (
    BESIDE,
    ENCLOSED,
    FIRST,
    SECOND,
    STACKED,
    WHOLE,
    Labels,
)
from glyflib.making.radicals.train import Views, choose_views

SIZE = 64  # pixels a side of the pictures that are cut
LANES = ((13, 33), (31, 51))  # where a cut may run: by a first, by a second radical
MOST_INK = 0.02  # that a cut may cross, as a share of the side
FEWEST = 30  # training glyphs with an enclosing radical that show where it lies
COMMON, SPARSE = 0.75, 0.08  # mean ink, at least, where it lies, and in its room
ROOMY = 0.8  # of the room in the glyph set that another font must have: some are bold
SHARE_WHOLE = 0.25  # of the halves are whole glyphs, made narrow or low
NEAR = 4  # pixels that halves may meet from the mean of their own cuts
ENDS = (18, 46)  # where halves meet at all, in pixels
LEAN = 4  # pixels that a half may lean over the place where they meet


class Halves(NamedTuple):
    """Glyphs that can be cut in two, and where.

    Attributes:
        cuts: (V, N, 64) first pixel of the second half, in each row of a glyph that is
            beside, in each column of one that is stacked.
        is_cut: (V, N) bool, whether there is a cut that crosses nearly no ink.
    """

    cuts: Tensor
    is_cut: Tensor


def cheapest_seams(ink: np.ndarray, low: int, high: int) -> tuple[np.ndarray, ...]:
    """The cuts from top to bottom that cross the least ink, of equal ones the first.

    Args:
        ink: (N, S, S) in [0, 1].
        low: first column where a cut may run.
        high: first column after them.

    Returns:
        columns (N, S), a row after another, and the ink crossed (N,) as a share of S.

    References:
        Avidan and Shamir 2007, section 3.
    """
    lanes = ink[:, :, low:high]
    num, size, width = lanes.shape
    costs = np.empty_like(lanes)
    costs[:, 0] = lanes[:, 0]
    for row in range(1, size):
        costs[:, row] = lanes[:, row] + around(costs[:, row - 1]).min(0)
    seams, rows = np.empty((num, size), np.int64), np.arange(num)
    seams[:, -1] = costs[:, -1].argmin(1)
    for row in range(size - 2, -1, -1):
        here = seams[:, row + 1]
        moves = around(costs[:, row])[[1, 0, 2], :][:, rows, here]
        step = np.array([0, -1, 1])[moves.argmin(0)]
        seams[:, row] = (here + step).clip(0, width - 1)
    return seams + low, costs[:, -1].min(1) / size


def around(cost: np.ndarray) -> np.ndarray:
    """Costs (N, W) of the column at the left, the same one, that at the right."""
    walls = np.pad(cost, ((0, 0), (1, 1)), constant_values=np.inf)
    return np.stack([walls[:, :-2], cost, walls[:, 2:]])


def cut_halves(views: Tensor, labels: Labels) -> Halves:
    """Cut all glyphs of all views that are known to stand beside or on each other.

    Args:
        views: (V, N, 1, 64, 64) uint8.
        labels: of the N glyphs.
    """
    cuts = torch.full((*views.shape[:2], SIZE), SIZE // 2)
    is_cut = torch.zeros(views.shape[:2], dtype=torch.bool)
    own = labels.is_radical
    is_first = (own & (labels.holds[FIRST] == 1)).any(1)
    for kind in (BESIDE, STACKED):
        for radical_first, (low, high) in zip((True, False), LANES, strict=True):
            is_kind = (labels.division == kind) & (is_first == radical_first)
            rows = is_kind.nonzero().squeeze(1)
            for view, images in enumerate(views):
                ink = 1 - images[rows, 0].numpy().astype(np.float32) / 255
                ink = ink if kind == BESIDE else ink.transpose(0, 2, 1)
                found, cost = cheapest_seams(ink, low, high)
                cuts[view, rows] = torch.from_numpy(found)
                is_cut[view, rows] = torch.from_numpy(cost <= MOST_INK)
    return Halves(cuts, is_cut)


class Pasted(NamedTuple):
    """Glyphs pasted from two halves.

    Attributes:
        images: (B, 1, 64, 64) uint8.
        holds: (3, B, P) int8 as in `Labels`.
        division: (B,) int64, beside or stacked.
        rows: (2, B) row numbers that the halves are from.
    """

    images: Tensor
    holds: Tensor
    division: Tensor
    rows: Tensor


def fit_half(
    ink: Tensor, cuts: Tensor, is_whole: Tensor, meet: Tensor, piece: int
) -> Tensor:
    """Keep one half and stretch it so that it ends where the halves shall meet.

    Args:
        ink: (B, 1, 64, 64), 0 paper to 1 ink, halves beside each other.
        cuts: (B, 64) first pixel of the second half, in each row.
        is_whole: (B,) bool, whether all of the glyph is kept, and made narrow.
        meet: (B,) pixel where the halves shall meet.
        piece: FIRST or SECOND, the half to keep.

    Returns:
        (B, 1, 64, 64) ink.
    """
    is_first, place = piece == FIRST, torch.arange(SIZE)
    is_kept = (place < cuts[..., None]) == is_first
    ink = ink * (is_kept | is_whole[:, None, None]).unsqueeze(1)
    end = torch.where(is_whole, float(SIZE * is_first), cuts.float().mean(1))
    x = place + 0.5  # its outer edge stays, what is cut comes to where halves meet
    if is_first:
        x = x * (end / meet)[:, None]
    else:
        x = SIZE - (SIZE - x) * ((SIZE - end) / (SIZE - meet))[:, None]
    x = x.view(-1, 1, SIZE).expand(-1, SIZE, -1) * 2 / SIZE - 1
    y = ((place + 0.5) * 2 / SIZE - 1).view(1, SIZE, 1).expand_as(x)
    found = grid_sample(ink, torch.stack([x, y], -1), align_corners=False)
    lean = torch.where(is_whole, 0, LEAN if is_first else -LEAN)
    is_near = (place < (meet + lean)[:, None]) == is_first
    return found * is_near[:, None, None]


def paste(
    views: Views,
    labels: Labels,
    halves: Halves,
    rows: tuple[Tensor, Tensor],
    kind: int,
    generator: torch.Generator,
    *,
    share_whole: float = SHARE_WHOLE,
) -> Pasted:
    """Paste halves of glyphs beside or on each other.

    Args:
        views: pictures of the N glyphs.
        labels: of them.
        halves: of them.
        rows: (B,) glyphs of the first halves, (B,) of the second ones.
        kind: BESIDE or STACKED.
        generator: source of randomness: which view, where the halves meet, and which
            of them are whole glyphs.
        share_whole: of the halves that are whole glyphs; one that has no cut always is.
    """
    view, is_whole = choose_views(views, rows[0], generator), []
    view = torch.where(views.is_usable[view, rows[1]], view, 0)
    for chosen in rows:
        is_kind = (labels.division[chosen] == kind) & halves.is_cut[view, chosen]
        drawn = torch.rand(len(chosen), generator=generator)
        is_whole.append(~is_kind | (drawn < share_whole))
    cuts = [halves.cuts[view, chosen] for chosen in rows]
    middles = [
        torch.where(one, SIZE / 2, cut.float().mean(1))
        for one, cut in zip(is_whole, cuts, strict=True)
    ]
    near = NEAR * (2 * torch.rand(len(view), generator=generator) - 1)
    meet = (sum(middles) / 2 + near).clamp(*ENDS)
    total, holds = 0, []
    for piece, chosen in zip((FIRST, SECOND), rows, strict=True):
        ink = 1 - views.images[view, chosen].float() / 255
        ink = ink if kind == BESIDE else ink.transpose(2, 3)
        total = total + fit_half(ink, cuts[piece - 1], is_whole[piece - 1], meet, piece)
        holds.append(
            torch.where(
                is_whole[piece - 1][:, None],
                labels.holds[WHOLE, chosen],
                labels.holds[piece, chosen],
            )
        )
    first, second = holds
    ink = total.clamp(max=1)
    ink = ink if kind == BESIDE else ink.transpose(2, 3)
    images = ((1 - ink) * 255).round().to(torch.uint8)
    division = torch.full((len(rows[0]),), kind)
    return Pasted(
        images,
        torch.stack([joined(first, second), first, second]),
        division,
        torch.stack(rows),
    )


class Frames(NamedTuple):
    """Where enclosing radicals lie, and the room inside them.

    Attributes:
        masks: (K, V, 64, 64) bool, pixels of the radical, and next to it.
        rooms: (K, V, 4) left, top, right and bottom of the largest box beside them
            where their glyphs have ink.
        rows: (K,) of row numbers: the training glyphs with each radical.
        column: (K,) int64, the part that it is.
    """

    masks: Tensor
    rooms: Tensor
    rows: tuple[Tensor, ...]
    column: Tensor


def find_frames(views: Tensor, labels: Labels, rows: Tensor) -> Frames:
    """Find the enclosing radicals by what their glyphs have in common.

    Args:
        views: (V, N, 1, 64, 64) uint8.
        labels: of the N glyphs.
        rows: (M,) of them that may be used.
    """
    enclosed = rows[labels.division[rows] == ENCLOSED]
    masks, rooms, found, columns = [], [], [], []
    for column in range(len(labels.parts)):
        some = enclosed[labels.is_radical[enclosed, column]]
        if len(some) < FEWEST:
            continue
        ink = 1 - views[:, some].float().mean((1, 2)) / 255
        mask = max_pool2d((ink > COMMON).float().unsqueeze(1), 3, 1, 1).squeeze(1) > 0
        is_taken = mask | (ink < SPARSE)
        masks.append(mask)
        rooms.append(torch.tensor([largest_room(one.tolist()) for one in is_taken]))
        found.append(some)
        columns.append(column)
    empty = not masks
    return Frames(
        torch.zeros(0) if empty else torch.stack(masks),
        torch.zeros(0) if empty else torch.stack(rooms),
        tuple(found),
        torch.tensor(columns, dtype=torch.long),
    )


def largest_room(mask: list[list[bool]]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom (exclusive) of the largest box that is free.

    Every box that cannot grow upward ends in some row; of each row and column the free
    pixels above are known.
    """
    best, room = 0, (0, 0, 0, 0)
    heights = [0] * len(mask[0])
    for y, row in enumerate(mask):
        heights = [0 if taken else h + 1 for taken, h in zip(row, heights, strict=True)]
        for left in range(len(heights)):
            low = len(mask)
            for right in range(left, len(heights)):
                low = min(low, heights[right])
                if low == 0:
                    break
                if (area := low * (right + 1 - left)) > best:
                    best, room = area, (left, y + 1 - low, right + 1, y + 1)
    return room


def paste_inside(
    views: Views,
    labels: Labels,
    frames: Frames,
    rows: Tensor,
    num: int,
    generator: torch.Generator,
) -> Pasted:
    """Put whole glyphs, made small, into enclosing radicals.

    Args:
        views: pictures of the N glyphs.
        labels: of them.
        frames: of them; at least one.
        rows: (M,) glyphs to put inside.
        num: B, pictures to make.
        generator: source of randomness: which glyphs, and which view.
    """
    kind = torch.randint(len(frames.rows), (num,), generator=generator)
    outer = torch.stack(
        [
            some[torch.randint(len(some), (), generator=generator)]
            for some in (frames.rows[k] for k in kind.tolist())
        ]
    )
    inner = rows[torch.randint(len(rows), (num,), generator=generator)]
    view = choose_views(views, outer, generator)
    rooms = frames.rooms[kind].float()
    areas = (rooms[..., 2] - rooms[..., 0]) * (rooms[..., 3] - rooms[..., 1])
    area = areas.gather(1, view[:, None]).squeeze(1)
    is_fit = views.is_usable[view, inner] & (area > ROOMY * areas[:, 0])
    view = torch.where(is_fit, view, 0)
    frame = 1 - views.images[view, outer].float() / 255
    frame = frame * frames.masks[kind, view].unsqueeze(1)
    left, top, right, bottom = rooms[torch.arange(num), view].T
    place = torch.arange(SIZE) + 0.5
    x = (place - left[:, None]) / (right - left)[:, None] * 2 - 1
    y = (place - top[:, None]) / (bottom - top)[:, None] * 2 - 1
    x, y = x[:, None].expand(-1, SIZE, -1), y[:, :, None].expand(-1, -1, SIZE)
    ink = 1 - views.images[view, inner].float() / 255
    ink = grid_sample(ink, torch.stack([x, y], -1), align_corners=False)
    images = ((1 - (frame + ink).clamp(max=1)) * 255).round().to(torch.uint8)
    first = torch.full_like(labels.holds[FIRST, outer], -1)
    first[torch.arange(num), frames.column[kind]] = 1
    first = torch.where(labels.holds[FIRST, outer] == 0, 0, first).to(torch.int8)
    second = labels.holds[WHOLE, inner]
    holds = torch.stack([joined(first, second), first, second])
    return Pasted(
        images, holds, torch.full((num,), ENCLOSED), torch.stack([outer, inner])
    )


def joined(first: Tensor, second: Tensor) -> Tensor:
    """Labels of a whole from those of its two pieces."""
    whole = torch.where((first == 0) & (second == 0), 0, -1).to(torch.int8)
    whole[(first == 1) | (second == 1)] = 1
    return whole
