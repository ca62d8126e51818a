"""See what a network listens to: its text layers, heard, deafened or watched.

Invariant: a network is after a probe as it was before.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from glyflib.glyffuser import Glyffuser
from glyflib.text import TextCondition
from glyflib.unet import Attention, UNet, masked_mean


def text_layers(unet: UNet) -> list[Attention]:
    """The layers that read tokens, from first to last.

    Args:
        unet: any; none of its layers reads tokens if it has no cross-attention.
    """
    blocks = [*unet.down, *unet.middle, *unet.up]
    found = [getattr(block, "cross_attention", None) for block in blocks]
    return [layer for layer in found if layer is not None]


@contextmanager
def hearing(
    unet: UNet,
    *,
    attended: TextCondition | None = None,
    averaged: TextCondition | None = None,
) -> Iterator[None]:
    """For a while, let a network hear fixed texts, whatever it is told.

    Args:
        unet: network with both ways in.
        attended: one text (1, L, D) that cross-attention reads; None changes nothing.
        averaged: one text whose mean joins the level's embedding; None as above.
    """
    hooks = []
    if attended is not None:
        tokens, mask = unet.text_norm(attended.tokens), attended.mask

        def read(layer: Attention, given: tuple) -> tuple:
            rows = len(given[0])
            return given[0], tokens.expand(rows, -1, -1), mask.expand(rows, -1)

        hooks += [layer.register_forward_pre_hook(read) for layer in text_layers(unet)]
    if averaged is not None:
        mean = masked_mean(unet.text_norm(averaged.tokens), averaged.mask)
        hooks.append(
            unet.text_mlp.register_forward_pre_hook(
                lambda layer, given: (mean.expand_as(given[0]),)
            )
        )
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def looks(
    glyffuser: Glyffuser, xt: Tensor, t: Tensor, cond: TextCondition
) -> tuple[Tensor, list[Tensor]]:
    """What the network answers, and where each place looks while it does.

    Args:
        glyffuser: whose network is asked.
        xt: (B, 1, S, S) noisy pictures.
        t: (B,) levels.
        cond: B texts of L tokens.

    Returns:
        eps_hat (B, 1, S, S), and for each layer that reads tokens the mean weights
        of its heads (B, L, h, w); over L they add up to 1.
    """
    kept = []

    def keep(layer: Attention, given: tuple) -> None:
        x, tokens, mask = given
        h = layer.norm(x).flatten(2).transpose(1, 2)
        q, k = layer.split(layer.to_q(h)), layer.split(layer.to_k(tokens))
        score = q @ k.transpose(2, 3) / q.shape[3] ** 0.5
        w = score.masked_fill(~mask[:, None, None], -torch.inf).softmax(3)
        kept.append(w.mean(1).transpose(1, 2).unflatten(2, x.shape[2:]))

    layers = text_layers(glyffuser.unet)
    hooks = [layer.register_forward_pre_hook(keep) for layer in layers]
    try:
        with torch.no_grad():
            return glyffuser.predict_eps(xt, t, cond), kept
    finally:
        for hook in hooks:
            hook.remove()
