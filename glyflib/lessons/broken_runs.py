"""Tiny runs that can be broken on purpose, and drawings whose fault is to be found.

Invariant: runs of one seed see the same rows, levels and noise, so two of them differ
by what was broken, and by nothing else.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from glyflib.checkpoint import EMA
from glyflib.lessons.small_network import PointNetwork
from glyflib.sampling import PredictEps, last_of, level_grid, sample
from glyflib.schedule import add_noise, eps_from_v, linear_alpha_bar, x0_from_eps

NUM_LABELS = 2


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
    learning_rate: float = 0.01,
    num_steps: int = 600,
    batch_size: int = 256,
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
