"""How fast the book's code is on this machine, in one command.

Run `python tests/speed/measure.py`, on a machine that does nothing else. It prints
tables; with `--write` they also go into README.md beside this file. Each group is timed
in turn in one process, round by round, so that a busy machine slows all of it alike:
trust the ratios before the seconds. It takes some minutes; `--quick` takes one round of
each group, and smaller batches.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from itertools import product
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

import click
import numpy as np
import torch
from browser import CALLS, TASKS, open_engine, torch_tasks
from clock import in_turn, ratios, seconds, spread, table
from networks import equal, num_parameters, ours, published
from operators import milliseconds_by_kind
from PIL import Image
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from tried import TRIED

from glyflib.data import SIZES, load_glyphs
from glyflib.files import provenance
from glyflib.glyffuser import Glyffuser
from glyflib.precision import products_in_bf16
from glyflib.schedule import cosine_alpha_bar
from glyflib.super_resolution import SuperResolver
from glyflib.text import MAX_TOKENS
from glyflib.training import Condition, TrainConfig, train

README = Path(__file__).with_name("README.md")
SIDE = 32  # pixels of what our network draws
LARGE = 128  # pixels of what the published network draws
PUBLISHED_CALLS = 50
MATRIX = 1024  # rows and columns of a matrix
MATRIX_WORK = 2 * MATRIX**3 / 1e9  # of a product, in billions
KINDS_OF_NUMBER = {"float32": False, "bfloat16": True}
REAL_TOKENS = 9  # of a caption, on average
FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
# One glyph in few steps: what is drawn is taken off, what is loaded and made is not.
START = """if True:
    import time
    from glyflib.commands import generate
    spent, draw = [], generate.draw
    def timed(*args):
        start = time.process_time()
        try:
            return draw(*args)
        finally:
            spent.append(time.process_time() - start)
    generate.draw, generate.ENLARGE_STEPS = timed, 1
    from glyflib.__main__ import main
    main(["generate", "gold", "-n", "16", "--steps", "1", "--out", "gold.png"],
         standalone_mode=False)
    print(sum(spent))
