"""Ways to a faster step that were tried and left out, so that they can be tried again.

Each is a context in which the network computes the same, up to rounding, in another
way. They are written to be measured, not to be used: see README.md for what they gain.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glyflib import unet
from glyflib.precision import ProductsInBfloat16


class NormInOnePass(torch.autograd.Function):
    """Group norm of channels that come last, with fewer passes than torch's own.

    A sum and a sum of squares over all places, then one multiply-add; backward alike.
    """

    @staticmethod
    def forward(ctx, x: Tensor, gain: Tensor, shift: Tensor, groups: int, eps: float):
        """(B, C, H, W), (B, C), (B, C) -> (B, C, H, W)."""
        B, C, H, W = x.shape
        rows = x.permute(0, 2, 3, 1).reshape(B, H * W, C)
        mean = rows.mean(1).view(B, groups, -1).mean(-1, keepdim=True)
        square = rows.square().mean(1).view(B, groups, -1).mean(-1, keepdim=True)
        scale = ((square - mean.square()).clamp(min=0) + eps).rsqrt()
        slope = gain.view(B, groups, -1) * scale
        start = shift.view(B, groups, -1) - mean * slope
        ctx.save_for_backward(rows, gain, mean, scale, slope)
        out = torch.addcmul(start.view(B, 1, C), rows, slope.view(B, 1, C))
        return out.view(B, H, W, C).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx, grad: Tensor):
        """Gradients of x, gain and shift."""
        rows, gain, mean, scale, slope = ctx.saved_tensors
        B, C, H, W = grad.shape
        groups, num = mean.shape[1], rows.shape[1] * C // mean.shape[1]
        given = grad.permute(0, 2, 3, 1).reshape(B, H * W, C)
        of_shift = given.sum(1).view(B, groups, -1)
        with_rows = (given * rows).sum(1).view(B, groups, -1)
        of_gain = (with_rows - mean * of_shift) * scale
        gain = gain.view(B, groups, -1)
        first = (gain * of_shift).sum(-1, keepdim=True) / num
        second = (gain * of_gain).sum(-1, keepdim=True) / num
        turn = (-scale.square() * second).expand_as(slope).reshape(B, 1, C)
        start = scale.square() * mean * second - scale * first
        out = torch.addcmul(start.expand_as(slope).reshape(B, 1, C), rows, turn)
        out = out.addcmul_(given, slope.reshape(B, 1, C)).view(B, H, W, C)
        gradients = of_gain.reshape(B, C), of_shift.reshape(B, C)
        return out.permute(0, 3, 1, 2), *gradients, None, None


def norm_in_one_pass(norm: nn.GroupNorm, x: Tensor) -> Tensor:
    """What `nn.GroupNorm.forward` does."""
    both = norm.weight.expand(len(x), -1), norm.bias.expand(len(x), -1)
    return NormInOnePass.apply(x, *both, norm.num_groups, norm.eps)


def of_real_tokens(layer: nn.Linear, tokens: Tensor, mask: Tensor) -> Tensor:
    """A layer's output (B, L, D2) at the real tokens of (B, L, D), 0 at padding."""
    out = tokens.new_zeros(*mask.shape, layer.out_features)
    return out.index_put((mask,), layer(tokens[mask]))


def attention_to_real_tokens(
    self: unet.Attention, x: Tensor, tokens: Tensor | None, mask: Tensor | None
) -> Tensor:
    """What `Attention.forward` does."""
    h = self.norm(x).flatten(2).transpose(1, 2)
    q = self.to_q(h)
    if tokens is None:
        k, v = self.to_k(h), self.to_v(h)
    else:
        k, v = (of_real_tokens(to, tokens, mask) for to in (self.to_k, self.to_v))
    h = unet.attend(self.split(q), self.split(k), self.split(v), mask)
    h = self.out(h.transpose(1, 2).flatten(2))
    return x + h.transpose(1, 2).unflatten(2, x.shape[2:])


class AttentionToo(ProductsInBfloat16):
    """Within it, the two products of attention are in bfloat16 as well."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """Call a function of torch."""
        if func is not F.scaled_dot_product_attention:
            return super().__torch_function__(func, types, args, kwargs)
        q, k, v = (value.bfloat16() for value in args)
        logits = (q @ k.transpose(-1, -2)).float() * q.shape[-1] ** -0.5
        if (mask := (kwargs or {}).get("attn_mask")) is not None:
            logits = logits.masked_fill(~mask, -torch.inf)
        return (logits.softmax(-1).bfloat16() @ v).float()


@contextmanager
def bfloat16_by_onednn() -> Iterator[None]:
    """Let the library below torch round products, with no casts of our own."""
    library = torch.backends.mkldnn
    if not hasattr(library, "conv"):
        raise ValueError(f"torch {torch.__version__} has no such setting")
    before = library.conv.fp32_precision, library.matmul.fp32_precision
    library.conv.fp32_precision = library.matmul.fp32_precision = "bf16"
    try:
        yield
    finally:
        library.conv.fp32_precision, library.matmul.fp32_precision = before


@contextmanager
def together(*contexts: Callable) -> Iterator[None]:
    """Several contexts at once."""
    with ExitStack() as stack:
        for context in contexts:
            stack.enter_context(context())
        yield


def with_norm() -> patch:
    """Group norms in fewer passes."""
    return patch.object(nn.GroupNorm, "forward", norm_in_one_pass)


def with_real_tokens() -> patch:
    """Keys and values of real tokens only."""
    return patch.object(unet.Attention, "forward", attention_to_real_tokens)


@contextmanager
def nothing() -> Iterator[None]:
    """As it is."""
    yield


#: What is tried, in float32 or in bfloat16, and what it is compared with.
TRIED = {
    ("as it is", "float32"): nothing,
    ("group norm in fewer passes", "float32"): with_norm,
    ("keys and values of real tokens only", "float32"): with_real_tokens,
    ("oneDNN rounds", "float32"): bfloat16_by_onednn,
    ("as it is", "bfloat16"): ProductsInBfloat16,
    ("group norm in fewer passes", "bfloat16"): lambda: together(
        ProductsInBfloat16, with_norm
    ),
    ("keys and values of real tokens only", "bfloat16"): lambda: together(
        ProductsInBfloat16, with_real_tokens
    ),
    ("attention's products rounded too", "bfloat16"): AttentionToo,
    ("all three", "bfloat16"): lambda: together(
        AttentionToo, with_norm, with_real_tokens
    ),
}
