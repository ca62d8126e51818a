"""Questions of chapter 1: bells, fits, and noise that becomes something else."""

import math

import torch
from scipy import stats
from torch import Tensor
from torch.distributions import Normal

from glyflib.lessons.question import Mistake, Question

FOUR = (1.0, 3.0, 3.0, 5.0)


def top(std: float = 0.04) -> float:
    """Height of a Gaussian's density at its mean."""
    return stats.norm.pdf(0, scale=std).item()


def wrapped(u1: float = math.exp(-2), u2: float = 0.25) -> Tensor:
    """Where Box and Muller's formula takes a point of the square, (2,)."""
    radius = math.sqrt(-2 * math.log(u1))
    angle = 2 * math.pi * u2
    return radius * torch.tensor([math.cos(angle), math.sin(angle)])


def mixing(covariance: float = 0.8) -> Tensor:
    """L11, L21 and L22 for two numbers of variance 1 with a covariance, (3,)."""
    sigma = torch.tensor([[1, covariance], [covariance, 1]], dtype=torch.float64)
    root = torch.linalg.cholesky(sigma)
    return torch.stack([root[0, 0], root[1, 0], root[1, 1]])


def num_for(spread: float, std: float = 1.0) -> float:
    """How many numbers to draw, so that their average has this spread."""
    return (std / spread) ** 2


