"""Teaching a network to see through noise, as a generator of steps.

Invariant: every random number of a run comes from one generator, seeded by its
configuration. Nothing that happens between two steps can change the next one, and
the number of processes does not change what is drawn.
"""

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import torch
from accelerate import Accelerator
from accelerate.utils import send_to_device
from torch import Tensor, nn

from glyflib.checkpoint import (
    EMA,
    Run,
    check_same,
    load_checkpoint,
    restore_model,
    save_checkpoint,
    stored_checkpoint,
)
from glyflib.data import x0_from_images
from glyflib.precision import products_in_bf16
from glyflib.sampling import PredictEps
from glyflib.schedule import (
    add_noise,
    check_prediction,
    target_of,
)

#: Tokens (N, L, D) and mask (N, L) bool, True for real tokens; as `TextCondition`.
Condition = tuple[Tensor, Tensor]
FIRST_CHECKPOINT = 15.0  # seconds after which the first one comes at the latest


@dataclass(frozen=True)
class TrainConfig:
    """How to train; stored in the checkpoint.

    Attributes:
        steps: number of updates.
        batch_size: samples a step, over all processes together.
        learning_rate: peak, reached after the warm-up.
        warmup: steps of linear rise, in [0, steps).
        weight_decay: of AdamW.
        clip_norm: largest norm of the gradient; None for no limit.
        ema_decay: of the averaged weights, in [0, 1).
        ema_warmup: whether that decay rises from 2 / 11; see `EMA`.
        caption_dropout: share of samples that see the empty condition, in [0, 1].
        prediction: what the network returns: "eps", "v" or "x0".
        min_snr_gamma: limit of the signal-to-noise weight; None weighs all levels 1.
        seed: of all that is drawn.
        bf16: whether a GPU computes in bfloat16.
        cpu_bf16: whether a CPU multiplies in it; quicker only where it has
            instructions for that, such as AVX-512 BF16 or AMX.
        checkpoint_seconds: time between checkpoints; 0 for one after each step. The
            first comes after `FIRST_CHECKPOINT` seconds at the latest.

    Raises:
        ValueError: If a value is out of range.
    """

    steps: int
    batch_size: int = 32
    learning_rate: float = 5e-4
    warmup: int = 100
    weight_decay: float = 0.01
    clip_norm: float | None = 1.0
    ema_decay: float = 0.999
    ema_warmup: bool = True
    caption_dropout: float = 0.1
    prediction: str = "v"
    min_snr_gamma: float | None = None
    seed: int = 0
    bf16: bool = True
    cpu_bf16: bool = False
    checkpoint_seconds: float = 60.0

    def __post_init__(self):
        check_prediction(self.prediction)
        ranges = {
            "steps": self.steps >= 1,
            "batch_size": self.batch_size >= 1,
            "learning_rate": 0 < self.learning_rate < math.inf,
            "warmup": 0 <= self.warmup < self.steps,
            "weight_decay": 0 <= self.weight_decay < math.inf,
            "clip_norm": self.clip_norm is None or self.clip_norm > 0,
            "ema_decay": 0 <= self.ema_decay < 1,
            "caption_dropout": 0 <= self.caption_dropout <= 1,
            "min_snr_gamma": self.min_snr_gamma is None or self.min_snr_gamma > 0,
            "checkpoint_seconds": self.checkpoint_seconds >= 0,
        }
        for name, is_fine in ranges.items():
            if not is_fine:
                raise ValueError(f"{name} {getattr(self, name)} is out of range")


def squared_error(output: Tensor, target: Tensor) -> Tensor:
    """Mean squared error of each sample (B,), in float32.

    Args:
        output: (B, ...) what the network returned.
        target: (B, ...) what it ought to return.

    Raises:
        ValueError: If the shapes differ: broadcasting would hide a wrong network.
    """
    if output.shape != target.shape:
        shapes = f"{tuple(output.shape)}, not {tuple(target.shape)}"
        raise ValueError(f"the network returns {shapes}")
    return (output.float() - target).square().flatten(1).mean(1)


