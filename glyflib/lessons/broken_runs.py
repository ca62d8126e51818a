"""Tiny runs that can be broken on purpose, and drawings whose fault is to be found.

Invariant: runs of one seed see the same rows, levels and noise, so two of them differ
by what was broken, and by nothing else.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import torch
from torch import Tensor

from glyflib.checkpoint import EMA
from glyflib.data import load_glyphs
from glyflib.exact import IdealDenoiser
from glyflib.lessons.small_network import PointNetwork
from glyflib.sampling import last_of, level_grid, sample
from glyflib.schedule import (
    add_noise,
    cosine_alpha_bar,
    eps_from_x0,
    linear_alpha_bar,
    posterior,
    v_from_x0_eps,
    x0_from_eps,
    x0_from_v,
)

NUM_LABELS = 2
#: Name of a mystery -> the word for its cause, as the exercise asks for it.
MYSTERIES = {"a": "schedule", "b": "range", "c": "last step"}
CAUSES = ("none", "schedule", "range", "prediction", "last step")


@dataclass(frozen=True)
class PracticeRun:
    """What a tiny run left.

    Attributes:
        losses: of its steps.
        network: with the weights of the last step; it learns no more.
        average: the network with their average.
        alpha_bar: (T + 1,) schedule that it was trained on.
    """

    losses: list[float]
    network: PointNetwork
    average: PointNetwork
    alpha_bar: Tensor

    def draw(
        self, label: int, num: int = 400, *, averaged: bool = True, seed: int = 0
    ) -> Tensor:
        """Points (num, 2) for one label, in forty steps, always from the same noise.

        Args:
            label: what the network is told.
            num: how many points.
            averaged: whether to draw with the average of the weights.
            seed: of the noise.
        """
        network = self.average if averaged else self.network
        told = torch.full((num,), label)

        def predict_eps(xt: Tensor, t: Tensor) -> Tensor:
            return network(xt, t, told)

        noise = torch.randn(num, 2, generator=torch.Generator().manual_seed(seed))
        return last_of(sample(predict_eps, noise, self.alpha_bar, num_steps=40)).xt

    @torch.no_grad()
    def loss(self, points: Tensor, labels: Tensor, *, seed: int = 1) -> float:
        """Squared error of the noise on points (N, 2) that are told labels (N,).

        Args:
            points: clean ones, that the run has not seen.
            labels: what the network is told of each.
            seed: of levels and noise; the same for every call.
        """
        gen = torch.Generator().manual_seed(seed)
        t = torch.randint(1, len(self.alpha_bar), (len(points),), generator=gen)
        eps = torch.randn(points.shape, generator=gen)
        xt = add_noise(points, eps, t, self.alpha_bar)
        return (self.average(xt, t, labels) - eps).square().mean().item()


def practice_run(
    points: Tensor,
    labels: Tensor,
    alpha_bar: Tensor,
    *,
    learning_rate: float = 0.005,
    num_steps: int = 500,
    batch_size: int = 128,
    ema_decay: float = 0.98,
    ema_warmup: bool = True,
    seed: int = 0,
) -> PracticeRun:
    """Train a small network to guess the noise in points of two kinds.

    The learning rate stays what it is, so that one can see what it does.

    Args:
        points: (N, 2) clean data.
        labels: (N,) 0 or 1, what is told of each point.
        alpha_bar: (T + 1,) schedule.
        learning_rate: of Adam.
        num_steps: turns of the weights.
        batch_size: points in each.
        ema_decay: of the average of the weights.
        ema_warmup: whether that decay is warmed up; see `EMA`.
        seed: of the first weights, and of all that is drawn.

    Raises:
        ValueError: If points and labels differ in number, or a label is neither 0
            nor 1.

    References:
        Ho et al. 2020, Algorithm 1.
    """
    if len(points) != len(labels):
        raise ValueError(f"{len(points)} points and {len(labels)} labels")
    if not ((labels == 0) | (labels == 1)).all():
        raise ValueError("labels must be 0 or 1")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = PointNetwork(alpha_bar, num_labels=NUM_LABELS)
    gen = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate)
    ema = EMA(network, ema_decay, is_warmed_up=ema_warmup)
    losses = []
    for _ in range(num_steps):
        rows = torch.randint(len(points), (batch_size,), generator=gen)
        t = torch.randint(1, len(alpha_bar), (batch_size,), generator=gen)
        eps = torch.randn(batch_size, 2, generator=gen)
        xt = add_noise(points[rows], eps, t, alpha_bar)
        loss = (network(xt, t, labels[rows]) - eps).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        ema.update(network)
        losses.append(loss.item())
    return PracticeRun(losses, network.requires_grad_(False), ema.model, alpha_bar)


def break_and_draw(
    images: Tensor,
    cause: str,
    alpha_bar: Tensor,
    *,
    num: int = 6,
    num_steps: int = 20,
    seed: int = 0,
) -> Tensor:
    """Draw with a perfect denoiser, which cannot be at fault, and with one mistake.

    Args:
        images: (N, 1, H, W) uint8 glyphs, which the denoiser knows by heart.
        cause: "none"; "schedule" for a linear one in place of alpha_bar; "range" for a
            denoiser of pictures from 0 to 1; "prediction" for v taken for eps; "last
            step" for noise that is added in it.
        alpha_bar: (T + 1,) schedule of the denoiser.
        num: of pictures.
        num_steps: of DDPM, down from T.
        seed: of all noise.

    Returns:
        (num, 1, H, W) float32, to be shown from -1, black, to 1, white.

    Raises:
        ValueError: If there is no such cause.
    """
    if cause not in CAUSES:
        raise ValueError(f"cause {cause!r} must be one of {', '.join(CAUSES)}")
    shades = images.float() / 255
    x0 = shades if cause == "range" else 2 * shades - 1
    ideal, T = IdealDenoiser(x0, alpha_bar), len(alpha_bar) - 1
    drawn_on = linear_alpha_bar(T) if cause == "schedule" else alpha_bar
    gen = torch.Generator().manual_seed(seed)
    xt = torch.randn(num, *images.shape[1:], generator=gen)
    for t, s in pairwise(level_grid(T, num_steps)):
        levels = torch.full((num,), t)
        v = v_from_x0_x_t(ideal.denoise(xt, levels), xt, levels, alpha_bar)
        if cause == "prediction":
            x0_hat = x0_from_eps(xt, v, levels, drawn_on)
        else:
            x0_hat = x0_from_v(xt, v, levels, drawn_on)
        mean, var = posterior(x0_hat.clamp(-1, 1), xt, t, s, drawn_on)
        if cause == "last step" and s == 0:
            var = 1 - drawn_on[t] / drawn_on[s]
        z = torch.randn(xt.shape, generator=gen)
        xt = (mean + var**0.5 * z).float()
    return xt


def v_from_x0_x_t(x0: Tensor, xt: Tensor, t: Tensor, alpha_bar: Tensor) -> Tensor:
    """The v that belongs to a believed picture (B, ...) at levels (B,)."""
    return v_from_x0_eps(x0, eps_from_x0(xt, x0, t, alpha_bar), t, alpha_bar)


@cache
def mystery(name: str) -> Tensor:
    """Six pictures (6, 1, 32, 32) that were drawn with one mistake.

    Args:
        name: "a", "b" or "c"; "right" for what the mistakes are held against.

    Raises:
        ValueError: If there is no such mystery.
    """
    causes = MYSTERIES | {"right": "none"}
    if name not in causes:
        raise ValueError(f"mystery {name!r} must be one of {', '.join(causes)}")
    images = load_glyphs("train", 32).images
    some = images[torch.arange(0, len(images), 40)]
    alpha_bar = cosine_alpha_bar(1000)
    return break_and_draw(some, causes[name], alpha_bar).clamp(-1, 1)
