"""Questions of chapter 6: bells that multiply, steps downhill, and the way back."""

import torch

from glyflib.data import load_glyphs, x0_from_images
from glyflib.exact import IdealDenoiser
from glyflib.lessons.question import Mistake, Question
from glyflib.lessons.small_network import PointNetwork
from glyflib.schedule import eps_from_v, linear_alpha_bar, posterior, x0_from_v

SEEN = 0.1  # the noisy pixel of the chapter, at level 300


def both(m: float, V: float, y: float, W: float) -> float:
    """Mean of a belief N(m, V) and a measurement y of variance W together."""
    return (m / V + y / W) / (1 / V + 1 / W)


def downhill(num_steps: int = 2, rate: float = 0.1) -> float:
    """Where a knob stands after steps down the loss (knob - 2)^2, from 0."""
    knob = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    for _ in range(num_steps):
        (slope,) = torch.autograd.grad((knob - 2).square().sum(), knob)
        knob = knob - rate * slope
    return knob.item()


def count_knobs(*, are_heights_counted: bool = True) -> int:
    """Numbers that training changes in the network of points."""
    network = PointNetwork(linear_alpha_bar())
    return sum(
        knobs.numel()
        for name, knobs in network.named_parameters()
        if are_heights_counted or name.endswith("weight")
    )


def example() -> tuple[torch.Tensor, torch.Tensor, float]:
    """A noisy vector, its v and alpha_bar, on which a conversion is tried."""
    xt, v = torch.randn(
        2, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    return xt, v, 0.3


def at_level(convert, xt, v, ab):
    """A conversion of the package at a schedule that has only one noisy level."""
    alpha_bar = torch.tensor([1.0, ab], dtype=torch.float64)
    return convert(xt, v, torch.tensor(1), alpha_bar)


def eps_of(xt, v, ab):
    """The noise of xt and v, by the package."""
    return at_level(eps_from_v, xt, v, ab)


def x0_of(xt, v, ab):
    """The data of xt and v, by the package."""
    return at_level(x0_from_v, xt, v, ab)


def without_roots(xt, v, ab):
    """The noise with shares of the variance in the place of factors."""
    return (1 - ab) * xt + ab * v


def step_variance(s: int, t: int = 300) -> float:
    """Variance of the way back to level s, if the data are told."""
    point = torch.zeros(1, dtype=torch.float64)
    return posterior(point, point, t, s, linear_alpha_bar())[1].item()


def step_beta(t: int = 300) -> float:
    """Variance of the noise that a step forward adds."""
    alpha_bar = linear_alpha_bar()
    return (1 - alpha_bar[t] / alpha_bar[t - 1]).item()


def parts_of_exact_variance(s: int = 200, t: int = 300) -> tuple[float, float, float]:
    """Variance if told, factor of the data in the mean, and variance of the data.

    The data are the centre pixel of the training glyphs, seen at SEEN at level t.
    """
    alpha_bar = linear_alpha_bar()
    centre = x0_from_images(load_glyphs("train", 128).images[:, 0, 64, 64])
    centre = centre.double().reshape(-1, 1)
    seen = torch.tensor([[SEEN]], dtype=torch.float64)
    weights = IdealDenoiser(centre, alpha_bar).weights(seen, torch.tensor(t))[0]
    mean = weights @ centre[:, 0]
    doubt = weights @ (centre[:, 0] - mean) ** 2
    one, none = torch.ones(1, 1).double(), torch.zeros(1, 1).double()
    told, variance = posterior(one, none, t, s, alpha_bar)
    return variance.item(), told.item(), doubt.item()


def exact_variance() -> float:
    """Variance of the way back from level 300 to 200, if nobody tells the data."""
    variance, factor, doubt = parts_of_exact_variance()
    return variance + factor**2 * doubt


def unscaled_variance() -> float:
    """The same with the data's whole variance on top."""
    variance, _, doubt = parts_of_exact_variance()
    return variance + doubt


QUESTIONS = {
    "reverse-bells": Question(
        right=lambda: both(10, 4, 13, 2),
        because=lambda right: (
            "the measurement is twice as precise as the belief, so it counts twice as "
            f"much: {right:g} lies two thirds of the way from 10 to 13."
        ),
        tolerance=0.01,
        mistakes=(
            Mistake(lambda: 11.5, "That is the middle. But one bell is narrower."),
            Mistake(
                lambda: both(10, 2, 13, 4),
                "You gave the wide bell more weight. Weigh with one over the variance.",
            ),
        ),
        hint="Divide each number by its variance, add, and divide by the sum of "
        "the precisions.",
    ),
    "reverse-downhill": Question(
        right=downhill,
        because=lambda right: (
            "the first step leads to 0.4, the second, which is shorter, "
            f"to {right:.2f}."
        ),
        tolerance=0.001,
        mistakes=(
            Mistake(lambda: downhill(1), "That is one step. Take another."),
            Mistake(
                lambda: 2 * downhill(1),
                "The second step is shorter: the slope has changed.",
            ),
            Mistake(
                lambda: downhill(rate=-0.1),
                "That is uphill. Go against the slope.",
            ),
        ),
        hint="New knob = old knob - 0.1 * slope, with the slope at the old knob.",
    ),
    "reverse-knobs": Question(
        right=count_knobs,
        because=lambda right: f"PyTorch counts {right:,} of them, too.",
        mistakes=(
            Mistake(
                lambda: count_knobs(are_heights_counted=False),
                "Those are the weights of the numbers. Each sum has a height as well.",
            ),
        ),
        hint="Count layer by layer: numbers in times numbers out, plus numbers out.",
    ),
    "reverse-convert": Question(
        right=lambda: eps_of,
        because="sine times $x_t$ plus cosine times $v$ turns the pair back.",
        tolerance=1e-5,
        mistakes=(
            Mistake(lambda: x0_of, "That is the data. The noise is asked for."),
            Mistake(
                lambda: without_roots,
                "Cosine and sine are *roots* of the shares of the variance.",
            ),
        ),
        hint="Look for the row that starts with $v$ and the column of the noise.",
        given=example,
    ),
    "reverse-line": Question(
        right=lambda: step_variance(299),
        because=lambda right: (
            f"it is {right:.5f}, a little less than beta, {step_beta():.5f}: the walk "
            "began at ink, and that tells something, too."
        ),
        tolerance=2e-6,
        mistakes=(
            Mistake(
                step_beta,
                "That is the variance of the step *forward*. Where the walk began "
                "tells something, too.",
            ),
        ),
        hint="Put s = 299 and t = 300 into the variance of the posterior; give at "
        "least six decimals.",
    ),
    "reverse-variance": Question(
        right=exact_variance,
        because=lambda right: (
            f"{step_variance(200):.3f} if the data were told, and the rest of the "
            f"{right:.3f} because they are not."
        ),
        tolerance=0.001,
        mistakes=(
            Mistake(
                lambda: step_variance(200),
                "That is the variance of one bell. The bells have different means.",
            ),
            Mistake(
                unscaled_variance,
                "The means differ less than the data: by a factor that stands in "
                "front of the data in the posterior's mean.",
            ),
        ),
        hint="Mean of the variances, plus variance of the means.",
    ),
}
