"""A student learns to land in one jump where its teacher lands in two.

Where the data are a Gaussian, the flow from noise to data is known in closed form; for
a mixture in one dimension it is the map that keeps quantiles.
"""

from copy import deepcopy
from functools import partial
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Normal

from glyflib.distillation import (
    draw_jumps,
    draw_lesson,
    guided_teacher,
    student_teacher,
    target_x0,
    teachers_for,
    two_jumps,
)
from glyflib.exact import GaussianMixture
from glyflib.sampling import guided, last_of, level_grid
from glyflib.schedule import add_noise, cosine_alpha_bar, v_from_x0_eps, x0_from_eps
from glyflib.student import COUNTS, ending_in_noise, jump, sample_few
from glyflib.text import TextCondition
from glyflib.training import Data, TrainConfig, train

ALPHA_BAR = ending_in_noise(cosine_alpha_bar(1000))
GRID = level_grid(1000, 16)
MEAN, COV = [0.4, -0.3], [[0.3, 0.1], [0.1, 0.15]]
WEIGHTS, MEANS, STDS = [0.4, 0.6], [-0.5, 0.6], [0.25, 0.3]


def column(values):
    return torch.tensor(values, dtype=torch.float64)[:, None]


@pytest.fixture(scope="module")
def gaussian():
    """One Gaussian in two dimensions, with correlation."""
    cov = torch.tensor([COV], dtype=torch.float64)
    mean = torch.tensor([MEAN], dtype=torch.float64)
    return GaussianMixture(torch.ones(1), mean, cov, ALPHA_BAR)


@pytest.fixture(scope="module")
def mixture():
    """Two Gaussians in one dimension."""
    stds = torch.tensor(STDS, dtype=torch.float64)
    weights = torch.tensor(WEIGHTS)
    return GaussianMixture.isotropic(weights, column(MEANS), stds, ALPHA_BAR)


