"""Samples judged: by their captions, by real glyphs, by what was trained on."""

import math

import pytest
import torch
from random_rows import gen, normal, realism_rate
from scipy import integrate, stats

from glyflib.data import load_glyphs, x0_from_images
from glyflib.evaluation.intervals import share_interval
from glyflib.evaluation.metrics import (
    frechet_distance,
    kernel_distance,
    precision_recall,
)
from glyflib.evaluation.radicals import (
    RadicalClassifier,
)
from glyflib.evaluation.samples import (
    evaluate_samples,
    measure_likeness,
    reference_rows,
    shuffled_rate,
    words_alone,
)

# Everything at once, on real glyphs.


@pytest.fixture(scope="module")
def classifier():
    return RadicalClassifier.load()


@pytest.fixture(scope="module")
def test_glyphs():
    return load_glyphs("test", 32)


@pytest.fixture(scope="module")
def train_glyphs():
    return load_glyphs("train", 32)


def thinned(glyphs, step):
    return x0_from_images(glyphs.images[::step]), glyphs.radicals[::step]


@pytest.fixture(scope="module")
def sets(train_glyphs, test_glyphs):
    """1,009 training glyphs and 531 + 530 held-out ones, with their radicals."""
    x0, radicals = thinned(test_glyphs, 1)
    order = torch.randperm(len(x0), generator=gen())
    halves = [(x0[rows], radicals[rows]) for rows in order.chunk(2)]
    return thinned(train_glyphs, 20), *halves


def evaluate(samples, radicals, sets, classifier, groups=None, num=20):
    groups = torch.arange(len(samples)) if groups is None else groups
    real, train = sets[2][0], sets[0][0]
    return evaluate_samples(
        samples, radicals, groups, real, train, classifier, gen(), num=num
    )


def test_real_glyphs_come_out_as_real_and_new(sets, classifier):
    samples, radicals = sets[1]
    found = evaluate(samples, radicals, sets, classifier)
    right = (classifier.read(samples).radicals == radicals).double().mean().item()
    assert found.hit_rate.value == pytest.approx(right) and right > 0.8
    assert found.shuffled.value < 0.05
    assert found.precision.value > 0.6 and found.recall.value > 0.6
    assert abs(found.kernel.value) < 0.013  # halves of the split spread by 0.0033
    assert found.nearest_ratio.value == pytest.approx(1, abs=0.1)
    assert found.copied.value < 0.03
    for estimate in found:
        assert estimate.low <= estimate.value <= estimate.high


def test_copies_are_called_copies_and_noise_is_called_noise(sets, classifier):
    (train, radicals), (real, real_radicals), _ = sets
    fair = evaluate(real, real_radicals, sets, classifier)
    copies = evaluate(train[:400], radicals[:400], sets, classifier)
    assert copies.copied == share_interval(torch.ones(400))
    assert copies.nearest_ratio.value == 0
    noise = normal(400, 1, 32, 32).float()
    noise = evaluate(noise, radicals[:400], sets, classifier)
    assert noise.hit_rate.value < 0.1 and noise.realism.value < 0.02 < fair.realism.low
    assert noise.frechet.value > 5 * fair.frechet.value
    assert noise.kernel.low > 10 * abs(fair.kernel.value)


def test_realism_notices_mirrored_glyphs_and_precision_does_not(sets, classifier):
    real, target = (classifier.read(sets[i][0]).features for i in (1, 2))
    mirrored = classifier.read(sets[1][0].flip(3)).features
    assert realism_rate(target, real) > 0.3 > 0.05 > realism_rate(target, mirrored)
    precise = [precision_recall(target, fake)[0] for fake in (real, mirrored)]
    assert abs(precise[0] - precise[1]) < 0.1
    assert frechet_distance(target, mirrored) > 4 * frechet_distance(target, real)
    assert kernel_distance(target, mirrored) > 10 * abs(kernel_distance(target, real))


