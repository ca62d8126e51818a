"""What a network is asked to learn: configuration, target, weight, rate and draws.

Invariant: what is drawn depends on the generator and the configuration alone; each
process draws the whole batch and keeps its own rows.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from glyflib.schedule import eps_from_v, eps_from_x0, v_from_x0_eps

Condition = tuple[Tensor, Tensor]
PREDICTIONS = ("eps", "v", "x0")


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
        checkpoint_seconds: time between checkpoints; 0 for one after each step.

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
            "learning_rate": self.learning_rate > 0,
            "warmup": 0 <= self.warmup < self.steps,
            "weight_decay": self.weight_decay >= 0,
            "clip_norm": self.clip_norm is None or self.clip_norm > 0,
            "ema_decay": 0 <= self.ema_decay < 1,
            "caption_dropout": 0 <= self.caption_dropout <= 1,
            "min_snr_gamma": self.min_snr_gamma is None or self.min_snr_gamma > 0,
            "checkpoint_seconds": self.checkpoint_seconds >= 0,
        }
        for name, is_fine in ranges.items():
            if not is_fine:
                raise ValueError(f"{name} {getattr(self, name)} is out of range")


def check_prediction(prediction: str) -> None:
    """Raise a ValueError unless the name is known."""
    if prediction not in PREDICTIONS:
        names = ", ".join(PREDICTIONS)
        raise ValueError(f"prediction {prediction!r} must be one of {names}")


def predict_eps_from(
    output: Tensor, xt: Tensor, t: Tensor, alpha_bar: Tensor, prediction: str
) -> Tensor:
    """Turn what a network returns (B, ...) into eps_hat (B, ...).

    Args:
        output: (B, ...) eps_hat, v_hat or x0_hat, as `prediction` says.
        xt: (B, ...) noisy data that the network saw.
        t: (B,) integer noise levels in [1, T].
        alpha_bar: (T + 1,) schedule.
        prediction: "eps", "v" or "x0".

    Raises:
        ValueError: If the name is unknown.

    References:
        Salimans and Ho 2022, section 4.
    """
    check_prediction(prediction)
    if prediction == "eps":
        return output
    convert = eps_from_v if prediction == "v" else eps_from_x0
    return convert(xt, output, t, alpha_bar)


def target_of(
    prediction: str, x0: Tensor, eps: Tensor, t: Tensor, alpha_bar: Tensor
) -> Tensor:
    """What the network ought to return (B, ...); see `predict_eps_from`."""
    if prediction == "v":
        return v_from_x0_eps(x0, eps, t, alpha_bar)
    return eps if prediction == "eps" else x0


def squared_error(output: Tensor, target: Tensor) -> Tensor:
    """Mean squared error of each sample (B,), in float32.

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

    References:
        Loshchilov and Hutter 2017 (SGDR), Eq. 5, without restarts.
    """
    if step < config.warmup:
        return config.learning_rate * (step + 1) / (config.warmup + 1)
    share = (step - config.warmup) / (config.steps - config.warmup)
    return config.learning_rate * (1 + math.cos(math.pi * share)) / 2


def loss_weight(t: Tensor, alpha_bar: Tensor, config: TrainConfig) -> Tensor:
    """Weight (B,) of each squared error: 1, or min(SNR, gamma) of the error in x0.

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
    """Rows to draw from, on the device; see `train`."""

    images: Tensor
    cond: Condition | None
    null: Condition | None


class Batch(NamedTuple):
    """One draw; `t` stays on the CPU, where the schedule is."""

    x0: Tensor
    eps: Tensor
    t: Tensor
    condition: tuple[Tensor, ...]


def check_data(data: Data, batch_size: int, num_processes: int) -> None:
    """Raise a ValueError that names what does not fit."""
    images, cond, null = data
    if not len(images) or not (
        images.dtype == torch.uint8 or images.is_floating_point()
    ):
        raise ValueError(f"images {tuple(images.shape)} {images.dtype}: none to learn")
    if batch_size > len(images):
        raise ValueError(
            f"batch_size {batch_size} is above the {len(images)} images: repeat them"
        )
    if batch_size % num_processes:
        raise ValueError(f"batch_size {batch_size} must divide by {num_processes}")
    if (cond is None) != (null is None):
        raise ValueError("cond and null must be given together")
    for some, empty in zip(cond or (), null or (), strict=True):
        if len(some) != len(images) or empty.shape != (1, *some.shape[1:]):
            shapes = f"cond {tuple(some.shape)} and null {tuple(empty.shape)}"
            raise ValueError(f"{shapes} must be {len(images)} rows and 1, of one shape")


def x0_of(rows: Tensor) -> Tensor:
    """Scale uint8 rows to float32 x0 in [-1, 1]; floating rows are x0 already."""
    return rows.float() / 127.5 - 1 if rows.dtype == torch.uint8 else rows.float()


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


def draw_batch(
    data: Data,
    config: TrainConfig,
    num_levels: int,
    generator: torch.Generator,
    mine: slice = slice(None),
) -> Batch:
    """Draw a batch over all processes, and keep the part of this one.

    Rows are drawn with replacement, levels evenly from 1 to T.
    """
    B, device = config.batch_size, data.images.device
    rows = torch.randint(len(data.images), (B,), generator=generator)[mine]
    t = torch.randint(1, num_levels + 1, (B,), generator=generator)[mine]
    is_dropped = torch.rand(B, generator=generator)[mine] < config.caption_dropout
    eps = torch.randn(B, *data.images.shape[1:], generator=generator)[mine]
    rows, is_dropped = rows.to(device), is_dropped.to(device)
    condition = draw_condition(data, rows, is_dropped)
    return Batch(x0_of(data.images[rows]), eps.to(device), t, condition)