def learning_rate_at(step: int, config: TrainConfig) -> float:
    """Rate of the update after `step` others: a line up, then half a cosine down.

    It peaks at step `warmup` and would be 0 at step `steps`, so none is wasted.

    Args:
        step: number of updates before this one, in [0, steps).
        config: its peak, warm-up and number of steps.

    References:
        Loshchilov and Hutter 2017 (SGDR), Eq. 5, without restarts.
    """
    if step < config.warmup:
        return config.learning_rate * (step + 1) / (config.warmup + 1)
    share = (step - config.warmup) / (config.steps - config.warmup)
    return config.learning_rate * (1 + math.cos(math.pi * share)) / 2


def loss_weight(t: Tensor, alpha_bar: Tensor, config: TrainConfig) -> Tensor:
    """Weight (B,) of each squared error: 1, or min(SNR, gamma) of the error in x0.

    Args:
        t: (B,) integer noise levels in [1, T].
        alpha_bar: (T + 1,) schedule.
        config: its prediction and gamma; without gamma all weights are 1.

    References:
        Hang et al. 2023 (Min-SNR), with its forms for eps and v.
    """
    gamma, a = config.min_snr_gamma, alpha_bar[t]
    if gamma is None:
        return torch.ones_like(a)
    snr = a / (1 - a)
    if config.prediction == "eps":
        return (gamma / snr).clamp(max=1)
    return snr.clamp(max=gamma) / (snr + 1 if config.prediction == "v" else 1)


class Data(NamedTuple):
    """Rows to draw from, on the device; see `train`.

    Attributes:
        images: (N, ...) uint8, or floating x0.
        cond: tokens (M, L, D) and mask (M, L); None without conditions.
        null: the empty condition, (1, L, D) and (1, L); None without conditions.
        choices: (N, K) int64 on the CPU, rows of cond that each picture may be told;
            None if row i is that of picture i, and M is N.
        weights: (N,) on the CPU, of each picture's error; None if all weigh 1.
    """

    images: Tensor
    cond: Condition | None
    null: Condition | None
    choices: Tensor | None = None
    weights: Tensor | None = None


class Batch(NamedTuple):
    """One draw of a training step.

    Attributes:
        x0: (B, ...) clean data in [-1, 1], on the device.
        eps: (B, ...) standard normal noise, on the device.
        t: (B,) int64 levels in [1, T], on the CPU, where the schedule is.
        condition: tokens (B, L, D) float32 and mask (B, L); empty without conditions.
        weight: (B,) of each error, on the CPU; None if all weigh 1.
    """

    x0: Tensor
    eps: Tensor
    t: Tensor
    condition: tuple[Tensor, ...]
    weight: Tensor | None = None


def check_data(data: Data, batch_size: int, num_processes: int) -> None:
    """Raise a ValueError that names what does not fit."""
    images, cond, null, choices, weights = data
    if not len(images) or not (
        images.dtype == torch.uint8 or images.is_floating_point()
    ):
        raise ValueError(f"images {tuple(images.shape)} {images.dtype}: none to learn")
    if batch_size % num_processes:
        raise ValueError(f"batch_size {batch_size} must divide by {num_processes}")
    if (cond is None) != (null is None):
        raise ValueError("cond and null must be given together")
    num_rows = len(images)
    if choices is not None:
        num_rows = check_choices(choices, num_rows, cond)
    for some, empty in zip(cond or (), null or (), strict=True):
        if len(some) != num_rows or empty.shape != (1, *some.shape[1:]):
            shapes = f"cond {tuple(some.shape)} and null {tuple(empty.shape)}"
            raise ValueError(f"{shapes} must be {num_rows} rows and 1, of one shape")
    if weights is None:
        return
    if weights.shape != (len(images),) or not (
        weights.isfinite().all() and weights.min() >= 0 and weights.sum() > 0
    ):
        told = f"weights {tuple(weights.shape)} must be ({len(images)},), one a picture"
        raise ValueError(f"{told}, none below 0 and not all of them 0")