def parts_of(x: Tensor, weight: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """The part that each of K humps has in each of N numbers: (N, K), rows add to 1."""
    density = weight * Normal(mean, std).log_prob(x[:, None]).exp()
    return density / density.sum(dim=1, keepdim=True)


def em_round(x: Tensor, weight: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """A round of EM: new weights, means and standard deviations of K humps, (3, K)."""
    part = parts_of(x, weight, mean, std)
    new_weight = part.mean(dim=0)
    new_mean = (part * x[:, None]).mean(dim=0) / new_weight
    variance = (part * (x[:, None] - new_mean) ** 2).mean(dim=0) / new_weight
    return torch.stack([new_weight, new_mean, variance.sqrt()])


def em_without_root(x: Tensor, weight: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """A round that forgets the root of the variance."""
    weights, means, stds = em_round(x, weight, mean, std)
    return torch.stack([weights, means, stds**2])


def em_undivided(x: Tensor, weight: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """A round that averages over all numbers, not over each hump's part of them."""
    part = parts_of(x, weight, mean, std)
    means = (part * x[:, None]).mean(dim=0)
    variance = (part * (x[:, None] - means) ** 2).mean(dim=0)
    return torch.stack([part.mean(dim=0), means, variance.sqrt()])


def em_around_old_means(x: Tensor, weight: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """A round that measures the spread around the means before it."""
    new_weight, new_mean, _ = em_round(x, weight, mean, std)
    part = parts_of(x, weight, mean, std)
    variance = (part * (x[:, None] - mean) ** 2).mean(dim=0) / new_weight
    return torch.stack([new_weight, new_mean, variance.sqrt()])


def two_humps() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Numbers and a first guess of two humps, on which a round is tried."""
    x = torch.linspace(0.2, 1, 50, dtype=torch.float64) ** 2
    weight = torch.tensor([0.6, 0.4], dtype=torch.float64)
    mean = torch.tensor([0.3, 0.8], dtype=torch.float64)
    std = torch.tensor([0.1, 0.2], dtype=torch.float64)
    return x, weight, mean, std


def from_noise(z: Tensor, data: Tensor) -> Tensor:
    """Where noises stand in the line of the data (N,), in between in proportion."""
    return torch.quantile(data, torch.special.ndtr(z))


def from_noise_on_stairs(z: Tensor, data: Tensor) -> Tensor:
    """The map of the chapter, which only repeats what is there."""
    place = (torch.special.ndtr(z) * len(data)).long().clamp(max=len(data) - 1)
    return data.sort().values[place]


def from_noise_rounded_down(z: Tensor, data: Tensor) -> Tensor:
    """The number below the right place, with no way to the next one."""
    return torch.quantile(data, torch.special.ndtr(z), interpolation="lower")


def from_noise_unsorted(z: Tensor, data: Tensor) -> Tensor:
    """The same, but in a line that was never put in order."""
    place = torch.special.ndtr(z) * (len(data) - 1)
    below = place.long().clamp(max=len(data) - 2)
    return data[below] + (place - below) * (data[below + 1] - data[below])


def some_noise_and_data() -> tuple[Tensor, Tensor]:
    """Noises and numbers in no order, on which a map is tried."""
    data = torch.tensor([0.5, 0.1, 0.9, 0.3, 0.35, 0.2], dtype=torch.float64)
    return torch.linspace(-2, 2, 9, dtype=torch.float64), data


QUESTIONS = {
    "gaussian-top": Question(
        right=top,
        because=lambda right: (
            f"the height is about {right:.0f}, and no mistake: a density is a chance "
            "for each unit of length, and the bell is much narrower than one unit."
        ),
        tolerance=0.1,
        mistakes=(
            Mistake(
                lambda: 1.0,
                "The *area* below the curve is 1. Its height may be more.",
            ),
            Mistake(
                lambda: 1 / 0.04,
                "The root of 2 pi belongs into the denominator, too.",
            ),
            Mistake(
                lambda: top(0.04**2),
                "The denominator has sigma itself, not its square.",
            ),
        ),
        hint="At the mean the exponential is 1. What is left of the formula?",
    ),
    "gaussian-average": Question(
        right=lambda: [stats.norm.fit(FOUR)[0], stats.norm.fit(FOUR)[1]],
        because=lambda right: (
            f"the average is {right[0]:.0f}, the average squared distance from it is "
            f"{right[1] ** 2:.0f}, and the root of that is {right[1]:.2f}."
        ),
        tolerance=0.01,
        mistakes=(
            Mistake(
                lambda: [3.0, stats.norm.fit(FOUR)[1] ** 2],
                "That is the variance. The standard deviation is its root.",
            ),
            Mistake(
                lambda: [3.0, torch.tensor(FOUR).std().item()],
                "You have divided by 3. The likelihood is highest where one divides "
                "by the number of samples, 4.",
            ),
            Mistake(
                lambda: [3.0, 1.0],
                "Average the *squared* distances, then take the root.",
            ),
        ),
        hint="First the average of the four numbers, then of their squared distances.",
    ),
    "gaussian-wrap": Question(
        right=wrapped,
        because="at distance 2, a quarter turn away from the right: straight up.",
        tolerance=0.01,
        mistakes=(
            Mistake(
                lambda: wrapped(u2=0),
                "A quarter of a turn is missing: it leads from the right to the top.",
            ),
            Mistake(
                lambda: 2 * wrapped(),
                "The distance is a root: of -2 times the logarithm of the first one.",
            ),
            Mistake(
                lambda: wrapped(u2=0.75),
                "The turn goes from the right to the top, not to the bottom.",
            ),
        ),
        hint="The first number gives the distance, the second one the angle.",
    ),
    "gaussian-mixing": Question(
        right=mixing,
        because="0.8 squared and 0.6 squared add up to 1, the variance of the second.",
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: [1, 0.8, 0.2],
                "Their *squares* must add up to 1, the variance of the second number.",
            ),
            Mistake(
                lambda: [1, 0.8, 1],
                "The second number would be too wide: its variance is the sum of two.",
            ),
            Mistake(
                lambda: [1, 0.8, 0.36], "That is the square of the last one. Its root?"
            ),
        ),
        hint="Solve the three equations of the section from the top downward.",
    ),
    "gaussian-count": Question(
        right=lambda: num_for(0.1),
        because=lambda right: (
            f"the spread falls like one over the root of n, so {right:.0f} numbers: "
            "four times as many for half the error."
        ),
        tolerance=5,
        mistakes=(
            Mistake(
                lambda: 50,
                "That is twice as many. What does your simulation find there?",
            ),
            Mistake(
                lambda: 625,
                "That is the square of 25, and far too many. Try smaller numbers.",
            ),
        ),
        hint="Try a few values of n. By how much does the spread fall each time?",
    ),
    "gaussian-map": Question(
        right=lambda: from_noise,
        because="a place between two neighbours leads between them, in proportion.",
        tolerance=1e-6,
        mistakes=(
            Mistake(
                lambda: from_noise_on_stairs,
                "That is the map of the chapter: it repeats numbers of the data.",
            ),
            Mistake(
                lambda: from_noise_rounded_down,
                "The place is right. Go on from the number below it, by the rest.",
            ),
            Mistake(
                lambda: from_noise_unsorted,
                "The data may come in any order. Line them up first.",
            ),
        ),
        hint="Share of the noise, then place in the line, then between two neighbours. "
        "The line has places from 0 to N - 1.",
        given=some_noise_and_data,
    ),
    "gaussian-round": Question(
        right=lambda: em_round,
        because="each hump is fitted to its part of the data, by the two averages.",
        tolerance=1e-6,
        mistakes=(
            Mistake(
                lambda: em_without_root,
                "The last row holds variances. Standard deviations are their roots.",
            ),
            Mistake(
                lambda: em_undivided,
                "A hump's average runs over its part of the data only: divide by its "
                "new weight.",
            ),
            Mistake(
                lambda: em_around_old_means,
                "Measure the spread around the *new* means.",
            ),
        ),
        hint="Do the parts of each number add up to 1? Are the rows weights, means, "
        "standard deviations?",
        given=two_humps,
    ),
}