"""


class Amount(NamedTuple):
    """How much is measured.

    Attributes:
        rounds: of each group.
        batches: sizes, of our network alone.
        batch: size, beside other networks.
    """

    rounds: int
    batches: tuple[int, ...]
    batch: int


FULL, QUICK = Amount(5, (16, 64, 128), 16), Amount(1, (4,), 2)


def texts(count: int, width: int) -> tuple[Tensor, Tensor]:
    """Random tokens (B, 40, D) and a mask (B, 40), mostly padding as captions are."""
    tokens = torch.randn(count, MAX_TOKENS, width)
    lengths = torch.randint(1, 2 * REAL_TOKENS, (count, 1))
    return tokens, torch.arange(MAX_TOKENS) < lengths


def forward(net: nn.Module, count: int, side: int, bf16: bool = False) -> Callable:
    """A call of a network with a batch of noise, without gradients."""
    xt, t = torch.randn(count, 1, side, side), torch.randint(1, 1000, (count,))
    cond = texts(count, net.width)

    @torch.inference_mode()
    def call() -> None:
        with products_in_bf16("cpu", on_gpu=False, on_cpu=bf16):
            net(xt, t, *cond)

    return call


def step(net: nn.Module, count: int, bf16: bool = False) -> Callable:
    """A training step of `train`, with all that belongs to it."""
    images = torch.randint(256, (256, 1, SIDE, SIDE), dtype=torch.uint8)
    cond: Condition = texts(len(images), net.width)
    null = cond[0][:1] * 0, torch.arange(MAX_TOKENS)[None] < 1
    config = TrainConfig(10**6, batch_size=count, cpu_bf16=bf16)
    steps = train(net, images, config, cosine_alpha_bar(1000), cond=cond, null=null)
    return partial(next, steps)


def both_ways(net: nn.Module, count: int, context: Callable) -> Callable:
    """Forward and backward within a context, without the rest of a step."""
    xt, t = torch.randn(count, 1, SIDE, SIDE), torch.randint(1, 1000, (count,))
    cond = texts(count, net.width)

    def call() -> None:
        net.zero_grad()
        with context():
            output = net(xt, t, *cond)
            (output.float() - xt).square().mean().backward()

    return call


def last(net: nn.Module) -> nn.Module:
    """The network with its channels last in memory, as `glyflib train` has it."""
    return net.to(memory_format=torch.channels_last)


def num_products(net: nn.Module, count: int, has_backward: bool) -> float:
    """Additions and multiplications of convolutions and linear layers, in billions."""
    xt, t = torch.randn(count, 1, SIDE, SIDE), torch.randint(1, 1000, (count,))
    with FlopCounterMode(display=False) as found:
        output = net(xt, t, *texts(count, net.width))
        if has_backward:
            output.sum().backward()
    return found.get_total_flops() / 1e9


def matrix_products() -> Iterator[tuple[tuple[str, str], Callable]]:
    """A product of two square matrices, in float32 and in bfloat16."""
    pair = torch.randn(2, MATRIX, MATRIX).unbind()
    halves = [matrix.bfloat16() for matrix in pair]
    yield ("matrix product", "float32"), partial(torch.mm, *pair)
    yield ("matrix product", "bfloat16"), partial(torch.mm, *halves)


def products(amount: Amount) -> Iterator[str]:
    """Matrix product, then forward and step of our network."""
    calls = dict(matrix_products())
    work = {key: MATRIX_WORK for key in calls}
    glyphs = dict.fromkeys(calls, 0)
    for count, is_step in product(amount.batches, (False, True)):
        what = f"{'step' if is_step else 'forward'}, batch {count}"
        billions = num_products(ours(), count, is_step)
        for name, bf16 in KINDS_OF_NUMBER.items():
            net, key = last(ours()), (what, name)
            call = step(net, count, bf16)
            calls[key] = call if is_step else forward(net, count, SIDE, bf16)
            work[key], glyphs[key] = billions, count
    times = in_turn(calls, amount.rounds)
    rows = []
    for key, found in times.items():
        rate, plain = work[key] / median(found), times[key[0], "float32"]
        best = MATRIX_WORK / median(times["matrix product", key[1]])
        rows.append(
            [
                *key,
                spread([1000 * value for value in found]),
                f"{rate:.0f}",
                f"{100 * rate / best:.0f} %",
                f"{glyphs[key] / median(found):.0f}" if glyphs[key] else "",
                "1" if found is plain else spread(ratios(plain, found)),
            ]
        )
    head = ["what", "in", "ms", "GFLOP/s", "of the product's", "glyphs/s", "gain"]
    yield table(head, rows)


def layouts(amount: Amount) -> Iterator[str]:
    """Channels first or last in memory; our own products in bfloat16, or autocast."""
    count = amount.batches[len(amount.batches) // 2]
    contexts = {
        "float32": partial(products_in_bf16, "cpu", on_gpu=False, on_cpu=False),
        "`--cpu-bf16`": partial(products_in_bf16, "cpu", on_gpu=False, on_cpu=True),
        "autocast": partial(torch.autocast, "cpu", torch.bfloat16),
    }
    calls = {
        (name, layout): both_ways(
            net if layout == "first" else last(net), count, context
        )
        for name, context in contexts.items()
        for layout, net in (("first", ours()), ("last", ours()))
    }
    times = in_turn(calls, min(3, amount.rounds))
    first = times["float32", "first"]
    yield f"Forward and backward of batch {count}."
    rows = [
        [
            *key,
            spread([1000 * value for value in found]),
            "1" if found is first else spread(ratios(first, found)),
        ]
        for key, found in times.items()
    ]
    yield table(["products", "channels", "ms", "gain"], rows)


def operators(amount: Amount) -> Iterator[str]:
    """Where a step's time goes."""
    count = amount.batches[len(amount.batches) // 2]
    calls = {
        name: step(last(ours()), count, bf16) for name, bf16 in KINDS_OF_NUMBER.items()
    }
    found = {name: [] for name in calls}
    for number in range(1 + 2 * amount.rounds):
        for name, call in calls.items():
            by_kind = milliseconds_by_kind(call)
            if number:
                found[name].append(by_kind)
    kinds = found["float32"][0]
    least = {
        name: {kind: min(run[kind] for run in runs) for kind in kinds}
        for name, runs in found.items()
    }
    work = num_products(ours(), count, True)
    times = in_turn(dict(matrix_products()), 1 + amount.rounds)
    bound = {
        name: 1000 * work / MATRIX_WORK * min(spent)
        for (_, name), spent in times.items()
    }
    yield (
        f"A step of batch {count}, milliseconds by kind of operator, the least of all "
        "rounds. Last, what the convolutions and linear layers would take "
        "if they were as quick as the product of two large matrices."
    )
    rows = []
    for kind in sorted(kinds, key=lambda kind: -least["bfloat16"][kind]):
        row = [kind]
        for by_kind in least.values():
            share = by_kind[kind] / sum(by_kind.values())
            row += [f"{by_kind[kind]:.0f}", f"{100 * share:.0f} %"]
        rows.append(row)
    for what, part in (("all", least), ("all products, at best", None)):
        row = [what]
        for name in least:
            total = sum(least[name].values())
            value = total if part else bound[name]
            row += [f"{value:.0f}", f"{100 * value / total:.0f} %"]
        rows.append(row)
    yield table(["kind", "float32", "share", "bfloat16", "share "], rows)


def tried(amount: Amount) -> Iterator[str]:
    """What other ways to compute a step would gain."""
    count = amount.batches[len(amount.batches) // 2]
    calls = {
        key: both_ways(last(ours()), count, context) for key, context in TRIED.items()
    }
    times = in_turn(calls, amount.rounds)
    yield f"Forward and backward of batch {count}; see tried.py for each."
    rows = []
    for key, found in times.items():
        plain = times["as it is", key[1]]
        gain = "1" if found is plain else spread(ratios(plain, found))
        rows.append([*key, spread([1000 * value for value in found]), gain])
    yield table(["what", "in", "ms", "gain"], rows)


def networks(amount: Amount) -> Iterator[str]:
    """Our network beside one of diffusers and the published one."""
    makers = {"ours": ours, "diffusers, equal size": equal, "published": published}
    nets = {name: last(make()) for name, make in makers.items()}
    count, rounds = amount.batch, min(3, amount.rounds)
    times = {}
    for what in ("forward", "step"):
        calls = {
            name: forward(net, count, SIDE) if what == "forward" else step(net, count)
            for name, net in nets.items()
        }
        times[what] = in_turn(calls, rounds)
    yield f"Pictures of {SIDE}×{SIDE}, batch {count}, float32, channels last."
    rows = []
    for name, net in nets.items():
        row = [name, f"{num_parameters(net) / 1e6:.1f}"]
        for found in times.values():
            more = ratios(found[name], found["ours"])
            row.append(spread([1000 * value for value in found[name]]))
            row.append("1" if name == "ours" else spread(more))
        rows.append(row)
    head = ["network", "million parameters", "forward, ms", "times ours"]
    yield table([*head, "step, ms", "times ours "], rows)


def cascade(amount: Amount) -> Iterator[str]:
    """A whole glyph of 128x128 pixels against calls of the published network."""
    glyffuser, resolver = Glyffuser.load(), SuperResolver.load()
    call = forward(published(), 1, LARGE)

    def draw() -> None:
        resolver.sample(glyffuser.sample("gold", num_steps=30, scale=3.0))

    times = in_turn({"ours": draw, "call": call}, min(3, amount.rounds))
    theirs = [PUBLISHED_CALLS * value for value in times["call"]]
    yield (
        f"One glyph of {LARGE}×{LARGE}: ours with 30 guided steps and 20 of the second "
        f"model; the published network's {PUBLISHED_CALLS} calls, each as one is."
    )
    rows = [
        ["ours, all of it", spread(times["ours"]), "1"],
        [
            f"{PUBLISHED_CALLS} calls of the published network",
            spread(theirs),
            spread(ratios(theirs, times["ours"])),
        ],
    ]
    yield table(["what", "s", "times ours"], rows)


def loading(amount: Amount) -> Iterator[str]:
    """The glyph set, beside the same pictures from PNG files."""

    def as_png(image: np.ndarray) -> bytes:
        out = BytesIO()
        Image.fromarray(image).save(out, format="PNG")
        return out.getvalue()

    pngs = [as_png(image) for image in load_glyphs("all").images.squeeze(1).numpy()]

    def decode(size: int) -> None:
        pictures = (Image.open(BytesIO(png)) for png in pngs)
        np.stack([np.asarray(p.reduce(LARGE // size)) for p in pictures])

    rows = []
    for size in SIZES:
        calls = {"ours": partial(load_glyphs, "all", size)}
        calls["PNG"] = partial(decode, size)
        found = in_turn(calls, min(3, amount.rounds), warm_up=False)
        gain = spread(ratios(found["PNG"], found["ours"]))
        rows.append([str(size), *map(spread, found.values()), gain])
    yield table(["pixels a side", "`load_glyphs`, s", "from PNG, s", "gain"], rows)


def start_up(amount: Amount) -> Iterator[str]:
    """`glyflib generate gold -n 16` less its drawing, beside `import torch`."""
    bare, whole = [], []

    def run(code: str, folder: str) -> tuple[float, str]:
        before = os.times()
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
        after = os.times()
        spent = after.children_user - before.children_user
        return spent + after.children_system - before.children_system, done.stdout

    with TemporaryDirectory() as folder:
        for number in range(1 + amount.rounds):
            imported, (all_of_it, said) = (
                run("import torch", folder),
                run(START, folder),
            )
            if number:
                bare.append(imported[0])
                whole.append(all_of_it - float(said.split()[-1]))
    yield (
        "`glyflib generate gold -n 16` less its drawing, seconds of the processor: "
        "imports, two networks and the text encoder read, a sheet written."
    )
    rows = [
        ["`import torch`", spread(bare), "1"],
        ["`glyflib generate`", spread(whole), spread(ratios(whole, bare))],
    ]
    yield table(["what", "s", "ratio"], rows)


def in_the_browser(amount: Amount) -> Iterator[str]:
    """The page's engine, with and without its kernel, beside torch."""
    ours, rows = torch_tasks(), []
    times = {(task, "torch"): [] for task in TASKS}
    for kernel in ("wasm", "plain"):
        with open_engine(kernel) as spent:
            for number in range(2 + amount.rounds):  # the browser compiles meanwhile
                for task in TASKS:
                    found = spent(task), seconds(ours[task])
                    if number >= 2:
                        times.setdefault((task, kernel), []).append(found[0])
                        times[task, "torch"].append(found[1])
    yield (
        "The page's engine in Chromium beside torch, on one thread: a guided call is "
        f"one of two pictures, a student's glyph takes {CALLS} calls of one."
    )
    names = {"torch": "torch", "wasm": "WebAssembly", "plain": "JavaScript alone"}
    for task in TASKS:
        for kernel, name in names.items():
            found, least = times[task, kernel], min(times[task, "torch"])
            told = spread([1000 * value for value in found])
            rows.append([task, name, told, f"{min(found) / least:.3g}"])
    yield table(["what", "by", "ms", "least, times torch's"], rows)


GROUPS = {
    "Products": products,
    "Where a step's time goes": operators,
    "Layouts and autocast": layouts,
    "Tried and left out": tried,
    "Beside other networks": networks,
    "A whole glyph": cascade,
    "Start-up": start_up,
    "Loading the glyphs": loading,
    "In the browser": in_the_browser,
}


def machine() -> str:
    """The machine in words: no names, but what makes it fast or slow."""
    facts, info = provenance(), Path("/proc/cpuinfo")
    known = info.read_text().split() if info.is_file() else ()
    flags = [flag for flag in FLAGS if flag in known] or ["flags unknown"]
    clock = "seconds of the processor" if facts["threads"] == 1 else "of the wall"
    return (
        f"{facts['machine']}, {', '.join(flags)}; {facts['threads']} thread(s), "
        f"{clock}; torch {torch.__version__}; {facts['date']}."
    )


def report(groups: list[str], amount: Amount) -> Iterator[str]:
    """Paragraphs and tables of some groups, each under its heading."""
    for name in groups:
        torch.manual_seed(0)
        yield f"## {name}"
        yield machine()
        yield from GROUPS[name](amount)


@click.command()
@click.option("--quick", is_flag=True, help="One round, small batches.")
@click.option("--threads", default=1, show_default=True, help="That torch uses.")
@click.option("--only", multiple=True, type=click.Choice(list(GROUPS)))
@click.option("--write", is_flag=True, help="Also into README.md.")
def main(quick: bool, threads: int, only: tuple[str, ...], write: bool) -> None:
    """Time the book's code on this machine."""
    torch.set_num_threads(threads)
    found = {}
    for name in only or GROUPS:
        paragraphs = list(report([name], QUICK if quick else FULL))
        found[name] = "\n\n".join(paragraphs)
        click.echo(found[name] + "\n")
    if write:
        README.write_text(with_sections(README.read_text("utf-8"), found), "utf-8")


def with_sections(text: str, found: dict[str, str]) -> str:
    """A page with some of its sections anew; a new one comes last."""
    head, *old = text.split("\n## ")
    sections = {part.partition("\n")[0]: f"## {part.strip()}" for part in old}
    return "\n\n".join([head.strip(), *(sections | found).values()]) + "\n"


if __name__ == "__main__":
    main()
