"""A small network that jumps in the plane, and what teaching a student has cost.

Invariant: nothing is random but by the generator that is handed in.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from glyflib.distillation import NEW
from glyflib.schedule import predict_x0_from

NUM_RULERS = 6  # waves, from coarse to fine, by which it tells near places apart
NUM_CLOCKS = 4  # the same for levels
LEARNING = 3  # calls that one turn of the knobs is worth: forth, and twice that back


class JumpNetwork(nn.Module):
    """Says the data towards which one jump leads, from a point, its level and the next.

    Like the glyffuser it answers in v, which is then turned into data.

    Args:
        alpha_bar: (T + 1,) schedule; its last level may be 0.
        width: numbers in each of its three hidden layers.
        generator: CPU source of its first weights.

    References:
        Frans et al. 2025, section 3: a network that is told how far it jumps.
    """

    def __init__(
        self, alpha_bar: Tensor, width: int = 128, *, generator: torch.Generator
    ):
        super().__init__()
        self.alpha_bar = alpha_bar
        sizes = [2 + 4 * NUM_RULERS + 4 * NUM_CLOCKS, width, width, width]
        first_weights = int(torch.randint(2**31, (1,), generator=generator))
        with torch.random.fork_rng():
            torch.manual_seed(first_weights)
            layers: list[nn.Module] = []
            for i in range(3):
                layers += [nn.Linear(sizes[i], sizes[i + 1]), nn.SiLU()]
            self.layers = nn.Sequential(*layers, nn.Linear(width, 2))

    def forward(self, xt: Tensor, t: Tensor, s: Tensor) -> Tensor:
        """Points (B, 2), levels t (B,) and the levels s (B,) to go to -> data (B, 2).

        The answer has the dtype of the points.
        """
        x = xt.float()
        clock = math.pi / (len(self.alpha_bar) - 1) * torch.stack([t, s], dim=1)
        inputs = [x]
        for many, values in ((NUM_RULERS, x), (NUM_CLOCKS, clock)):
            for k in range(1, many + 1):
                inputs += [torch.sin(k * values), torch.cos(k * values)]
        v_hat = self.layers(torch.cat(inputs, dim=1))
        return predict_x0_from(v_hat.to(xt), xt, t, self.alpha_bar, "v")


def share_from_first_teacher(place: int) -> float:
    """Share of a phase's jumps that learn from the glyffuser itself.

    In the phase of the largest count all do. Later half of the jumps are of the newest
    count, the others are shared out evenly among the earlier ones, of which one, the
    largest, keeps the first teacher.

    Args:
        place: of the phase, from 0.
    """
    return (1 - NEW) / place if place else 1.0


def calls_of_teaching(training: Mapping) -> float:
    """Calls of the network that teaching a student has cost.

    A jump of the guided glyffuser takes two calls, one of a student one, and a teacher
    jumps twice. Learning from it is worth three calls: one forth, and a way back that
    costs about as much as two.

    Args:
        training: of a `Student`: its "phases", steps by count in the order in which
            they were taught, and "batch_size".
    """
    total = 0.0
    for place, steps in enumerate(training["phases"].values()):
        guided = share_from_first_teacher(place)
        jumps = 2 * (2 * guided + (1 - guided))
        total += steps * training["batch_size"] * (jumps + LEARNING)
    return total
