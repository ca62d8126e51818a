"""Questions of chapter 6: steps downhill, costs of guesses, and the way back."""

import torch

from glyflib.data import load_glyphs, x0_from_images
from glyflib.exact import IdealDenoiser
from glyflib.lessons.question import Mistake, Question
from glyflib.schedule import linear_alpha_bar, posterior, x0_from_eps, x0_from_v

SEEN = 0.1  # the noisy pixel of the chapter, at level 300


def bend() -> float:
    """How fast the slope of the loss (knob - 2)^2 grows with the knob."""
    knob = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    loss = (knob - 2).square().sum()
    (slope,) = torch.autograd.grad(loss, knob, create_graph=True)
    (growth,) = torch.autograd.grad(slope, knob)
    return growth.item()


def rates() -> tuple[float, float]:
    """The learning rate that arrives at once, and the first that never does.

    A step multiplies the distance to the bottom by 1 - rate * bend.
    """
    return 1 / bend(), 2 / bend()


def cheapest(power: int, probability: float = 0.6) -> float:
    """The guess that costs least, if paper (+1) has a probability and the rest is ink.

    An error of size d costs d to the power.
    """
    guesses = torch.linspace(-1.5, 1.5, 3001, dtype=torch.float64)
    if_ink = (1 - probability) * (guesses + 1).abs() ** power
    if_paper = probability * (guesses - 1).abs() ** power
    return guesses[(if_ink + if_paper).argmin()].item()


def example() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Noisy vector, its v, and alpha_bar at its level and at a cleaner one."""
    xt, v = torch.randn(
        2, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    ab_t, ab_s = torch.tensor([0.3, 0.5], dtype=torch.float64)
    return xt, v, ab_t, ab_s


def stepped(convert, xt, v, ab_t, ab_s):
    """The mean of the step back to believed data that a conversion makes of v."""
    alpha_bar = torch.stack([torch.ones_like(ab_t), ab_s, ab_t])
    x0_hat = convert(xt, v, torch.tensor(2), alpha_bar)
    return posterior(x0_hat, xt, 2, 1, alpha_bar)[0]


def mean_of_v(xt, v, ab_t, ab_s):
    """The mean of the step back, by the package."""
    return stepped(x0_from_v, xt, v, ab_t, ab_s)


def believed_of_v(xt, v, ab_t, ab_s):
    """The believed data, by the package."""
    alpha_bar = torch.stack([torch.ones_like(ab_t), ab_t])
    return x0_from_v(xt, v, torch.tensor(1), alpha_bar)


def mean_as_if_noise(xt, v, ab_t, ab_s):
    """The mean of the step back by someone who took v for the noise."""
    return stepped(x0_from_eps, xt, v, ab_t, ab_s)


def step_variance(s: int, t: int = 300) -> float:
    """Variance of the way back to level s, if the data are told."""
    point = torch.zeros(1, dtype=torch.float64)
    return posterior(point, point, t, s, linear_alpha_bar())[1].item()


def step_slope(s: int = 9, t: int = 10) -> float:
    """How much of the noisy value the mean of the way back to level s takes."""
    one, none = torch.ones(1, 1).double(), torch.zeros(1, 1).double()
    return posterior(none, one, t, s, linear_alpha_bar())[0].item()


def step_beta(t: int = 10) -> float:
    """Variance of the noise that a step forward adds."""
    alpha_bar = linear_alpha_bar()
    return (1 - alpha_bar[t] / alpha_bar[t - 1]).item()


def two_clouds() -> tuple[torch.Tensor, torch.Tensor]:
    """Fresh points (7, 2), and drawn ones (5, 2) that miss a part of the plane."""
    gen = torch.Generator().manual_seed(1)
    fresh = torch.randn(7, 2, generator=gen)
    return fresh, torch.randn(5, 2, generator=gen).abs()


def gap_to(fresh: torch.Tensor, drawn: torch.Tensor) -> torch.Tensor:
    """Mean distance from each fresh point (N, 2) to the nearest drawn one (M, 2)."""
    return torch.cdist(fresh, drawn).min(dim=1).values.mean()


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
    "reverse-downhill": Question(
        right=rates,
        because=lambda right: (
            f"a step multiplies the distance to the bottom by 1 - {bend():g} * rate. "
            f"That is 0 at {right[0]:g}, and -1 at {right[1]:g}: from there on the "
            "knob leaps from side to side and does not come closer."
        ),
        tolerance=0.001,
        mistakes=(
            Mistake(lambda: rates()[::-1], "Those are the two, in the other order."),
            Mistake(
                lambda: (1.0, rates()[1]),
                "With 1, the knob lands on the other side, as far away as before.",
            ),
        ),
        hint="New knob = old knob - rate * slope. Take 2 from both sides: by what is "
        "the distance to the bottom multiplied?",
    ),
    "reverse-cost": Question(
        right=lambda: cheapest(1),
        because=lambda right: (
            f"between the two, each bit of the way to {right:g} makes the error "
            "smaller with probability 0.6, and larger by as much with 0.4. Such a "
            "network would bet, and hide its doubt."
        ),
        tolerance=0.001,
        mistakes=(
            Mistake(lambda: cheapest(2), "That is the mean: best if squares are paid."),
            Mistake(lambda: 0.0, "Move it a little towards paper. What do you gain?"),
        ),
        hint="What do -1, 0.2 and 1 cost? The distance to each of the two values, "
        "times its probability.",
    ),
    "reverse-convert": Question(
        right=lambda: mean_of_v,
        because="$v$ says what to believe, and the posterior goes a part of the way.",
        tolerance=1e-5,
        mistakes=(
            Mistake(
                lambda: believed_of_v,
                "Those are the believed data. Now the mean of the step to level s.",
            ),
            Mistake(
                lambda: mean_as_if_noise,
                "You have taken $v$ for the noise. See the last row of the table.",
            ),
        ),
        hint="First the believed data, by the last row of the table; then the mean of "
        "the posterior, with r = ab_t / ab_s.",
        given=example,
    ),
    "reverse-line": Question(
        right=lambda: (step_slope(), step_variance(9, 10)),
        because=lambda right: (
            f"the slope is {right[0]:.6f}. The variance is {right[1]:.6f}, which is "
            f"beta tilde, and less than beta, {step_beta():.6f}: the walk began at "
            "ink, and that tells something, too."
        ),
        tolerance=2e-6,
        mistakes=(
            Mistake(
                lambda: (step_slope(), step_beta()),
                "The slope is right. The other one is the variance of the step "
                "*forward*. Where the walk began tells something, too.",
            ),
            Mistake(
                lambda: (step_variance(9, 10), step_slope()),
                "Those are the two, in the other order.",
            ),
        ),
        hint="Put s = 9 and t = 10 into the posterior: the slope is what stands "
        "before $x_t$. Give both with at least six decimals.",
    ),
    "reverse-own": Question(
        right=lambda: gap_to,
        because="a stroke that nobody draws is far from every drawn point, and "
        "its fresh points say so.",
        tolerance=1e-5,
        mistakes=(
            Mistake(
                lambda: lambda fresh, drawn: gap_to(drawn, fresh),
                "You ask for each *drawn* point whether data are near. A stroke that "
                "is missing altogether would not be noticed.",
            ),
            Mistake(
                lambda: lambda fresh, drawn: torch.cdist(fresh, drawn).mean(),
                "That is the mean over all pairs. Take the nearest one for each fresh "
                "point, and then the mean.",
            ),
        ),
        hint="`torch.cdist(fresh, drawn)`, the least in each row, and the mean of "
        "those.",
        given=two_clouds,
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
