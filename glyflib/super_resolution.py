"""From a small picture to one four times as wide: the second stage of a cascade.

Invariant: a picture depends on its small picture, its seed and the settings alone,
never on the batch that it is drawn in (up to float rounding).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glyflib.files import DATA, fitting, read_model, way_out, write_files
from glyflib.sampling import (
    PredictEps,
    Step,
    fresh_noise,
    last_of,
    sample_dpm,
    seeds_of,
)
from glyflib.schedule import (
    COSINE,
    add_noise,
    alpha_bar_of,
    check_prediction,
    predict_eps_from,
)
from glyflib.unet import UNet

SHIPPED = DATA / "super-resolution"
SETTINGS = ("factor", "max_aug_level", "prediction", "schedule", "training")
KEYS = ("unet", *SETTINGS, "sha256")  # of config.json
TRAIN = "train one with `glyflib data super-resolution`"


class SuperNet(nn.Module):
    """A U-net that sees the small picture, enlarged, beside the noisy large one.

    Args:
        unet: network of three channels in and one out.

    References:
        Saharia et al. 2022 (SR3), who hand over the small picture as channels too.
    """

    def __init__(self, unet: UNet):
        super().__init__()
        self.unet = unet

    def forward(self, xt: Tensor, t: Tensor, low: Tensor, std: Tensor) -> Tensor:
        """(B, 1, S, S), (B,), (B, 1, h, w), (B,) -> (B, 1, S, S).

        Args:
            xt: (B, 1, S, S) noisy large pictures.
            t: (B,) integer noise levels in [0, T].
            low: (B, 1, h, w) small pictures, noised.
            std: (B,) standard deviation of the noise in them, in [0, 1].
        """
        enlarged = F.interpolate(low, size=xt.shape[2:], mode="bilinear")
        plane = std[:, None, None, None].expand_as(xt)
        return self.unet(torch.cat([xt, enlarged, plane], dim=1), t)


def check_small(small: Tensor) -> None:
    """Raise a ValueError unless these are small pictures (B, 1, h, w), B above 0."""
    is_shaped = small.ndim == 4 and small.shape[1] == 1 and len(small) > 0
    if not is_shaped or not small.is_floating_point():
        raise ValueError(
            f"small {tuple(small.shape)} {small.dtype} must be (B, 1, h, w), x0"
        )


@dataclass(eq=False)
class SuperResolver:
    """Network and schedule that draw a large picture after a small one.

    The small picture is noised a little first, and the network is told how much: what
    another model drew is never quite like the pictures that this one was taught with,
    and noise hides the difference.

    Attributes:
        unet: network of three channels in (noisy, enlarged, level) and one out.
        factor: how many times wider and higher the large picture is.
        max_aug_level: highest level that small pictures were noised to in training.
        prediction: what the network returns: "eps", "v" or "x0".
        schedule: name and options of the schedule, for both noises.
        training: facts for the reader, kept in config.json.
        alpha_bar: (T + 1,) of that schedule.

    Raises:
        ValueError: If the parts do not fit each other.

    References:
        Ho et al. 2022 (cascaded diffusion models), "conditioning augmentation".
    """

    unet: UNet
    factor: int = 4
    max_aug_level: int = 300
    prediction: str = "v"
    schedule: dict = field(default_factory=COSINE.copy)
    training: dict = field(default_factory=dict)
    alpha_bar: Tensor = field(init=False, repr=False)

    def __post_init__(self):
        check_prediction(self.prediction)
        self.alpha_bar = alpha_bar_of(self.schedule)
        self.net = SuperNet(self.unet)
        channels = self.unet.config["in_channels"], self.unet.config["out_channels"]
        if channels != (3, 1) or self.unet.config["text_dim"] is not None:
            raise ValueError(
                f"the network must read 3 channels, no text, and write 1: "
                f"{self.unet.config}"
            )
        if self.factor < 1:
            raise ValueError(f"factor {self.factor} must be at least 1")
        if not 0 <= self.max_aug_level < len(self.alpha_bar):
            raise ValueError(f"max_aug_level {self.max_aug_level} is out of range")

    @classmethod
    def load(cls, path: Path | str = SHIPPED) -> Self:
        """Load a super-resolver from a folder.

        Args:
            path: folder written by `save`.

        Raises:
            FileNotFoundError: If the folder or a file of it is missing.
            ValueError: If a file is damaged, or they do not belong together.
        """
        path = Path(path)
        ways_out = way_out(path, SHIPPED, TRAIN)
        config, weights = read_model(path, KEYS, "super-resolver", ways_out)
        with fitting(path, ways_out):
            unet = UNet(**config.pop("unet"))
            unet.load_state_dict(weights)
            return cls(unet.eval(), **config)

    def save(self, path: Path | str) -> None:
        """Write config.json and weights in half precision, as `Glyffuser.save` does.

        Args:
            path: folder, made where it is missing.

        Raises:
            ValueError: If a weight is too large for half precision, or not a number.
            TypeError: If `training` does not fit in JSON.
        """
        config = {"unet": self.unet.config}
        config |= {name: getattr(self, name) for name in SETTINGS}
        write_files(Path(path), config, self.unet.state_dict())

    def noised(self, small: Tensor, aug_level: int, sources: Sequence) -> Tensor:
        """Small pictures at a level, each with noise from a source of its own.

        Args:
            small: (B, 1, h, w) in [-1, 1].
            aug_level: level to noise them to, in [0, T].
            sources: B CPU generators, one a row.

        Returns:
            (B, 1, h, w), of the dtype of small.

        Raises:
            ValueError: If there are not B sources, or the level is out of range.

        References:
            Ho et al. 2022 (cascaded diffusion models), "Gaussian conditioning
            augmentation".
        """
        eps = fresh_noise(torch.empty_like(small), sources)
        level = torch.full((len(small),), aug_level)
        return add_noise(small, eps, level, self.alpha_bar)

    def predict_eps_for(self, low: Tensor, aug_level: int) -> PredictEps:
        """The noise that the network sees in large pictures, beside their small ones.

        Args:
            low: (B, 1, h, w) small pictures, as `noised` gives them.
            aug_level: level that they were noised to.

        Returns:
            predict_eps of (xt, t), as samplers ask for it.
        """
        place = next(self.unet.parameters())
        std = (1 - self.alpha_bar[aug_level]).sqrt().to(place).expand(len(low))

        def predict_eps(xt: Tensor, t: Tensor) -> Tensor:
            inputs = xt.to(place), t.to(place.device), low.to(place), std
            output = self.net(*inputs).to(xt)
            return predict_eps_from(output, xt, t, self.alpha_bar, self.prediction)

        return predict_eps

    def steps(
        self,
        small: Tensor,
        *,
        num_steps: int = 20,
        aug_level: int = 100,
        sampler: Callable[..., Iterator[Step]] = sample_dpm,
        seed: int | Sequence[int] = 0,
    ) -> Iterator[Step]:
        """Draw large pictures, and yield every `Step`, float64 on the CPU.

        Args:
            small: (B, 1, h, w) in [-1, 1].
            num_steps: steps of the sampler, in [1, T].
            aug_level: level that the small pictures are noised to, in
                [0, max_aug_level]: 0 trusts them wholly, more mends more.
            sampler: any of `glyflib.sampling`, or one with options fixed.
            seed: picture i draws all its noise from seed + i; or B seeds.

        Raises:
            ValueError: If an argument is out of range or of a wrong shape.
        """
        check_small(small)
        if not 0 <= aug_level <= self.max_aug_level:
            raise ValueError(
                f"aug_level {aug_level} must lie in [0, {self.max_aug_level}]"
            )
        B, _, h, w = small.shape
        sources = [torch.Generator().manual_seed(one) for one in seeds_of(seed, B)]
        xt = torch.empty(B, 1, h * self.factor, w * self.factor).double()
        xt = fresh_noise(xt, sources)
        low = self.noised(small.double().cpu(), aug_level, sources)
        predict_eps = self.predict_eps_for(low, aug_level)
        return sampler(
            predict_eps, xt, self.alpha_bar, num_steps=num_steps, generator=sources
        )

    def sample(
        self,
        small: Tensor,
        *,
        seed: int | Sequence[int] = 0,
        batch_size: int = 16,
        progress: Callable[[Sequence], Iterable] = list,
        **options,
    ) -> Tensor:
        """Draw large pictures (B, 1, S, S) in [-1, 1].

        Args:
            small: (B, 1, h, w) in [-1, 1].
            seed: picture i draws all its noise from seed + i; or B seeds.
            batch_size: pictures drawn at once; changes memory and speed, no picture.
            progress: wraps the batches, as tqdm does.
            options: `num_steps`, `aug_level` and `sampler`, as those of `steps`.

        Raises:
            ValueError: If batch_size is below 1, or as `steps` says.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size {batch_size} must be at least 1")
        check_small(small)
        seeds, found = seeds_of(seed, len(small)), []
        for first in progress(range(0, len(small), batch_size)):
            rows = slice(first, first + batch_size)
            steps = self.steps(small[rows], seed=seeds[rows], **options)
            found.append(last_of(steps).xt.clamp(-1, 1).float())
        return torch.cat(found)
