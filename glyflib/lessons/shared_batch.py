"""Five steps of training that one process takes, or several together, on CPUs.

`accelerate launch -m glyflib.lessons.shared_batch` runs it as several GPUs would run a
training. Invariant: the batch is the same, however many share it.
"""

import json
import os
import subprocess
import sys
from typing import NamedTuple

import torch
from accelerate import Accelerator

from glyflib.data import load_glyphs
from glyflib.schedule import cosine_alpha_bar
from glyflib.training import TrainConfig, train
from glyflib.unet import UNet

CONFIG = TrainConfig(5, batch_size=8, warmup=0, bf16=False)
LAUNCH = (
    "accelerate.commands.launch",
    "--multi_gpu",
    "--num_machines=1",
    "--mixed_precision=no",
    "--dynamo_backend=no",
    "--main_process_port=0",  # any free one
)


class Share(NamedTuple):
    """What one process did.

    Attributes:
        process: its number, from 0.
        glyphs: of each batch that it worked on.
        losses: of the steps, means over the whole batch.
    """

    process: int
    glyphs: int
    losses: list[float]


def take_steps() -> Share:
    """Train a small network for five steps, in this process."""
    accelerator = Accelerator()
    images = load_glyphs("train", 32).images[:256]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = UNet(channels=(16, 32), attention_levels=())
    alpha_bar = cosine_alpha_bar(1000)
    steps = train(
        network,
        images,
        CONFIG,
        alpha_bar,
        accelerator=accelerator,
    )
    losses = [step.loss for step in steps]
    share = CONFIG.batch_size // accelerator.num_processes
    return Share(accelerator.process_index, share, losses)


def take_steps_together(num_processes: int) -> list[Share]:
    """Let `accelerate launch` start some processes, which train one network together.

    They compute on the CPU and talk over the machine's own network device, so that
    neither GPUs nor a network are needed.

    Args:
        num_processes: 2 or more; must divide the batch of 8.

    Returns:
        what each process did, by its number.

    Raises:
        ValueError: If the batch cannot be divided so.
        RuntimeError: If a process failed; it holds what was printed last.
    """
    if num_processes < 2 or CONFIG.batch_size % num_processes:
        told = f"num_processes {num_processes} must be at least 2"
        raise ValueError(f"{told} and divide the batch of {CONFIG.batch_size}")
    settings = {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    if sys.platform == "linux":
        settings["GLOO_SOCKET_IFNAME"] = "lo"
    module = [f"--num_processes={num_processes}", "-m", __name__]
    done = subprocess.run(
        [sys.executable, "-m", *LAUNCH, *module],
        env=os.environ | settings,
        capture_output=True,
        text=True,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or len(lines) != num_processes:
        raise RuntimeError(f"accelerate launch failed: {done.stderr[-2000:]}")
    return sorted(Share(**json.loads(line)) for line in lines)


def main() -> None:
    """Take the steps, and print as one line of JSON what this process did."""
    line = json.dumps(take_steps()._asdict())
    sys.stdout.write(f"\n{line}\n")  # in one go: others write at the same time
    sys.stdout.flush()


if __name__ == "__main__":
    main()