def check_choices(choices: Tensor, num_images: int, cond: Condition | None) -> int:
    """How many conditions there are; a ValueError unless the choices are among them."""
    if cond is None:
        raise ValueError("choices are rows of cond: give it as well")
    if choices.ndim != 2 or len(choices) != num_images or not choices.shape[1]:
        shape = tuple(choices.shape)
        raise ValueError(f"choices {shape} must be ({num_images}, K), K at least 1")
    if not 0 <= choices.min() <= choices.max() < len(cond[0]):
        raise ValueError(f"choices must be rows of cond, from 0 to {len(cond[0]) - 1}")
    return len(cond[0])


def draw_condition(data: Data, rows: Tensor, is_dropped: Tensor) -> tuple[Tensor, ...]:
    """Conditions of the rows, or the empty one where dropped (B,), sample by sample.

    References:
        Ho and Salimans 2022, Algorithm 1.
    """
    if data.cond is None:
        return ()
    (tokens, mask), (null_tokens, null_mask) = data.cond, data.null
    tokens = tokens[rows].where(~is_dropped[:, None, None], null_tokens)
    return tokens.float(), mask[rows].where(~is_dropped[:, None], null_mask)


def chosen_rows(data: Data, rows: Tensor, share: Tensor) -> Tensor:
    """Which condition each picture is told, (B,) rows of cond.

    Args:
        data: where there are no choices, row i of cond is that of picture i.
        rows: (B,) of the pictures.
        share: (B,) even in [0, 1): how far down its choices each picture's lies.
    """
    if data.choices is None:
        return rows
    K = data.choices.shape[1]
    return data.choices[rows, (K * share).long().clamp(0, K - 1)]


def draw_batch(
    data: Data,
    config: TrainConfig,
    num_levels: int,
    generator: torch.Generator,
    mine: slice = slice(None),
) -> Batch:
    """Draw a batch over all processes, and keep the part of this one.

    Rows are drawn with replacement, levels evenly from 1 to T. One random number a
    picture tells whether its condition is dropped and, where it is not, which of its
    choices it is told: so runs with and without choices see the same noisy pictures.

    Args:
        data: rows to draw from.
        config: its batch size and caption dropout.
        num_levels: the highest one, T.
        generator: CPU source of all that is random.
        mine: which rows of the batch this process keeps; all by default.

    References:
        Ho et al. 2020, Algorithm 1; dropped conditions: Ho and Salimans 2022,
        Algorithm 1.
    """
    B, device = config.batch_size, data.images.device
    rows = torch.randint(len(data.images), (B,), generator=generator)[mine]
    t = torch.randint(1, num_levels + 1, (B,), generator=generator)[mine]
    even, dropout = torch.rand(B, generator=generator)[mine], config.caption_dropout
    eps = torch.randn(B, *data.images.shape[1:], generator=generator)[mine]
    is_dropped, share = even < dropout, (even - dropout) / max(1 - dropout, 1e-6)
    told = chosen_rows(data, rows, share).to(device)
    weight = None if data.weights is None else data.weights[rows]
    condition = draw_condition(data, told, is_dropped.to(device))
    x0 = x0_from_images(data.images[rows.to(device)])
    return Batch(x0, eps.to(device), t, condition, weight)


class TrainStep(NamedTuple):
    """What training yields after each update.

    Attributes:
        step: number of updates so far, from 1.
        loss: weighted squared error, the mean over all processes.
        learning_rate: used in this update.
        grad_norm: norm of the gradient before clipping.
        ema_model: network with the averaged weights, to sample from.
        is_kept: whether a checkpoint holds the state after this update.
    """

    step: int
    loss: float
    learning_rate: float
    grad_norm: float
    ema_model: nn.Module
    is_kept: bool = False


@contextmanager
def draws_of_layers(
    step: int, config: TrainConfig, accelerator: Accelerator
) -> Iterator[None]:
    """Seed what layers such as dropout draw for themselves, by the number of the step.

    They use torch's global generator, which is left as it was: so a resumed run draws
    what it would have drawn, and each process draws numbers of its own.

    Args:
        step: number of updates before this one.
        config: its seed.
        accelerator: whose device and process these are.
    """
    device = accelerator.device
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        whole = step * accelerator.num_processes + accelerator.process_index
        torch.manual_seed(((config.seed << 32) + whole) % 2**63)
        yield


