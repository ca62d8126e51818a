"""How much faster a CPU trains in bfloat16 (`glyflib train --cpu-bf16`), as a ratio.

Run `python benchmarks/cpu_bf16.py`. Steps of the small preset, batch of 64, in float32,
with torch's own autocast and with `products_in_bf16`, are timed in turn in one run, so
that a busy machine slows all three; the medians are printed.
"""

from statistics import median
from time import perf_counter

import torch

from glyflib.build.weights import MAX_TOKENS, PRESETS
from glyflib.precision import products_in_bf16
from glyflib.unet import UNet

ROUNDS, BATCH, TEXT_DIM = 7, 64, 256
WAYS = {
    "float32": lambda: products_in_bf16("cpu", on_gpu=False, on_cpu=False),
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "cpu_bf16": lambda: products_in_bf16("cpu", on_gpu=False, on_cpu=True),
}


def main() -> None:
    torch.manual_seed(0)
    preset = PRESETS["small"]
    net = UNet(**preset.unet, text_dim=TEXT_DIM)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-4, fused=True)
    xt = torch.randn(BATCH, 1, preset.size, preset.size)
    t, mask = torch.randint(1, 1000, (BATCH,)), torch.ones(BATCH, MAX_TOKENS).bool()
    tokens = torch.randn(BATCH, MAX_TOKENS, TEXT_DIM)

    def step(way) -> float:
        start = perf_counter()
        with way():
            output = net(xt, t, tokens, mask)
        optimizer.zero_grad()
        (output.float() - xt).square().mean().backward()
        optimizer.step()
        return perf_counter() - start

    times = {name: [] for name in WAYS}
    for _ in range(1 + ROUNDS):
        for name, way in WAYS.items():
            times[name].append(step(way))
    print("way       glyphs/s  ratio")
    slow = median(times["float32"][1:])
    for name, found in times.items():
        usual = median(found[1:])
        print(f"{name:8}  {BATCH / usual:8.0f}  {slow / usual:5.2f}")


if __name__ == "__main__":
    main()
