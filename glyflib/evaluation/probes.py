"""See what a network does inside: what its parts make, and what they listen to.

Invariant: a network is after a probe as it was before.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

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
        attended: one text (1, L, D) that cross-attention reads; None
            changes nothing.
        averaged: one text whose mean joins the level's embedding; None as
            above.
    """
    hooks = []
    if attended is not None:
        tokens, mask = unet.text_norm(attended.tokens), attended.mask

        def read(layer: Attention, given: tuple) -> tuple:
            x = given[0]
            rows = len(x)
            return x, tokens.expand(rows, -1, -1), mask.expand(rows, -1)

        for layer in text_layers(unet):
            hooks.append(layer.register_forward_pre_hook(read))
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


class Seen(NamedTuple):
    """What a part of a network was handed, and what it made of it.

    Attributes:
        given: its first input.
        output: what came out.
    """

    given: Tensor
    output: Tensor


@contextmanager
def watched(model: nn.Module, parts: Sequence[str]) -> Iterator[dict[str, Seen]]:
    """For a while, note what goes into parts of a network and what comes out.

    Args:
        model: any network.
        parts: their names in it, as `model.get_submodule` takes them: "down.0".

    Yields:
        seen: filled by each call of the network; the last one stays.

    Raises:
        AttributeError: If the network has no such part.
    """
    seen, hooks = {}, []

    def note(name: str) -> Callable[..., None]:
        """What a part does whenever it is called."""

        def keep(part: nn.Module, given: tuple, output: Tensor) -> None:
            seen[name] = Seen(given[0], output)

        return keep

    try:
        for name in parts:
            part = model.get_submodule(name)
            hooks.append(part.register_forward_hook(note(name)))
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def self_looks(layer: Attention, x: Tensor) -> Tensor:
    """Where each place of a picture looks in a layer of self-attention.

    Args:
        layer: of self-attention.
        x: (B, C, h, w) feature maps that go into it.

    Returns:
        (B, heads, h, w, h, w) share that each place (first pair) gives to each other
        (second pair); over the second pair they add up to 1.

    References:
        Vaswani et al. 2017, Eq. 1.
    """
    h = layer.norm(x).flatten(2).transpose(1, 2)
    q, k = layer.split(layer.to_q(h)), layer.split(layer.to_k(h))
    weights = (q @ k.transpose(2, 3) / q.shape[3] ** 0.5).softmax(3)
    return weights.unflatten(3, x.shape[2:]).unflatten(2, x.shape[2:])


def pull_on(
    model: Callable[..., Tensor], xt: Tensor, *others: Tensor, place: tuple[int, int]
) -> Tensor:
    """How much one pixel of an answer depends on each pixel of what is seen.

    Args:
        model: called as model(xt, *others), (B, C, S, S) -> (B, C2, S, S); each row of
            its answer depends on its own row only.
        xt: (B, C, S, S) pictures, over which the mean is taken.
        others: what else the model is told.
        place: row and column of the pixel of the answer.

    Returns:
        (S, S) mean squared slopes, as shares of their sum.

    References:
        Luo et al. 2016, section 2, who take the slopes.
    """
    xt = xt.detach().requires_grad_()
    row, column = place
    answer = model(xt, *others)[:, :, row, column]
    (slopes,) = torch.autograd.grad(answer.sum(), xt)
    squares = slopes.square().mean(dim=(0, 1))
    return squares / squares.sum()