def take_step(
    run: Run,
    net: nn.Module,
    batch: Batch,
    config: TrainConfig,
    alpha_bar: Tensor,
    accelerator: Accelerator,
) -> TrainStep:
    """Make one update of the weights and of their average."""
    (x0, eps, t, condition, weight), device = batch, batch.x0.device
    xt = add_noise(x0, eps, t, alpha_bar)
    net.train()
    in_bf16 = products_in_bf16(device.type, on_gpu=config.bf16, on_cpu=config.cpu_bf16)
    with in_bf16, draws_of_layers(run.step, config, accelerator):
        output = net(xt, t.to(device), *condition)
    error = squared_error(output, target_of(config.prediction, x0, eps, t, alpha_bar))
    weight = 1 if weight is None else weight.to(error)
    loss = (loss_weight(t, alpha_bar, config).to(error) * weight * error).mean()
    return update_weights(run, loss, config, accelerator)


def update_weights(
    run: Run, loss: Tensor, config: TrainConfig, accelerator: Accelerator
) -> TrainStep:
    """Go one step down the slope of a loss, with the weights and with their average.

    Args:
        run: what changes.
        loss: of a batch, a single number that its network's weights led to.
        config: learning rates and the largest norm of the gradient.
        accelerator: that the run is on.

    Raises:
        FloatingPointError: If the loss or the gradient is not finite; nothing has
            changed then.
    """
    rate = learning_rate_at(run.step, config)
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
    save: Callable[[], bool],
    draw: Callable[..., Batch],
) -> Iterator[TrainStep]:
    """Draw, update, save when it is time, yield; `save` says whether it did."""
    share = config.batch_size // accelerator.num_processes
    first = share * accelerator.process_index
    mine = slice(first, first + share)

    def take() -> TrainStep:
        batch = draw(data, config, len(alpha_bar) - 1, run.generator, mine)
        return take_step(run, net, batch, config, alpha_bar, accelerator)

    return repeat(take, run, config, accelerator, save)


def repeat(
    take: Callable[[], TrainStep],
    run: Run,
    config: TrainConfig,
    accelerator: Accelerator,
    save: Callable[[], bool],
) -> Iterator[TrainStep]:
    """Take steps up to the last, and save when it is time.

    Args:
        take: makes one update of the run.
        run: what changes.
        config: how many steps, and the time between checkpoints.
        accelerator: that the run is on.
        save: writes a checkpoint, and says whether it did.
    """
    last_save = monotonic()
    wait = min(config.checkpoint_seconds, FIRST_CHECKPOINT)
    while run.step < config.steps:
        step = take()
        is_last = run.step == config.steps
        is_due = is_last or monotonic() - last_save >= wait
        is_kept = is_due and accelerator.is_main_process and save()
        if is_kept:
            last_save, wait = monotonic(), config.checkpoint_seconds
        if is_last:
            accelerator.wait_for_everyone()
        yield step._replace(is_kept=is_kept)


