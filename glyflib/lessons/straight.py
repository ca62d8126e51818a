"""A small network that says the velocity of a point in the plane, for flow matching.

Invariant: nothing is random but by the generator that is handed in.
"""

import torch
from torch import Tensor, nn

RULERS = (1.0, 2.0, 4.0, 8.0)  # waves, by which it tells near places and times apart


class VelocityNetwork(nn.Module):
    """Says the velocity of points from where they are and what time it is.

    Args:
        width: numbers in each of its three hidden layers.
        generator: CPU source of its first weights.
    """

    def __init__(self, width: int = 128, *, generator: torch.Generator):
        super().__init__()
        first_weights = int(torch.randint(2**31, (1,), generator=generator))
        sizes = [3 + 6 * len(RULERS), width, width, width]
        with torch.random.fork_rng():
            torch.manual_seed(first_weights)
            layers = []
            for i in range(3):
                layers += [nn.Linear(sizes[i], sizes[i + 1]), nn.SiLU()]
            self.layers = nn.Sequential(*layers, nn.Linear(width, 2))

    def forward(self, x: Tensor, tau: Tensor) -> Tensor:
        """Points (B, 2) and flow times (B,) in [0, 1] -> velocities (B, 2)."""
        inputs = torch.cat([x, tau[:, None]], dim=1)
        waves = [ruler * inputs for ruler in RULERS]
        sines = [wave.sin() for wave in waves]
        cosines = [wave.cos() for wave in waves]
        return self.layers(torch.cat([inputs, *sines, *cosines], dim=1))
