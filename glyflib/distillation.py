"""Teaching a student to draw in few calls: one jump of its own for two of a teacher's.

Invariant: a lesson is a pair (x0, eps) like any other in training, so the one training
loop serves: noised to level t it is the very xt that the teacher jumped from, and its
x0 is the data towards which one jump lands where the teacher's two did.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from glyflib.data import x0_from_images
from glyflib.precision import products_in_bf16
from glyflib.sampling import guided, level_grid
from glyflib.schedule import add_noise, eps_from_x0, level, predict_x0_from
from glyflib.student import jump
from glyflib.text import TextCondition
from glyflib.training import Batch, Data, TrainConfig, draw_condition
from glyflib.unet import UNet

NEW = 0.5  # share of the rows that learn the newest count

#: Callable of (xt, t, s) and then of tokens and mask, where there is text, that returns
#: x0_hat, as `student.PredictX0`, but handed the condition of its rows.
Teacher = Callable[..., Tensor]


def target_x0(
    xt: Tensor, xs: Tensor, t: Tensor, s: Tensor, alpha_bar: Tensor
) -> Tensor:
    """The data towards which one jump leads from xt at level t to xs at level s.

    It is `jump`, solved for x0_hat: with a the factor of the signal and b that of the
    noise, xs = a_s x0 + b_s (xt - a_t x0) / b_t.

    Args:
        xt: (B, ...) noisy data at levels t.
        xs: (B, ...) where it is to land.
        t: (B,) integer noise levels in [1, T]; alpha_bar may be 0 there.
        s: (B,) integer noise levels in [0, T], each below its t.
        alpha_bar: (T + 1,) schedule.

    Returns:
        x0: (B, ...); xs itself where s is 0.

    Raises:
        ValueError: If a level is out of range, or one of s does not lie below its t.

    References:
        Salimans and Ho 2022, Algorithm 2.
    """
    if (torch.as_tensor(s) >= torch.as_tensor(t)).any():
        raise ValueError(f"every s must lie below its t, got s {s} and t {t}")
    a_t, a_s = (level(alpha_bar, some, like=xt) for some in (t, s))
    ratio = ((1 - a_s) / (1 - a_t)).sqrt()
    return (xs - ratio * xt) / (a_s.sqrt() - ratio * a_t.sqrt())


def two_jumps(
    teacher: Teacher,
    xt: Tensor,
    t: Tensor,
    middle: Tensor,
    s: Tensor,
    alpha_bar: Tensor,
    *text: Tensor,
) -> Tensor:
    """Where two jumps land: from level t to the middle one, and from there to s.

    Args:
        teacher: callable of (xt, t, s, *text) that returns x0_hat.
        xt: (B, ...) noisy data at levels t.
        t: (B,) integer noise levels in [1, T].
        middle: (B,) integer noise levels between s and t.
        s: (B,) integer noise levels in [0, T].
        alpha_bar: (T + 1,) schedule.
        text: tokens and mask, where the teacher reads them.

    Returns:
        xs: (B, ...) at levels s.

    References:
        Salimans and Ho 2022, Algorithm 2.
    """
    x0_hat = teacher(xt, t, middle, *text)
    x_middle = jump(xt, x0_hat, t, middle, alpha_bar)
    x0_hat = teacher(x_middle, middle, s, *text)
    return jump(x_middle, x0_hat, middle, s, alpha_bar)


def guided_teacher(
    unet: UNet, null: TextCondition, scale: float, prediction: str, alpha_bar: Tensor
) -> Teacher:
    """The first teacher: a glyffuser's network, its guidance worked out.

    Guidance mixes two answers by weights that sum to 1, so it is the same for v, eps
    and x0. The level s to go to does not matter to it.

    Args:
        unet: network that reads text.
        null: the empty condition, one row.
        scale: of the guidance.
        prediction: what the network returns: "v" or "x0".
        alpha_bar: (T + 1,) schedule of the student.

    Returns:
        Callable of (xt, t, s, tokens, mask).

    References:
        Ho and Salimans 2022, Eq. 6; folded in: Meng et al. 2023, section 3.
    """

    def answer(xt: Tensor, t: Tensor, text: TextCondition) -> Tensor:
        return unet(xt, t.to(xt.device), *text)

    def predict_x0(
        xt: Tensor, t: Tensor, s: Tensor, tokens: Tensor, mask: Tensor
    ) -> Tensor:
        texts = TextCondition(tokens, mask), null.expand(len(xt))
        output = guided(answer, *texts, scale)(xt, t)
        return predict_x0_from(output.float(), xt, t, alpha_bar, prediction)

    return predict_x0


def student_teacher(net: nn.Module, prediction: str, alpha_bar: Tensor) -> Teacher:
    """A later teacher: the student as it came out of the phase before.

    Args:
        net: callable of (xt, t, stride, ...) such as a `StudentNet`, not trained on.
        prediction: what the network returns: "v" or "x0".
        alpha_bar: (T + 1,) schedule of the student.

    Returns:
        Callable of (xt, t, s) and whatever else the network reads.
    """

    def predict_x0(xt: Tensor, t: Tensor, s: Tensor, *text: Tensor) -> Tensor:
        output = net(xt, t.to(xt.device), (t - s).to(xt.device), *text)
        return predict_x0_from(output.float(), xt, t, alpha_bar, prediction)

    return predict_x0


class Jumps(NamedTuple):
    """Levels of some jumps, each drawn as two by a teacher.

    Attributes:
        count: (B,) calls for a whole picture, of which this is one.
        t: (B,) levels to start from.
        middle: (B,) levels between, where the teacher's first jump ends.
        s: (B,) levels to land on.
    """

    count: Tensor
    t: Tensor
    middle: Tensor
    s: Tensor


def draw_jumps(
    counts: tuple[int, ...], num_rows: int, num_levels: int, generator: torch.Generator
) -> Jumps:
    """Draw jumps: half of them of the newest count, the others of the earlier ones.

    What is no longer asked for is forgotten, so the earlier counts are still taught.

    Args:
        counts: those taught, from most to fewest; the last one is the newest.
        num_rows: how many, B.
        num_levels: the highest one, T.
        generator: CPU source of all that is random.
    """
    weights = torch.full((len(counts),), (1 - NEW) / max(1, len(counts) - 1))
    weights[-1] = NEW
    which = weights.multinomial(num_rows, replacement=True, generator=generator)
    count = torch.tensor(counts)[which]
    stops = torch.tensor(level_grid(num_levels, 2 * counts[0]))
    half = counts[0] // count  # stops that one of a teacher's jumps strides
    place = (torch.rand(num_rows, generator=generator) * count).long()
    first = 2 * half * place
    return Jumps(count, stops[first], stops[first + half], stops[first + 2 * half])


@torch.no_grad()
def draw_lesson(
    data: Data,
    config: TrainConfig,
    num_levels: int,
    generator: torch.Generator,
    mine: slice = slice(None),
    *,
    teachers: dict[int, Teacher],
    alpha_bar: Tensor,
) -> Batch:
    """Draw noisy pictures, let the teachers jump twice, and ask for one jump.

    Handed to `train` as its `draw`, with teachers and schedule fixed by `partial`.

    Args:
        data: rows to draw from.
        config: its batch size, caption dropout and precision, the teachers' too.
        num_levels: the highest one, T.
        generator: CPU source of all that is random.
        mine: which rows of the batch this process keeps; all by default.
        teachers: whose two jumps each count learns from, by count from most to fewest.
        alpha_bar: (T + 1,) schedule of the student.

    Returns:
        A `Batch` whose condition is the stride (B,), then tokens and mask where there
        is text.

    References:
        Salimans and Ho 2022, Algorithm 2; several strides at once: Frans et al. 2025,
        Algorithm 1.
    """
    B, device = config.batch_size, data.images.device
    rows = torch.randint(len(data.images), (B,), generator=generator)[mine]
    jumps = draw_jumps(tuple(teachers), B, num_levels, generator)
    count, t, middle, s = (some[mine] for some in jumps)
    is_dropped = torch.rand(B, generator=generator)[mine] < config.caption_dropout
    eps = torch.randn(B, *data.images.shape[1:], generator=generator)[mine]
    rows, is_dropped = rows.to(device), is_dropped.to(device)
    text = draw_condition(data, rows, is_dropped)
    x0 = x0_from_images(data.images[rows])
    xt = add_noise(x0, eps.to(x0), t, alpha_bar)
    xs = torch.empty_like(xt)
    with products_in_bf16(device.type, on_gpu=config.bf16, on_cpu=config.cpu_bf16):
        for teacher in dict.fromkeys(teachers.values()):
            taught = [number for number, one in teachers.items() if one is teacher]
            part = torch.isin(count, torch.tensor(taught)).nonzero().squeeze(1)
            if not len(part):
                continue
            here = part.to(device)
            levels = (some[part] for some in (t, middle, s))
            read = (some[here] for some in text)
            xs[here] = two_jumps(teacher, xt[here], *levels, alpha_bar, *read)
    x0 = target_x0(xt, xs, t, s, alpha_bar)
    eps = eps_from_x0(xt, x0, t, alpha_bar)
    return Batch(x0, eps, t, ((t - s).to(device), *text))


def teachers_for(
    counts: tuple[int, ...], first: Teacher, later: Teacher | None
) -> dict[int, Teacher]:
    """Whose two jumps each count learns from.

    Args:
        counts: those taught in this phase, from most to fewest.
        first: of the largest count: the glyffuser's own steps.
        later: of all others; None in the first phase, where there are none.
    """
    return {count: later if place else first for place, count in enumerate(counts)}
