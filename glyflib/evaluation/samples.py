"""Judge generated glyphs: do they show the right radical, are they like, are they new.

Invariant: every number is an `Estimate` with a 95 % interval that takes the glyphs of
one caption together, and stands beside the same number for chance and for real glyphs.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from glyflib.evaluation.intervals import Estimate, bootstrap_interval, share_interval
from glyflib.evaluation.metrics import (
    CHUNK,
    check_rows,
    distances,
    frechet_distance,
    is_within_reach,
    kernel_parts,
    nearest_neighbour_ratio,
)
from glyflib.evaluation.radicals import (
    NUM_RADICALS,
    RadicalClassifier,
    check_radicals,
    shrink_x0,
)

COPY_SHARE = 0.01  # of held-out glyphs lie nearer to train than what counts as a copy
NEIGHBOURS = 3  # k of precision and recall
Draw = Callable[..., Estimate]  # bootstrap_interval with its settings


class Likeness(NamedTuple):
    """How the features of a set are spread, against those of real held-out glyphs.

    Attributes:
        frechet: Fréchet distance; depends on the size of the sets.
        kernel: kernel distance, about 0 for real glyphs.
        precision: share of the set that lies where held-out glyphs do. High even for
            mirrored glyphs: lonely held-out glyphs reach far. Realism is stricter.
        recall: share of held-out glyphs that lie where the set does.
        realism: precision by the smaller half of the balls; below 1 for real glyphs.
    """

    frechet: Estimate
    kernel: Estimate
    precision: Estimate
    recall: Estimate
    realism: Estimate


class Metrics(NamedTuple):
    """What `evaluate_samples` finds.

    Attributes:
        hit_rate: share of samples read as the radical of their caption's character.
        shuffled: the same if captions were dealt to the samples at random.
        frechet: see `Likeness`.
        kernel: see `Likeness`.
        precision: see `Likeness`.
        recall: see `Likeness`.
        realism: see `Likeness`.
        nearest_ratio: see `Novelty`.
        copied: see `Novelty`.
    """

    hit_rate: Estimate
    shuffled: Estimate
    frechet: Estimate
    kernel: Estimate
    precision: Estimate
    recall: Estimate
    realism: Estimate
    nearest_ratio: Estimate
    copied: Estimate


class Novelty(NamedTuple):
    """How far a set is from what was trained on.

    Attributes:
        nearest_ratio: median over samples of `nearest_neighbour_ratio`.
        copied: share of samples with a ratio that 1 % of held-out glyphs go below;
            Wilson's interval, for there may be none.
    """

    nearest_ratio: Estimate
    copied: Estimate


class References(NamedTuple):
    """What the numbers of `Metrics` are to be held against.

    Attributes:
        commonest: hit rate of always drawing the commonest training radical.
        by_chance: hit rate of drawing radicals as often as in training.
        ceiling: hit rate of the real held-out glyphs.
        floor: likeness of as many training glyphs as there are samples.
    """

    commonest: Estimate
    by_chance: Estimate
    ceiling: Estimate
    floor: Likeness


def kernel_interval(a: Tensor, b: Tensor, draw: Draw) -> Estimate:
    """The kernel distance and its interval, from what each row adds to it.

    A row's weight counts in every pair that it is in, once for either row of the pair:
    so the distance moves by twice what the means of the parts do (to first order; with
    a and b from one distribution the interval is wider than it need be).
    """
    parts = kernel_parts(a, b)
    distance = sum(part.mean() for part in parts)

    def moved(*drawn: Tensor) -> Tensor:
        return 2 * sum(part.mean() for part in drawn) - distance

    return draw(moved, *parts)


def measure_likeness(
    features: Tensor,
    real: Tensor,
    generator: torch.Generator,
    *,
    groups: Tensor | None = None,
    num: int = 400,
) -> Likeness:
    """Hold features (N, D) against those of real held-out glyphs (M, D).

    For the two distances both sets are drawn again. The shares depend on
    sizes, so the larger set is cut at random; where a set lies is then kept, since
    repeated rows would shrink it, and only the rows that are counted are drawn again.

    Args:
        features: of the set to judge.
        real: of held-out glyphs.
        generator: source of randomness.
        groups: (N,) caption of each row; None if rows are independent.
        num: draws for each interval.

    Raises:
        ValueError: If shapes do not fit, a number is not finite, or a set has fewer
            than 4 rows.
    """
    check_rows(real, features, least=NEIGHBOURS + 1)
    draw = partial(bootstrap_interval, generator=generator, num=num)
    grouped = partial(draw, groups=groups)
    frechet = grouped(frechet_distance, features, real, is_recentred=True)
    kernel = kernel_interval(features, real, grouped)
    size = min(len(features), len(real))
    rows = torch.randperm(len(features), generator=generator)[:size]
    others = torch.randperm(len(real), generator=generator)[:size]
    fake, real = features[rows], real[others]
    groups = None if groups is None else groups[rows]
    inside = is_within_reach(fake, real, NEIGHBOURS)
    covered = is_within_reach(real, fake, NEIGHBOURS)
    realistic = is_within_reach(fake, real, NEIGHBOURS, is_pruned=True)
    precision = draw(torch.mean, inside.double(), groups=groups)
    recall = draw(torch.mean, covered.double())
    realism = draw(torch.mean, realistic.double(), groups=groups)
    return Likeness(
        frechet=frechet,
        kernel=kernel,
        precision=precision,
        recall=recall,
        realism=realism,
    )


def measure_novelty(
    samples: Tensor,
    train: Tensor,
    held_out: Tensor,
    generator: torch.Generator,
    *,
    groups: Tensor | None = None,
    num: int = 400,
) -> Novelty:
    """Hold samples against the training glyphs, as held-out glyphs are.

    Args:
        samples: (N, 1, S, S) x0.
        train: (K, 1, S, S) x0 of training glyphs.
        held_out: (M, 1, S, S) x0 of held-out glyphs.
        generator: source of randomness.
        groups: (N,) caption of each sample; None if samples are independent.
        num: draws for each interval.

    Raises:
        ValueError: If shapes do not fit, a number is not finite, a set is empty, or
            held-out glyphs are copies themselves.
    """
    ratios = nearest_neighbour_ratio(samples, train, held_out)
    usual = nearest_neighbour_ratio(held_out, train, held_out)
    is_copy = (ratios < usual.quantile(COPY_SHARE)).double()
    draw = partial(bootstrap_interval, generator=generator, num=num, groups=groups)
    return Novelty(
        nearest_ratio=draw(torch.median, ratios),
        copied=share_interval(is_copy, groups=groups),
    )


def nearest_captions(features: Tensor, real: Tensor, captions: Tensor) -> Tensor:
    """Caption of the real glyph whose features are nearest to each row's.

    Where there are no radicals, this tells what a drawn glyph shows: the one of the
    real glyphs that it is most like.

    Args:
        features: (N, D) floats, of the glyphs to be told.
        real: (M, D) floats, of real glyphs.
        captions: (M,) int64, number of each real glyph's caption.

    Returns:
        (N,) int64, numbers of captions.

    Raises:
        ValueError: If shapes do not fit, or a number is not finite.
    """
    check_rows(real, features, least=1)
    if captions.shape != real.shape[:1]:
        shapes = f"{tuple(captions.shape)} for {tuple(real.shape)}"
        raise ValueError(f"captions {shapes} must be (M,), one a real glyph")
    parts = features.split(CHUNK)
    return torch.cat([captions[distances(x, real).argmin(1)] for x in parts])


def shuffled_rate(pairs: Tensor) -> float:
    """Hit rate expected if what was asked (second column) is dealt anew to the samples.

    Args:
        pairs: (N, 2) int64, radical or caption drawn, and the one asked for.
    """
    most = int(pairs.max()) + 1
    shares = [torch.bincount(x, minlength=most) for x in pairs.T]
    return (shares[0].double() @ shares[1].double()).item() / len(pairs) ** 2


def evaluate_samples(
    samples: Tensor,
    radicals: Tensor,
    groups: Tensor,
    real: Tensor,
    train: Tensor,
    classifier: RadicalClassifier,
    generator: torch.Generator,
    *,
    num: int = 400,
) -> Metrics:
    """Judge samples by their captions, by real glyphs, and by what was trained on.

    Sizes of 64 and 128 pixels are averaged down to 32 first, and x0 is clipped to
    [-1, 1], as when it is shown.

    Args:
        samples: (N, 1, S, S) x0 of a model.
        radicals: (N,) radical of each sample's caption, 1 to 214.
        groups: (N,) number of each sample's caption.
        real: (M, 1, S, S) x0 of held-out glyphs.
        train: (K, 1, S, S) x0 of training glyphs.
        classifier: reads the radicals and gives the features.
        generator: source of randomness.
        num: draws for each interval.

    Raises:
        ValueError: If shapes do not fit, a radical is out of range, a number is not
            finite, or there are fewer than 4 samples or real glyphs.
    """
    check_radicals(radicals, samples)
    samples, real, train = (shrink_x0(x).clamp(-1, 1) for x in (samples, real, train))
    reading, target = classifier.read(samples), classifier.read(real).features
    draw = partial(bootstrap_interval, generator=generator, num=num, groups=groups)
    pairs = torch.stack([reading.radicals, radicals], dim=1)
    # One after the other: the generator's numbers go to them in this order.
    hit_rate = draw(torch.mean, (reading.radicals == radicals).double())
    shuffled = draw(shuffled_rate, pairs)
    likeness = measure_likeness(
        reading.features, target, generator, groups=groups, num=num
    )
    novelty = measure_novelty(samples, train, real, generator, groups=groups, num=num)
    return Metrics(
        hit_rate=hit_rate,
        shuffled=shuffled,
        **likeness._asdict(),
        **novelty._asdict(),
    )


def reference_rows(
    real: Tensor,
    real_radicals: Tensor,
    train: Tensor,
    train_radicals: Tensor,
    classifier: RadicalClassifier,
    generator: torch.Generator,
    *,
    num_samples: int,
    num: int = 400,
) -> References:
    """Chance, ceiling and floor for the numbers of `evaluate_samples`.

    The classifier learnt on the training glyphs, so it describes them with a little
    more certainty than held-out ones: the floor is not quite 0 for that reason too.

    Args:
        real: (M, 1, S, S) x0 of held-out glyphs.
        real_radicals: (M,) their radicals, 1 to 214.
        train: (K, 1, S, S) x0 of training glyphs.
        train_radicals: (K,) their radicals, 1 to 214.
        classifier: reads the radicals and gives the features.
        generator: source of randomness.
        num_samples: size of the sets of samples; as many training glyphs are drawn.
        num: draws for each interval.

    Raises:
        ValueError: If shapes do not fit, a radical is out of range, or num_samples is
            not from 4 to K.
    """
    check_radicals(real_radicals, real)
    check_radicals(train_radicals, train)
    if not NEIGHBOURS < num_samples <= len(train):
        raise ValueError(f"num_samples {num_samples} must be from 4 to {len(train)}")
    draw = partial(bootstrap_interval, torch.mean, generator=generator, num=num)
    reading = classifier.read(real)
    counts = torch.bincount(train_radicals, minlength=NUM_RADICALS + 1).double()
    rows = torch.randperm(len(train), generator=generator)[:num_samples]
    features = classifier.read(train[rows]).features
    shares = counts / counts.sum()
    commonest = draw((real_radicals == counts.argmax()).double())
    by_chance = draw(shares[real_radicals])
    ceiling = draw((reading.radicals == real_radicals).double())
    return References(
        commonest=commonest,
        by_chance=by_chance,
        ceiling=ceiling,
        floor=measure_likeness(features, reading.features, generator, num=num),
    )


class WordsAlone(NamedTuple):
    """How far captions alone tell the radical, on held-out captions.

    Attributes:
        top1: share of captions whose likeliest radical is the true one.
        drawn: hit rate of radicals drawn from the predicted probabilities: the mean
            probability of the true one, which is what endless draws come to.
    """

    top1: Estimate
    drawn: Estimate


def words_alone(
    train_embeddings: Tensor,
    train_radicals: Tensor,
    test_embeddings: Tensor,
    test_radicals: Tensor,
    generator: torch.Generator,
    *,
    penalty: float = 100.0,
    num: int = 1000,
) -> WordsAlone:
    """Go from captions straight to radicals, by multinomial logistic regression.

    What the words alone can tell, at the least: a hit rate of pictures is to be seen
    against it. Embeddings are first scaled to mean 0 and variance 1 in training.

    Args:
        train_embeddings: (N, D) floats, one a training caption.
        train_radicals: (N,) int64, 1 to 214.
        test_embeddings: (M, D) floats, one a held-out caption.
        test_radicals: (M,) int64, 1 to 214.
        generator: source of randomness for the intervals.
        penalty: strength of the pull towards even odds, above 0. Of 3 to 300, 100 gave
            the likeliest radicals to captions that were set aside from training.
        num: draws for each interval.

    Raises:
        ValueError: If shapes do not fit, a radical is out of range, a number is not
            finite, or penalty is not above 0.

    References:
        Bishop 2006, section 4.3.4.
    """
    from sklearn.linear_model import LogisticRegression  # slow to load: only here

    check_radicals(train_radicals, train_embeddings)
    check_radicals(test_radicals, test_embeddings)
    check_rows(train_embeddings, test_embeddings, least=1)
    if not penalty > 0:
        raise ValueError(f"penalty {penalty} must be above 0")
    mean, std = train_embeddings.mean(0), train_embeddings.std(0, correction=0)
    train, test = (
        ((x - mean) / std.clamp(min=1e-6)).numpy()
        for x in (train_embeddings, test_embeddings)
    )
    fitted = LogisticRegression(C=1 / penalty, max_iter=200)
    found = torch.from_numpy(fitted.fit(train, train_radicals).predict_proba(test))
    chances = torch.zeros(len(found), NUM_RADICALS + 1, dtype=torch.float64)
    chances[:, torch.from_numpy(fitted.classes_)] = found.double()
    is_hit = (chances.argmax(1) == test_radicals).double()
    given = chances.gather(1, test_radicals[:, None]).squeeze(1)
    draw = partial(bootstrap_interval, torch.mean, generator=generator, num=num)
    top1 = draw(is_hit)
    return WordsAlone(top1=top1, drawn=draw(given))
