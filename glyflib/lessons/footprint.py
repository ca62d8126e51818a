"""What a step of training takes: bytes of memory, operations, and a machine's rate.

Invariant: nothing here changes what a call computes; numbers of bytes and operations
are counted, and are the same on a busy machine.
"""

from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from glyflib.text import MAX_TOKENS
from glyflib.unet import Attention, UNet


class Footprint(TorchDispatchMode):
    """Within it, the memory of all tensors that operators make on a CPU is followed.

    Views share the memory of what they are views of, and count once.

    Attributes:
        peak: most bytes that were held at one moment so far.
    """

    def __init__(self):
        super().__init__()
        self.held: dict[StorageWeakRef, int] = {}
        self.at_most, self.peak = 0, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Call an operator, forward or backward, and look at what it made."""
        found = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(found):
            if isinstance(leaf, Tensor):
                memory = leaf.untyped_storage()
                key = StorageWeakRef(memory)
                if key not in self.held:
                    self.held[key] = memory.nbytes()
                    self.at_most += memory.nbytes()
        if self.at_most > self.peak:  # or else it cannot be a new peak
            self.peak = max(self.peak, self.bytes_now())
        return found

    def bytes_now(self) -> int:
        """Bytes that are still held, of all that was made within."""
        held = self.held.items()
        self.held = {key: size for key, size in held if not key.expired()}
        self.at_most = sum(self.held.values())
        return self.at_most


def trial_loss(network: UNet, size: int, batch_size: int) -> Tensor:
    """A loss of random pictures and words: what it costs depends on neither.

    Args:
        network: with text; on a CPU.
        size: S, side of the pictures.
        batch_size: how many, at least 1.

    Returns:
        (), ready for the way back.
    """
    generator = torch.Generator().manual_seed(0)
    xt = torch.randn(batch_size, 1, size, size, generator=generator)
    t = torch.randint(1, 1001, (batch_size,), generator=generator)
    width = network.config["text_dim"]
    tokens = torch.randn(batch_size, MAX_TOKENS, width, generator=generator)
    lengths = torch.randint(3, 15, (batch_size, 1), generator=generator)
    mask = torch.arange(MAX_TOKENS) < lengths
    return network(xt, t, tokens, mask).square().mean()


def peak_bytes(call: Callable[[], object]) -> int:
    """Most memory that a call on the CPU holds at one moment, beyond what was there.

    Args:
        call: what is measured; all that it makes counts, also networks.
    """
    with Footprint() as footprint:
        call()
    return footprint.peak


def kept_bytes(call: Callable[[], Tensor], network: nn.Module) -> int:
    """Bytes that PyTorch keeps of a forward pass for the way back, without the weights.

    Args:
        call: computes the loss; what it is handed counts too, if it is kept.
        network: that it calls.
    """
    own = {weight.data_ptr() for weight in network.parameters()}
    kept: dict[int, int] = {}

    def keep(value: Tensor) -> Tensor:
        memory = value.untyped_storage()
        if memory.data_ptr() not in own:
            kept[memory.data_ptr()] = memory.nbytes()
        return value

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value):
        loss = call()  # held until the end, or memory would be used twice
    del loss
    return sum(kept.values())


def operations(call: Callable[[], object]) -> int:
    """Additions and multiplications of a call's convolutions and linear layers.

    Those of attention between places are left out: PyTorch counts them on some machines
    only. In the book's networks they are less than a hundredth.

    Args:
        call: forward alone, or forward and backward.
    """
    with FlopCounterMode(display=False) as counter:
        call()
    counts = counter.get_flop_counts().get("Global", {})
    return sum(n for name, n in counts.items() if "attention" not in str(name))


class UnetOperations(NamedTuple):
    """What a call of a U-net costs, in additions and multiplications.

    Attributes:
        attention: between places: 4 N^2 C for each layer of N places, C channels.
        rest: convolutions and linear layers, also those of attention.
    """

    attention: int
    rest: int


def unet_operations(unet: UNet, side: int) -> UnetOperations:
    """What one call costs for one picture, without text.

    Args:
        unet: a network that reads no text, or can do without.
        side: S, side of the picture.
    """
    places = []

    def note(layer: Attention, given: tuple, output: Tensor) -> None:
        places.append(output.shape)

    layers = [part for part in unet.modules() if isinstance(part, Attention)]
    hooks = [layer.register_forward_hook(note) for layer in layers]
    xt = torch.zeros(1, unet.config["in_channels"], side, side)
    try:
        with torch.no_grad():
            rest = operations(lambda: unet(xt, torch.ones(1)))
    finally:
        for hook in hooks:
            hook.remove()
    attention = sum(4 * (H * W) ** 2 * C for _, C, H, W in places)
    return UnetOperations(attention, rest)


def product_rate(
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    *,
    side: int = 1024,
    rounds: int = 7,
) -> float:
    """Operations a second of a large matrix product, the median of some rounds.

    Args:
        device: which machine.
        dtype: kind of number.
        side: rows and columns N; a product has 2 N^3 operations.
        rounds: how often it is timed, after once for warming up.

    Raises:
        ValueError: If side or rounds are below 1.
    """
    if min(side, rounds) < 1:
        raise ValueError(f"side {side} and rounds {rounds} must be at least 1")
    matrix = torch.ones(side, side, dtype=dtype, device=device)
    seconds = []
    for _ in range(rounds + 1):
        wait_for(matrix.device)
        start = perf_counter()
        matrix @ matrix
        wait_for(matrix.device)
        seconds.append(perf_counter() - start)
    return 2 * side**3 / median(seconds[1:])


def wait_for(device: torch.device) -> None:
    """Wait until a GPU has done what it was told; a CPU has already."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
