"""Where the time of a training step goes, by kind of operator.

torch's own profiler tells seconds of the wall. These are of the processor, as all the
others here are, so that a busy machine does not blur them.
"""

from collections import defaultdict
from collections.abc import Callable

from clock import clock, seconds
from torch.utils._python_dispatch import TorchDispatchMode

# The first kind whose words a name such as "aten.silu_backward.default" holds.
KINDS = {
    "convolution, forward": ("convolution.",),
    "convolution, backward": ("convolution_backward",),
    "attention": ("scaled_dot_product", "masked_fill"),
    "linear layers": (".mm.", ".addmm.", ".bmm.", ".baddbmm."),
    "group and layer norm": ("group_norm", "layer_norm"),
    "SiLU": ("silu",),
    "optimizer, clipping, average": ("adamw", "lerp", "vector_norm", "foreach"),
    "casts and copies": ("copy", "clone"),
    "drawing the batch": ("normal_", ".index.", "random", "uniform", "randint"),
    "sums, products, joins": (".add", ".mul", ".sum.", ".cat.", ".sub", ".mean."),
    "upsampling, folding": ("upsample", "shuffle"),
}
REST = "memory, views, calls"


def kind_of(name: str) -> str:
    """The kind that an operator belongs to, by its name."""
    for kind, words in KINDS.items():
        if any(word in name.lower() for word in words):
            return kind
    return REST


class Stopwatch(TorchDispatchMode):
    """Within it, the time of each operator is added up under its name."""

    def __init__(self):
        super().__init__()
        self.spent = defaultdict(float)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Call an operator, forward or backward."""
        start = clock()
        found = func(*args, **(kwargs or {}))
        self.spent[str(func)] += clock() - start
        return found


def milliseconds_by_kind(call: Callable[[], object]) -> dict[str, float]:
    """Time that the operators of a call take, summed by kind.

    The rest is what the call takes in all, without a stopwatch, less that of the kinds.
    """
    total = dict.fromkeys([*KINDS, REST], 0.0)
    with Stopwatch() as watch:
        call()
    for name, spent in watch.spent.items():
        total[kind_of(name)] += 1000 * spent
    known = sum(total.values()) - total[REST]
    total[REST] = max(0.0, 1000 * seconds(call) - known)
    return total
