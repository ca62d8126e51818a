"""Where the time of a training step goes, by kind of operator."""

from collections.abc import Callable

from torch.profiler import ProfilerActivity, profile

# The first kind whose words a name holds. Operators that wait for others have no time
# of their own to speak of.
KINDS = {
    "convolution, forward": ("mkldnn_convolution", "_slow_conv2d_forward"),
    "convolution, backward": ("convolution_backward",),
    "attention": ("scaled_dot_product", "masked_fill"),
    "linear layers": ("::mm", "::addmm", "::bmm", "::baddbmm"),
    "group and layer norm": ("group_norm", "layer_norm"),
    "SiLU": ("silu",),
    "optimizer, clipping, average": (
        "adamw",
        "optimizer",
        "lerp",
        "vector_norm",
        "foreach",
    ),
    "casts and copies": ("copy", "::to", "contiguous", "clone"),
    "drawing the batch": ("normal_", "::index", "random", "uniform"),
    "sums, products, joins": ("::add", "::mul", "::sum", "::cat", "::sub", "::mean"),
    "upsampling, folding": ("upsample", "shuffle"),
}
REST = "memory, views, calls"


def kind_of(name: str) -> str:
    """The kind that an operator belongs to, by its name."""
    for kind, words in KINDS.items():
        if any(word in name.lower() for word in words):
            return kind
    return REST


def milliseconds_by_kind(call: Callable[[], object]) -> dict[str, float]:
    """Time that the operators of a call take themselves, summed by kind."""
    with profile(activities=[ProfilerActivity.CPU]) as found:
        call()
    total = dict.fromkeys([*KINDS, REST], 0.0)
    for event in found.key_averages():
        total[kind_of(event.key)] += event.self_cpu_time_total / 1000
    return total