def train(
    model: nn.Module,
    images: Tensor,
    config: TrainConfig,
    alpha_bar: Tensor,
    *,
    cond: Condition | None = None,
    null: Condition | None = None,
    choices: Tensor | None = None,
    weights: Tensor | None = None,
    data_sha256: str = "",
    directory: Path | str | None = None,
    resume: bool = False,
    accelerator: Accelerator | None = None,
    draw: Callable[..., Batch] = draw_batch,
) -> Iterator[TrainStep]:
    """Train a network in place, one yield an update; the caller owns bar and plot.

    The network is called as `model(xt, t, tokens, mask)`, or `model(xt, t)` without
    conditions. Layers that draw for themselves, such as dropout, are seeded anew at
    each step.

    Args:
        model: network that returns eps_hat, v_hat or x0_hat as the config says.
        images: (N, ...) uint8, scaled to [-1, 1]; or floating, x0 as it is.
        config: how to train.
        alpha_bar: (T + 1,) schedule.
        cond: tokens (N, L, D) and mask (N, L), row by row those of the images; with
            choices, M rows instead of N.
        null: the empty condition, (1, L, D) and (1, L): encode "" together with the
            captions, so that all have one length.
        choices: (N, K) int64, rows of cond: at each step an image is told one of its K.
        weights: (N,) of the images' errors, 0 for those that are left out; their scale
            counts, as that of a learning rate does.
        data_sha256: of the file that the data are from; kept in the checkpoint.
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
    data = Data(images, cond, null, choices, weights)
    check_data(data, config.batch_size, accelerator.num_processes)
    if accelerator.mixed_precision != "no":
        raise ValueError(
            f"Accelerate is set to mixed precision {accelerator.mixed_precision}: "
            "unset ACCELERATE_MIXED_PRECISION, or answer `no` in `accelerate config`; "
            "TrainConfig's bf16 and cpu_bf16 say in what is multiplied"
        )
    stored = stored_checkpoint(directory, resume)
    alpha_bar = alpha_bar.to("cpu", torch.float64)
    shapes = [list(rows.shape) for rows in (images, *(cond or ()))]
    facts = {"config": asdict(config), "shapes": shapes, "data_sha256": data_sha256}
    facts["shown"] = digest_of(choices, weights)
    net = accelerator.prepare(model)
    run = new_run(model, config)
    if stored is not None:
        check_same(stored, facts, alpha_bar)
        run.restore(stored)

    def save() -> bool:
        if directory is None:
            return False
        save_checkpoint(directory, run.to_checkpoint(facts, alpha_bar=alpha_bar))
        return True

    placed = send_to_device((images, cond, null), accelerator.device)
    data = Data(*placed, choices, weights)
    return run_steps(run, net, data, config, alpha_bar, accelerator, save, draw)


def digest_of(choices: Tensor | None, weights: Tensor | None) -> str:
    """The sha256 of what tells how often a picture and its texts are shown; "" if none.

    A run goes on only with the choices and weights that it began with.
    """
    if choices is None and weights is None:
        return ""
    found = hashlib.sha256()
    for some in (choices, weights):
        rows = torch.zeros(0) if some is None else some.contiguous()
        found.update(f"{rows.dtype} {tuple(rows.shape)} ".encode())
        found.update(rows.numpy().tobytes())
    return found.hexdigest()


@torch.no_grad()
def errors_by_level(
    predict_eps: PredictEps,
    x0: Tensor,
    levels: Sequence[int],
    alpha_bar: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """Mean squared error of eps_hat for each picture at each level.

    All denoisers that are given a generator of one seed see the same noise, so that
    networks can be compared with each other and with the exact ones. The error in v is
    this one divided by alpha_bar (Salimans and Ho 2022, section 4).

    Args:
        predict_eps: callable of (xt, t) that returns eps_hat for these N pictures, such
            as `glyffuser.denoiser(captions)`.
        x0: (N, ...) clean pictures.
        levels: K integer noise levels in [1, T].
        alpha_bar: (T + 1,) schedule.
        generator: CPU source of the noise.

    Returns:
        (K, N) float64 on the CPU.

    Raises:
        ValueError: If a level is out of range, or eps_hat has another shape than x0.
    """
    rows = []
    for number in levels:
        eps = torch.randn(x0.shape, generator=generator).to(x0)
        t = torch.full((len(x0),), number)
        eps_hat = predict_eps(add_noise(x0, eps, t, alpha_bar), t)
        rows.append(squared_error(eps_hat, eps).double().cpu())
    return torch.stack(rows)


def load(path: Path | str, model: nn.Module) -> nn.Module:
    """Fill a network with the averaged weights of a checkpoint, ready to evaluate.

    Args:
        path: folder given to `train`.
        model: network of the same form, filled in place.

    Returns:
        The same network, in evaluation mode.

    Raises:
        FileNotFoundError: If there is no checkpoint.
        ValueError: If it is damaged or of another network.
    """
    restore_model(model, "ema", load_checkpoint(path).tensors)
    return model.eval()
