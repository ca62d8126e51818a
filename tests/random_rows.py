"""Random rows for tests of metrics, and a share of them that metrics do not name."""

import torch

from glyflib.evaluation.metrics import is_within_reach

DOUBLE = torch.float64


def gen(seed=0):
    """A source of random numbers."""
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    """Normal numbers, double."""
    return torch.randn(shape, generator=gen(seed), dtype=DOUBLE)


def realism_rate(real, fake, k=3):
    """Share of fakes with a realism score of at least 1."""
    return is_within_reach(fake, real, k, is_pruned=True).double().mean().item()
