"""The first network of the book: it guesses the noise in a point of the plane.

Chapter 6 writes it out and trains it, chapter 7 holds it against the exact answer.
Invariant: nothing is random but by the generator that is handed in.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from glyflib import schedule
from glyflib.exact import GaussianMixture

NUM_RULERS = 6  # waves, from coarse to fine, by which it tells near places apart
STRETCH = 2.5  # a glyph reaches so far from the middle, as far as noise does
BELL_STD = 0.03 * STRETCH  # of the small bell around a dark pixel


def ink_density(image: Tensor, alpha_bar: Tensor, *, size: int = 32) -> GaussianMixture:
    """A glyph's ink as a density in the plane: a small bell for each dark pixel.

    Args:
        image: (1, H, W) uint8, 255 is paper; H and W at least `size`.
        alpha_bar: (T + 1,) schedule, for the density of its noised points.
        size: the glyph is shrunk to so many pixels a side first.

    Returns:
        density over points (N, 2), across and up, within about -2.5 to 2.5.
    """
    dark = 1 - adaptive_avg_pool2d(image.float(), size)[0] / 255
    down, right = (dark > 0.1).nonzero(as_tuple=True)
    across = (right + 0.5) * 2 / size - 1
    up = 1 - (down + 0.5) * 2 / size
    centres = STRETCH * torch.stack([across, up], dim=1)
    stds = torch.full((len(centres),), BELL_STD)
    return GaussianMixture.isotropic(dark[down, right], centres, stds, alpha_bar)


class PointNetwork(nn.Module):
    """Guesses the noise in points from where they are and from their level.

    Args:
        alpha_bar: (T + 1,) schedule; the network is told the strength of the noise.
        width: numbers in each of its two hidden layers.
        num_labels: K kinds of points that it can be told apart; 0 for none.
    """

    def __init__(self, alpha_bar: Tensor, width: int = 128, num_labels: int = 0):
        super().__init__()
        self.num_labels = num_labels
        self.noise_factor = (1 - alpha_bar).sqrt().float()
        self.layers = nn.Sequential(
            nn.Linear(3 + 4 * NUM_RULERS + num_labels, width),
            nn.SiLU(),
            nn.Linear(width, width),
            nn.SiLU(),
            nn.Linear(width, 2),
        )

    def forward(self, xt: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        """Noisy points (B, 2), levels (B,) and labels (B,) -> guessed noise (B, 2).

        Labels are whole numbers below K; without them, none is told.
        """
        inputs = [xt, self.noise_factor[t].reshape(-1, 1)]
        for k in range(1, NUM_RULERS + 1):
            inputs.append(torch.sin(k * xt))
            inputs.append(torch.cos(k * xt))
        if self.num_labels:
            told = xt.new_zeros(len(xt), self.num_labels)
            if label is not None:
                told[torch.arange(len(xt)), label] = 1
            inputs.append(told)
        return self.layers(torch.cat(inputs, dim=1))


def train_on_points(
    points: Tensor,
    alpha_bar: Tensor,
    *,
    num_steps: int = 2000,
    generator: torch.Generator,
) -> PointNetwork:
    """Train a network to guess the noise in noised points.

    Args:
        points: (N, 2) clean data.
        alpha_bar: (T + 1,) schedule.
        num_steps: turns of the knobs, each after 256 guesses.
        generator: CPU source of the first weights, the points, levels and noise.

    Returns:
        the network, which learns no more.

    References:
        Ho et al. 2020, Algorithm 1.
    """
    first_weights = int(torch.randint(2**31, (1,), generator=generator))
    with torch.random.fork_rng():
        torch.manual_seed(first_weights)
        network = PointNetwork(alpha_bar)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    calmer = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, num_steps)
    for _ in range(num_steps):
        x0 = points[torch.randint(len(points), (256,), generator=generator)]
        t = torch.randint(1, len(alpha_bar), (256,), generator=generator)
        eps = torch.randn(x0.shape, generator=generator)
        xt = schedule.add_noise(x0, eps, t, alpha_bar)
        loss = (network(xt, t) - eps).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        calmer.step()
    return network.requires_grad_(False)
