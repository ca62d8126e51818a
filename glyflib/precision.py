"""Arithmetic in bfloat16, where a processor is faster at it than in float32.

Invariant: weights, gradients and sums stay in float32; products alone are rounded.
"""

from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

PRODUCTS = (torch.conv2d, F.linear)


class ProductsInBfloat16(TorchFunctionMode):
    """Within it, convolutions and linear layers multiply in bfloat16.

    They take and return float32. torch's own autocast also hands bfloat16 on to
    attention and group norm, which are slower in it on a CPU.
    """

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """Call a function of torch, one of `PRODUCTS` with rounded tensors."""
        kwargs = kwargs or {}
        if func not in PRODUCTS:
            return func(*args, **kwargs)
        rounded = {name: to_bfloat16(value) for name, value in kwargs.items()}
        return func(*map(to_bfloat16, args), **rounded).float()


def to_bfloat16(value: object) -> object:
    """A tensor in bfloat16; anything else as it is."""
    return value.bfloat16() if isinstance(value, Tensor) else value


def products_in_bf16(
    device_type: str, *, on_gpu: bool, on_cpu: bool
) -> AbstractContextManager:
    """What to run a network under: bfloat16 where it is asked for, else float32.

    On a GPU that is torch's autocast, on a CPU `ProductsInBfloat16`.

    Args:
        device_type: "cuda" or "cpu", where the network is.
        on_gpu: whether a GPU computes in bfloat16.
        on_cpu: whether a CPU multiplies in it.

    Returns:
        A context, for `with`.

    References:
        Micikevicius et al. 2018, section 3, for half precision.
    """
    if device_type == "cuda":
        return torch.autocast("cuda", torch.bfloat16, enabled=on_gpu)
    return ProductsInBfloat16() if on_cpu else nullcontext()