def normals(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def full(level, count):
    return torch.full((count,), level)


def as_teacher(exact):
    """The exact denoiser as a teacher; the level to go to does not matter to it."""
    return lambda xt, t, s: exact.denoise(xt, t)


def flow_of_gaussian(xt, t, s):
    """Where the probability flow carries xt of the Gaussian: offsets keep their rank.

    Along each axis the offset from the mean grows as the standard deviation does.
    """
    variances, axes = torch.linalg.eigh(torch.tensor(COV, dtype=torch.float64))
    mean = torch.tensor(MEAN, dtype=torch.float64)
    a, b = ALPHA_BAR[t], ALPHA_BAR[s]
    growth = ((b * variances + 1 - b) / (a * variances + 1 - a)).sqrt()
    return b.sqrt() * mean + ((xt - a.sqrt() * mean) @ axes * growth) @ axes.T


def quantile_map(z):
    """Data of the mixture with the same share of mass below them as noise z."""
    grid = torch.linspace(-3, 3, 60001, dtype=torch.float64)
    below = sum(
        w * Normal(m, s).cdf(grid) for w, m, s in zip(WEIGHTS, MEANS, STDS, strict=True)
    )
    place = torch.searchsorted(below, Normal(0.0, 1.0).cdf(z.squeeze(1)))
    return grid[place.clamp(max=len(grid) - 1)][:, None]


def land(predict_x0, z, calls):
    return last_of(sample_few(predict_x0, z, ALPHA_BAR, calls=calls)).xt


def distance(some, others):
    return (some - others).square().mean().sqrt().item()


@pytest.mark.parametrize(("t", "s"), [(1000, 0), (1000, 875), (500, 250), (125, 0)])
def test_a_jump_towards_the_target_lands_where_it_should(t, s):
    xt, xs = normals(5, 3), normals(5, 3, seed=1)
    t, s = full(t, 5), full(s, 5)
    x0 = target_x0(xt, xs, t, s, ALPHA_BAR)
    torch.testing.assert_close(jump(xt, x0, t, s, ALPHA_BAR), xs)


@pytest.mark.parametrize(("t", "s"), [(1000, 500), (750, 625), (250, 0)])
def test_the_target_of_a_teacher_that_does_not_change_its_mind_is_its_belief(t, s):
    xt, x0 = normals(5, 3), normals(5, 3, seed=1)
    levels = full(t, 5), full((t + s) // 2, 5), full(s, 5)
    xs = two_jumps(lambda *_: x0, xt, *levels, ALPHA_BAR)
    torch.testing.assert_close(target_x0(xt, xs, *levels[::2], ALPHA_BAR), x0)


def test_the_target_of_the_last_jump_is_what_the_teacher_believes_in_last(mixture):
    xt, t, middle, s = normals(6, 1), full(125, 6), full(62, 6), full(0, 6)
    xs = two_jumps(as_teacher(mixture), xt, t, middle, s, ALPHA_BAR)
    x_middle = jump(xt, mixture.denoise(xt, t), t, middle, ALPHA_BAR)
    believed = mixture.denoise(x_middle, middle)
    torch.testing.assert_close(target_x0(xt, xs, t, s, ALPHA_BAR), believed)


@pytest.mark.parametrize(("t", "s"), [(1000, 875), (1000, 0), (625, 500), (125, 0)])
def test_for_a_gaussian_a_target_made_from_the_flow_map_is_the_flow_map(gaussian, t, s):
    """And many small jumps of the exact denoiser find it: the second road."""
    xt = normals(50, 2)
    wanted = flow_of_gaussian(xt, t, s)
    x0 = target_x0(xt, wanted, full(t, 50), full(s, 50), ALPHA_BAR)
    torch.testing.assert_close(
        jump(xt, x0, full(t, 50), full(s, 50), ALPHA_BAR), wanted
    )
    walked = xt
    for level in range(t, s, -1):
        here, there = full(level, 50), full(level - 1, 50)
        walked = jump(walked, gaussian.denoise(walked, here), here, there, ALPHA_BAR)
    assert distance(walked, wanted) < 4e-3


def perfect_student(teacher, counts=COUNTS):
    """Answers each jump with the target of two of half the size, without error."""
    finest = 1000 / (2 * counts[0])

    def predict_x0(xt, t, s):
        if (t - s).max() <= finest + 1:
            return teacher(xt, t, s)
        middle = torch.tensor(GRID)[
            (torch.tensor([GRID.index(t[0]), GRID.index(s[0])]).sum() // 2)
        ].expand(len(t))
        xs = two_jumps(predict_x0, xt, t, middle, s, ALPHA_BAR)
        return target_x0(xt, xs, t, s, ALPHA_BAR)

    return predict_x0


@pytest.mark.parametrize("calls", COUNTS)
def test_a_perfect_student_lands_where_sixteen_steps_of_its_teacher_do(mixture, calls):
    z, teacher = normals(200, 1), as_teacher(mixture)
    wanted = land(teacher, z, 16)
    assert distance(land(perfect_student(teacher), z, calls), wanted) < 1e-9
    assert distance(land(teacher, z, calls), wanted) > 0.02


def test_sixteen_steps_are_near_the_flow_and_few_are_not(mixture):
    """So the teacher is worth imitating, and cannot itself draw in few calls."""
    z = normals(2000, 1)
    wanted = quantile_map(z)
    gaps = [distance(land(as_teacher(mixture), z, n), wanted) for n in (1000, 16, 4, 1)]
    assert gaps[0] < 2e-3 and gaps[1] < 0.05 and gaps[2] > 0.1 and gaps[3] > 0.4
    assert gaps == sorted(gaps)


def test_half_of_the_jumps_are_of_the_newest_count_and_all_places_come():
    generator = torch.Generator().manual_seed(0)
    jumps = draw_jumps(COUNTS, 12_000, 1000, generator)
    shares = [(jumps.count == n).double().mean().item() for n in COUNTS]
    assert shares == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2], abs=0.015)
    for count in COUNTS:
        rows = jumps.count == count
        grid = level_grid(1000, count)
        pairs = set(zip(jumps.t[rows].tolist(), jumps.s[rows].tolist(), strict=True))
        assert pairs == set(pairwise(grid))
        finer = level_grid(1000, 2 * count)
        between = dict(zip(finer[:-2:2], finer[1::2], strict=True))
        starts, ends = jumps.t[rows].tolist(), jumps.middle[rows].tolist()
        assert all(between[a] == b for a, b in zip(starts, ends, strict=True))
    assert set(draw_jumps((8,), 100, 1000, generator).count.tolist()) == {8}


def lesson(teachers, data, batch_size=400, seed=0, mine=slice(None)):
    config = TrainConfig(1, batch_size, warmup=0)
    generator = torch.Generator().manual_seed(seed)
    options = {"teachers": teachers, "alpha_bar": ALPHA_BAR}
    return draw_lesson(Data(data, None, None), config, 1000, generator, mine, **options)


def test_a_lesson_noised_to_its_level_is_what_the_teacher_jumped_from(mixture):
    """So the training loop, which noises x0 with eps, asks about the very xt."""
    seen = []

    def teacher(xt, t, s):
        seen.append((xt, t, s))
        return mixture.denoise(xt, t)

    data = mixture.sample(500, generator=torch.Generator().manual_seed(1))
    batch = lesson({8: teacher}, data)
    (xt, t, middle), (x_middle, _, s) = seen
    torch.testing.assert_close(batch.t, t)
    torch.testing.assert_close(batch.condition[0], t - s)
    torch.testing.assert_close(add_noise(batch.x0, batch.eps, t, ALPHA_BAR), xt)
    xs = jump(x_middle, mixture.denoise(x_middle, middle), middle, s, ALPHA_BAR)
    torch.testing.assert_close(jump(xt, batch.x0, t, s, ALPHA_BAR), xs)
    assert v_from_x0_eps(batch.x0, batch.eps, t, ALPHA_BAR).isfinite().all()


def test_at_the_highest_level_there_is_noise_alone():
    data = torch.full((3, 1), 5.0, dtype=torch.float64)
    seen = []

    def teacher(xt, t, s):
        seen.append(xt[t == 1000])
        return torch.zeros_like(xt)

    lesson({8: teacher}, data, batch_size=4000)
    assert abs(seen[0].mean()) < 0.15 and seen[0].std() == pytest.approx(1, abs=0.1)


def test_each_count_learns_from_its_own_teacher():
    def constant(value):
        return lambda xt, t, s: torch.full_like(xt, value)

    first, later = constant(0.25), constant(-0.5)
    teachers = teachers_for(COUNTS, first, later)
    assert [teachers[n] is later for n in COUNTS] == [False, True, True, True]
    batch = lesson(teachers, torch.zeros(5, 1, dtype=torch.float64))
    is_small = batch.condition[0] <= 125
    torch.testing.assert_close(
        batch.x0[is_small], torch.full_like(batch.x0[is_small], 0.25)
    )
    torch.testing.assert_close(
        batch.x0[~is_small], torch.full_like(batch.x0[~is_small], -0.5)
    )
    assert is_small.any() and not is_small.all()


def test_two_processes_draw_what_one_draws(mixture):
    data = mixture.sample(50, generator=torch.Generator().manual_seed(1))
    teachers = teachers_for((8, 4), as_teacher(mixture), as_teacher(mixture))
    whole = lesson(teachers, data, 8)
    for mine in (slice(0, 4), slice(4, 8)):
        part = lesson(teachers, data, 8, mine=mine)
        torch.testing.assert_close(part.x0, whole.x0[mine])
        torch.testing.assert_close(part.eps, whole.eps[mine])
        torch.testing.assert_close(part.condition[0], whole.condition[0][mine])


class Worded(nn.Module):
    """Answers with the mean of its tokens, so that conditions can be told apart."""

    def forward(self, xt, t, tokens, mask):
        mean = (tokens * mask[..., None]).sum((1, 2))
        return mean.reshape(-1, *[1] * (xt.ndim - 1)).expand_as(xt) + 0.1 * xt


@pytest.mark.parametrize("scale", [0.0, 1.0, 2.0])
def test_the_first_teacher_is_guided_as_eps_is_guided(scale):
    """In v or in eps, guidance is one and the same: its weights sum to 1."""
    alpha_bar, t = cosine_alpha_bar(1000), full(600, 3)
    xt = normals(3, 1, 4, 4)
    cond = TextCondition(normals(3, 2, 4, seed=2), torch.ones(3, 2, dtype=torch.bool))
    null = TextCondition(normals(1, 1, 4, seed=3), torch.ones(1, 1, dtype=torch.bool))
    teacher = guided_teacher(Worded(), null, scale, "v", alpha_bar)

    def predict_eps(xt, t, text):
        a = alpha_bar[t].reshape(-1, 1, 1, 1)
        return (1 - a).sqrt() * xt + a.sqrt() * Worded()(xt, t, *text)

    eps_hat = guided(predict_eps, cond, null.expand(3), scale)(xt, t)
    wanted = x0_from_eps(xt, eps_hat, t, alpha_bar)
    found = teacher(xt, t, full(500, 3), *cond)
    torch.testing.assert_close(found.double(), wanted, rtol=0, atol=1e-5)


def test_captions_are_dropped_for_teacher_and_student_alike():
    tokens, mask = torch.ones(6, 2, 4), torch.ones(6, 2, dtype=torch.bool)
    null = torch.zeros(1, 2, 4), torch.ones(1, 2, dtype=torch.bool)
    seen = []

    def teacher(xt, t, s, tokens, mask):
        seen.append(tokens)
        return torch.zeros_like(xt)

    data = Data(torch.zeros(6, 1, 2, 2), (tokens, mask), null)
    config = TrainConfig(1, 300, warmup=0, caption_dropout=0.3)
    generator = torch.Generator().manual_seed(0)
    options = {"teachers": {8: teacher}, "alpha_bar": ALPHA_BAR}
    batch = draw_lesson(data, config, 1000, generator, **options)
    torch.testing.assert_close(batch.condition[1], seen[0])
    share = 1 - seen[0].mean().item()
    assert share == pytest.approx(0.3, abs=0.08)


def test_levels_that_do_not_fall_have_no_target():
    xt = normals(2, 1)
    with pytest.raises(ValueError, match="every s must lie below its t"):
        target_x0(xt, xt, full(5, 2), full(5, 2), ALPHA_BAR)


class Small(nn.Module):
    """A perceptron with vectors of its own for each level and stride."""

    def __init__(self, dim, width=64):
        super().__init__()
        self.first = nn.Linear(dim, width)
        self.second = nn.Linear(width, width)
        self.last = nn.Linear(width, dim)
        self.scales, self.shifts = nn.Embedding(81, width), nn.Embedding(81, width)

    def forward(self, xt, t, stride):
        which = t // 125 * 9 + stride // 125
        scale, shift = self.scales(which), self.shifts(which)
        h = F.silu(self.first(xt) * (1 + scale) + shift)
        return self.last(F.silu(self.second(h) + scale))


def distil(exact, dim, steps, batch_size=256):
    """Teach all four counts, phase by phase; what it then is, as a predict_x0."""
    torch.manual_seed(0)
    net, later = Small(dim), None
    data = exact.sample(4000, generator=torch.Generator().manual_seed(3)).float()
    for phase in range(len(COUNTS)):
        teachers = teachers_for(COUNTS[: phase + 1], as_teacher(exact), later)
        config = TrainConfig(
            steps,
            batch_size,
            learning_rate=4e-3,
            warmup=10,
            ema_decay=0.97,
            seed=phase,
        )
        draw = partial(draw_lesson, teachers=teachers, alpha_bar=ALPHA_BAR)
        for step in train(net, data, config, ALPHA_BAR, draw=draw):
            last = step
        net = deepcopy(last.ema_model).requires_grad_(True)
        later = student_teacher(last.ema_model, "v", ALPHA_BAR)
    return lambda xt, t, s: later(xt.float(), t, s).double()


def test_a_trained_student_draws_a_gaussian_in_any_count_near_its_flow_map(gaussian):
    student, z = distil(gaussian, 2, 200), normals(1000, 2, seed=9)
    wanted = flow_of_gaussian(z, 1000, 0)
    teacher = as_teacher(gaussian)
    assert distance(land(teacher, z, 1), wanted) > 0.4
    for calls in COUNTS:
        assert distance(land(student, z, calls), wanted) < 0.08


def test_a_trained_student_draws_a_mixture_in_one_call_better_than_its_teacher_in_four(
    mixture,
):
    student, z = distil(mixture, 1, 250), normals(1000, 1, seed=9)
    wanted, teacher = quantile_map(z), as_teacher(mixture)
    in_four = distance(land(teacher, z, 4), wanted)
    for calls in COUNTS:
        assert distance(land(student, z, calls), wanted) < 0.8 * in_four