def test_one_good_glyph_again_and_again_has_precision_without_recall(sets, classifier):
    real, radicals = sets[1]
    rows = classifier.read(real).logits.logsumexp(1).argsort()[:1].repeat(500)
    stuck = evaluate(real[rows], radicals[rows], sets, classifier)
    assert stuck.recall.value < 0.05
    assert stuck.frechet.value > 5 * evaluate(*sets[1], sets, classifier).frechet.value


def test_larger_and_unclipped_glyphs_are_brought_to_the_same(sets, classifier):
    samples, radicals = (x[:40] for x in sets[1])
    found = evaluate(samples, radicals, sets, classifier)
    larger = samples.repeat_interleave(2, 2).repeat_interleave(2, 3)
    again = evaluate(larger, radicals, sets, classifier)
    beyond = torch.where(samples.abs() == 1, 3 * samples, samples)
    for other in (again, evaluate(beyond, radicals, sets, classifier)):
        torch.testing.assert_close(torch.tensor(other), torch.tensor(found))


def test_eight_samples_a_caption_are_not_eight_times_the_captions(sets, classifier):
    """Copies of 60 glyphs: the same hit rate, and an interval that knows better."""
    samples, radicals = (x[:60].repeat_interleave(8, 0) for x in sets[1])
    groups = torch.arange(60).repeat_interleave(8)
    whole = evaluate(samples, radicals, sets, classifier, groups, num=100).hit_rate
    naive = evaluate(samples, radicals, sets, classifier, num=100).hit_rate
    assert whole.value == naive.value
    assert whole.high - whole.low > 2 * (naive.high - naive.low)


def test_the_shuffled_rate_is_the_mean_over_shuffles():
    pairs = torch.randint(1, 6, (50, 2), generator=gen())
    pairs[:, 0] = pairs[:, 1].where(torch.rand(50, generator=gen()) < 0.7, pairs[:, 0])
    hits = [
        (pairs[:, 0] == pairs[torch.randperm(50, generator=gen(s)), 1]).sum().item()
        for s in range(3000)
    ]
    assert shuffled_rate(pairs) == pytest.approx(sum(hits) / 50 / 3000, rel=0.02)


def test_reference_rows_are_chance_ceiling_and_floor(sets, classifier):
    (train, radicals), (real, real_radicals), _ = sets
    found = reference_rows(
        real, real_radicals, train, radicals, classifier, gen(), num_samples=500, num=20
    )
    commonest = max(radicals.tolist(), key=radicals.tolist().count)
    share = (real_radicals == commonest).double().mean().item()
    assert found.commonest.value == pytest.approx(share)
    drawn = radicals[torch.randint(len(radicals), (len(real), 2000), generator=gen())]
    simulated = (drawn == real_radicals[:, None]).double().mean().item()
    assert found.by_chance.value == pytest.approx(simulated, rel=0.03)
    right = (classifier.read(real).radicals == real_radicals).double().mean().item()
    assert found.ceiling.value == pytest.approx(right)
    target = classifier.read(real).features
    noise = measure_likeness(normal(500, target.shape[1]).float(), target, gen(), num=2)
    assert found.floor.frechet.value < noise.frechet.value / 3
    assert found.floor.precision.value > 0.6


def test_a_senseless_evaluation_is_refused(sets, classifier):
    samples, radicals = (x[:9] for x in sets[1])
    with pytest.raises(ValueError, match=r"radicals \(8,\) for \(9, 1, 32, 32\)"):
        evaluate(samples, radicals[:8], sets, classifier)
    with pytest.raises(ValueError, match="radicals holds 0: leave out"):
        evaluate(samples, 0 * radicals, sets, classifier)
    with pytest.raises(ValueError, match=r"groups \(3,\)"):
        evaluate(samples, radicals, sets, classifier, torch.arange(3))
    with pytest.raises(ValueError, match=r"x0 \(9, 1, 16, 16\)"):
        evaluate(samples[..., ::2, ::2], radicals, sets, classifier)
    with pytest.raises(ValueError, match="finite"):
        evaluate(math.nan * samples, radicals, sets, classifier)
    with pytest.raises(ValueError, match="N >= 4"):
        evaluate(samples[:3], radicals[:3], sets, classifier)
    for num in (3, 10):
        with pytest.raises(ValueError, match=f"num_samples {num} must be from 4 to 9"):
            reference_rows(
                samples, radicals, samples, radicals, classifier, gen(), num_samples=num
            )


