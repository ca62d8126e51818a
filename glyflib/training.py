"""Teaching a network to see through noise, as a generator of steps.

Invariant: every random number of a run comes from one generator, seeded by its
configuration. Nothing that happens between two steps can change the next one, and
the number of processes does not change what is drawn.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import torch
from accelerate import Accelerator
from accelerate.utils import send_to_device
from torch import Tensor, nn

from glyflib.precision import products_in_bf16
from glyflib.schedule import add_noise
from glyflib.training_objective import (
    Batch,
    Condition,
    Data,
    TrainConfig,
    check_data,
    draw_batch,
    learning_rate_at,
    loss_weight,
    predict_eps_from,
    squared_error,
    target_of,
    x0_of,
)
from glyflib.training_state import (
    EMA,
    Run,
    check_same,
    load_checkpoint,
    restore_model,
    save_checkpoint,
    stored_checkpoint,
)


class TrainStep(NamedTuple):
    """What training yields after each update.

    Attributes:
        step: number of updates so far, from 1.
        loss: weighted squared error, the mean over all processes.
        learning_rate: used in this update.
        grad_norm: norm of the gradient before clipping.
        ema_model: network with the averaged weights, to sample from.
    """

    step: int
    loss: float
    learning_rate: float
    grad_norm: float
    ema_model: nn.Module


def take_step(
    run: Run,
    net: nn.Module,
    batch: Batch,
    config: TrainConfig,
    alpha_bar: Tensor,
    accelerator: Accelerator,
) -> TrainStep:
    """Make one update of the weights and of their average."""
    (x0, eps, t, condition), device = batch, batch.x0.device
    rate = learning_rate_at(run.step, config)
    xt = add_noise(x0, eps, t, alpha_bar)
    net.train()
    with products_in_bf16(device.type, on_gpu=config.bf16, on_cpu=config.cpu_bf16):
        output = net(xt, t.to(device), *condition)
    error = squared_error(output, target_of(config.prediction, x0, eps, t, alpha_bar))
    loss = (loss_weight(t, alpha_bar, config).to(error) * error).mean()
    run.optimizer.zero_grad()
    accelerator.backward(loss)
    mean_loss = accelerator.reduce(loss.detach(), "mean").item()
    limit = math.inf if config.clip_norm is None else config.clip_norm
    norm = accelerator.clip_grad_norm_(run.model.parameters(), limit).item()
    if not math.isfinite(mean_loss + norm):
        told = f"loss {mean_loss}, gradient norm {norm}"
        raise FloatingPointError(f"step {run.step + 1} is not finite: {told}")
    for group in run.optimizer.param_groups:
        group["lr"] = rate
    run.optimizer.step()
    run.ema.update(run.model)
    run.step += 1
    return TrainStep(run.step, mean_loss, rate, norm, run.ema.model)


def new_run(model: nn.Module, config: TrainConfig) -> Run:
    """The state before the first step."""
    ema = EMA(model, config.ema_decay, is_warmed_up=config.ema_warmup)
    learnt = [value for value in model.parameters() if value.requires_grad]
    decay = config.weight_decay
    optimizer = torch.optim.AdamW(learnt, weight_decay=decay, fused=True)
    return Run(model, ema, optimizer, torch.Generator().manual_seed(config.seed))


def run_steps(
    run: Run,
    net: nn.Module,
    data: Data,
    config: TrainConfig,
    alpha_bar: Tensor,
    accelerator: Accelerator,
    save: Callable[[], None],
    draw: Callable[..., Batch],
) -> Iterator[TrainStep]:
    """Draw, update, save when it is time, yield."""
    share = config.batch_size // accelerator.num_processes
    first = share * accelerator.process_index
    mine, last_save = slice(first, first + share), monotonic()
    while run.step < config.steps:
        batch = draw(data, config, len(alpha_bar) - 1, run.generator, mine)
        step = take_step(run, net, batch, config, alpha_bar, accelerator)
        is_last = run.step == config.steps
        is_due = is_last or monotonic() - last_save >= config.checkpoint_seconds
        if is_due and accelerator.is_main_process:
            save()
            last_save = monotonic()
        if is_last:
            accelerator.wait_for_everyone()
        yield step


def train(
    model: nn.Module,
    images: Tensor,
    config: TrainConfig,
    alpha_bar: Tensor,
    *,
    cond: Condition | None = None,
    null: Condition | None = None,
    directory: Path | str | None = None,
    resume: bool = False,
    accelerator: Accelerator | None = None,
    draw: Callable[..., Batch] = draw_batch,
) -> Iterator[TrainStep]:
    """Train a network in place, one yield an update; the caller owns bar and plot.

    The network is called as `model(xt, t, tokens, mask)`, or `model(xt, t)` without
    conditions. Layers that draw for themselves, such as dropout, use torch's global
    generator, which no checkpoint holds.

    Args:
        model: network that returns eps_hat, v_hat or x0_hat as the config says.
        images: (N, ...) uint8, scaled to [-1, 1]; or floating, x0 as it is.
        config: how to train.
        alpha_bar: (T + 1,) schedule.
        cond: tokens (N, L, D) and mask (N, L), row by row those of the images.
        null: the empty condition, (1, L, D) and (1, L): encode "" together with the
            captions, so that all have one length.
        directory: folder for checkpoints; none are written without.
        resume: go on from the checkpoint there: the same steps bit by bit, on the
            same machine with as many threads.
        accelerator: one device or many; by default one that finds them.
        draw: function of `draw_batch`'s arguments that returns a `Batch`; its random
            numbers come from the generator that it is handed, so runs resume exactly.

    Raises:
        ValueError: If the data do not fit, the checkpoint is damaged or of another
            run, or the accelerator has a mixed precision of its own.
        FileNotFoundError: If there is no checkpoint to resume from.
        FileExistsError: If there is one, and resume is not set.
        FloatingPointError: While training, if a loss or gradient is not finite; the
            weights and the checkpoint are then those of a step before.

    References:
        Ho et al. 2020, Algorithm 1.
    """
    accelerator = accelerator or Accelerator()
    check_data(Data(images, cond, null), config.batch_size, accelerator.num_processes)
    if accelerator.mixed_precision != "no":
        raise ValueError(f"mixed precision {accelerator.mixed_precision}: use bf16")
    stored = stored_checkpoint(directory, resume)
    alpha_bar = alpha_bar.to("cpu", torch.float64)
    shapes = [list(rows.shape) for rows in (images, *(cond or ()))]
    facts = {"config": asdict(config), "shapes": shapes}
    net = accelerator.prepare(model)
    run = new_run(model, config)
    if stored is not None:
        check_same(stored, facts, alpha_bar)
        run.restore(stored)

    def save() -> None:
        if directory is not None:
            save_checkpoint(directory, run.to_checkpoint(facts, alpha_bar=alpha_bar))

    data = send_to_device((images, cond, null), accelerator.device)
    return run_steps(run, net, Data(*data), config, alpha_bar, accelerator, save, draw)


@torch.no_grad()
def loss_by_level(
    model: nn.Module,
    images: Tensor,
    levels: Sequence[int],
    alpha_bar: Tensor,
    *,
    prediction: str,
    cond: Condition | None = None,
    generator: torch.Generator,
    batch_size: int = 256,
) -> Tensor:
    """Mean squared error of eps_hat at each level, on the same images.

    Any prediction is turned into eps_hat, to compare networks with each other and with
    the exact denoiser. Evaluation mode is up to the caller.

    Args:
        model: network on the device of the images.
        images: (N, ...) uint8, or floating x0.
        levels: K integer noise levels in [1, T].
        alpha_bar: (T + 1,) schedule.
        prediction: "eps", "v" or "x0": what the model returns.
        cond: tokens (N, L, D) and mask (N, L).
        generator: CPU source of the noise.
        batch_size: images a call; changes the speed, not the noise.

    Returns:
        (K,) float64 on the CPU.
    """
    losses = []
    for number in levels:
        x0, errors = x0_of(images), []
        noise = torch.randn(x0.shape, generator=generator).to(x0)
        for rows in torch.arange(len(x0)).split(batch_size):
            t = torch.full((len(rows),), number)
            xt = add_noise(x0[rows], noise[rows], t, alpha_bar)
            condition = [some[rows].to(xt.device) for some in cond or ()]
            output = model(xt, t.to(xt.device), *condition)
            eps_hat = predict_eps_from(output, xt, t, alpha_bar, prediction)
            errors.append(squared_error(eps_hat, noise[rows]).double().cpu())
        losses.append(torch.cat(errors).mean())
    return torch.stack(losses)


def load(path: Path | str, model: nn.Module) -> nn.Module:
    """Fill a network with the averaged weights of a checkpoint, ready to evaluate.

    Args:
        path: folder given to `train`.
        model: network of the same form, filled in place.

    Raises:
        FileNotFoundError: If there is no checkpoint.
        ValueError: If it is damaged or of another network.
    """
    restore_model(model, "ema", load_checkpoint(path).tensors)
    return model.eval()
