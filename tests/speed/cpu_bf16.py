"""How much faster a CPU trains in bfloat16 (`glyflib train --cpu-bf16`), as a ratio.

Run `python tests/speed/cpu_bf16.py`. Steps of the small preset in float32, with torch's
own autocast and with `products_in_bf16`, of 64 and 128 glyphs, with the channels of a
picture first or last in memory, are timed in turn in one run, so that a busy machine
slows all of them; the medians are printed. `glyflib train` has them last.
"""

from collections.abc import Callable
from itertools import product
from statistics import median
from time import perf_counter

import torch

from glyflib.precision import products_in_bf16
from glyflib.runs import PRESETS
from glyflib.text import MAX_TOKENS
from glyflib.unet import UNet

ROUNDS, TEXT_DIM = 7, 256
WAYS = {
    "float32": lambda: products_in_bf16("cpu", on_gpu=False, on_cpu=False),
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "cpu_bf16": lambda: products_in_bf16("cpu", on_gpu=False, on_cpu=True),
}
LAYOUTS = {"first": torch.contiguous_format, "last": torch.channels_last}


def steps_of(layout: torch.memory_format) -> Callable[..., float]:
    """A function that makes one step and returns how many seconds it took."""
    torch.manual_seed(0)
    preset = PRESETS["small"]
    net = UNet(**preset.unet, text_dim=TEXT_DIM).to(memory_format=layout)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-4, fused=True)

    def step(way: Callable, batch_size: int) -> float:
        xt = torch.randn(batch_size, 1, preset.size, preset.size)
        t = torch.randint(1, 1000, (batch_size,))
        mask = torch.ones(batch_size, MAX_TOKENS).bool()
        tokens = torch.randn(batch_size, MAX_TOKENS, TEXT_DIM)
        start = perf_counter()
        with way():
            output = net(xt, t, tokens, mask)
        optimizer.zero_grad()
        (output.float() - xt).square().mean().backward()
        optimizer.step()
        return perf_counter() - start

    return step


def main() -> None:
    steps = {name: steps_of(layout) for name, layout in LAYOUTS.items()}
    rows = list(product((64, 128), LAYOUTS, WAYS))
    times = {row: [] for row in rows}
    for _ in range(1 + ROUNDS):
        for batch_size, layout, way in rows:
            seconds = steps[layout](WAYS[way], batch_size)
            times[batch_size, layout, way].append(seconds)
    rates = {row: row[0] / median(found[1:]) for row, found in times.items()}
    print("batch  channels  products  glyphs/s  ratio")
    for (batch_size, layout, way), rate in rates.items():
        ratio = rate / rates[rows[0]]
        print(f"{batch_size:5}  {layout:8}  {way:8}  {rate:8.0f}  {ratio:5.2f}")


if __name__ == "__main__":
    main()