# Words alone.


def two_classes(num, gap, seed):
    """One number a caption: N(-gap / 2, 1) for radical 30, N(gap / 2, 1) for 85."""
    is_water = torch.arange(num) % 2 == 0
    rows = (
        torch.randn(num, 1, generator=gen(seed))
        + gap * (is_water.float() - 0.5)[:, None]
    )
    return rows, torch.where(is_water, 85, 30)


def test_words_alone_do_as_well_as_theory_allows():
    """Logistic regression is right for two Gaussians of one variance (Bishop 4.2.1).

    The best rule is right with probability Phi(gap / 2), and the mean probability of
    the true class is an integral. 4,000 captions: a standard error of 0.7 %.
    """
    gap = 1.5
    found = words_alone(
        *two_classes(4000, gap, 0), *two_classes(4000, gap, 1), gen(), penalty=0.1
    )
    assert found.top1.value == pytest.approx(stats.norm.cdf(gap / 2), abs=0.021)

    def given(x):
        return stats.norm.pdf(x - gap / 2) / (1 + math.exp(-gap * x))

    mean = integrate.quad(given, -10, 10)[0]
    assert found.drawn.value == pytest.approx(mean, abs=0.015)
    assert found.drawn.low < mean < found.drawn.high
    assert found.top1.high - found.top1.low == pytest.approx(0.026, rel=0.15)


def test_words_that_tell_nothing_leave_chance():
    radicals = torch.tensor([9] * 600 + [75] * 300 + [140] * 100)
    noise = [torch.randn(1000, 8, generator=gen(s)) for s in (0, 1)]
    found = words_alone(noise[0], radicals, noise[1], radicals, gen())
    assert found.top1.value == pytest.approx(0.6, abs=0.02)
    assert found.drawn.value == pytest.approx(0.36 + 0.09 + 0.01, abs=0.01)


def test_the_units_of_embeddings_do_not_matter():
    (a, radicals), (b, others) = two_classes(300, 1.5, 0), two_classes(300, 1.5, 1)
    a, b = (torch.cat([x, x.square(), torch.ones(300, 1)], dim=1) for x in (a, b))
    plain = words_alone(a, radicals, b, others, gen(), num=2)
    scale, shift = torch.tensor([100.0, 0.01, 1]), torch.tensor([5.0, -3, 0])
    moved = words_alone(
        a * scale + shift, radicals, b * scale + shift, others, gen(), num=2
    )
    assert moved.top1.value == plain.top1.value
    assert moved.drawn.value == pytest.approx(plain.drawn.value, abs=1e-4)


def test_a_radical_that_was_never_seen_is_a_miss():
    rows, radicals = two_classes(200, 8, 0)
    found = words_alone(rows, radicals, rows[:4], torch.tensor([85, 30, 1, 214]), gen())
    assert found.top1.value == 0.5 and found.drawn.value <= 0.5


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({0: torch.zeros(5, 1)}, r"radicals \(6,\) for \(5, 1\)"),
        ({2: torch.zeros(6, 2)}, r"rows \(6, 2\)"),
        ({0: torch.full((6, 1), math.nan)}, "finite"),
        ({1: torch.zeros(6).long()}, "holds 0"),
        ({3: torch.full((6,), 215)}, "holds 215"),
    ],
)
def test_captions_that_do_not_fit_are_refused(change, match):
    given = [*two_classes(6, 1, 0), *two_classes(6, 1, 1)]
    for place, value in change.items():
        given[place] = value
    with pytest.raises(ValueError, match=match):
        words_alone(*given, gen())
    with pytest.raises(ValueError, match="penalty 0 must be above 0"):
        words_alone(*two_classes(6, 1, 0), *two_classes(6, 1, 1), gen(), penalty=0)
