"""From a picture to a small stack of numbers, its latents, and back again.

Invariant: what a row becomes depends on that row alone. Latents that leave an
`Autoencoder` are scaled to a spread of about 1, as noise is; those inside its network
are not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glyflib.files import (
    DATA,
    fitting,
    read_config,
    read_weights,
    way_out,
    write_files,
)
from glyflib.unet import conv, group_norm, zeroed

SHIPPED = DATA / "autoencoder"
SETTINGS = ("scale", "training")  # kept in config.json as they are
KEYS = ("network", *SETTINGS, "sha256")  # of config.json
TRAIN = "train one with `glyflib data autoencoder`"
LOG_VARIANCES = (-14.0, 4.0)  # what the encoder may say: a std from 0.001 to 7.4


def kl_to_standard(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence of Gaussians from the standard one, in nats.

    All that the latents of a picture tell beyond noise: 0 where they are noise.

    Args:
        mean: (B, ...) of independent Gaussians.
        log_variance: (B, ...) natural logarithms of their variances.

    Returns:
        (B,) sums over all numbers of a row, at least 0.

    Raises:
        ValueError: If the shapes differ.

    References:
        Kingma and Welling 2014, appendix B, whose sign is the other one.
    """
    if mean.shape != log_variance.shape:
        shapes = f"{tuple(mean.shape)} and log_variance {tuple(log_variance.shape)}"
        raise ValueError(f"mean {shapes} must match")
    terms = mean.square() + log_variance.exp() - 1 - log_variance
    return terms.flatten(1).sum(1) / 2


def pixel_cost(logits: Tensor, x0: Tensor) -> Tensor:
    """What it costs to guess the pixels of pictures, beyond what it must cost, in nats.

    A pixel's grey is read as the chance of paper, and so is the guess. Their
    cross-entropy is least where they agree, and there it is the entropy of the grey,
    which is subtracted: what is left is their Kullback-Leibler divergence.

    Args:
        logits: (B, ...) guesses: log odds of paper.
        x0: (B, ...) pictures in [-1, 1], paper +1, ink -1.

    Returns:
        (B,) sums over the pixels of a picture, at least 0; 0 for a perfect guess.

    Raises:
        ValueError: If the shapes differ.

    References:
        Kingma and Welling 2014, appendix C.1, whose pixels are black or white. For
        greys it is no likelihood: Loaiza-Ganem and Cunningham 2019.
    """
    if logits.shape != x0.shape:
        shapes = f"{tuple(logits.shape)} and x0 {tuple(x0.shape)}"
        raise ValueError(f"logits {shapes} must match")
    paper = (x0 + 1) / 2
    found = F.binary_cross_entropy_with_logits(logits, paper, reduction="none")
    entropy = torch.special.entr(paper) + torch.special.entr(1 - paper)
    return (found - entropy).flatten(1).sum(1)


class Posterior(NamedTuple):
    """What the encoder says of B pictures: a Gaussian for each number of their latents.

    Attributes:
        mean: (B, C, h, w).
        log_variance: (B, C, h, w), natural logarithms.
    """

    mean: Tensor
    log_variance: Tensor

    def draw(self, eps: Tensor) -> Tensor:
        """Latents (B, C, h, w) of that Gaussian, from standard normal noise.

        Gradients pass through mean and variance, for the noise comes from outside.

        Args:
            eps: (B, C, h, w) standard normal.

        References:
            Kingma and Welling 2014, section 2.4 (the reparameterization trick).
        """
        return self.mean + (self.log_variance / 2).exp() * eps

    def kl(self) -> Tensor:
        """Nats (B,) that each picture's latents tell; see `kl_to_standard`."""
        return kl_to_standard(*self)


class PlainBlock(nn.Module):
    """Two convolutions beside a shortcut, as `unet.ResBlock`, but without a level.

    Args:
        in_channels: C, a multiple of 4.
        out_channels: C2, a multiple of 4.

    References:
        He et al. 2016, "Identity Mappings in Deep Residual Networks", Fig. 1b.
    """

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.norm1, self.norm2 = group_norm(in_channels), group_norm(out_channels)
        self.conv1 = conv(in_channels, out_channels)
        self.conv2 = zeroed(conv(out_channels, out_channels))
        self.shortcut = nn.Identity()
        if in_channels != out_channels:
            self.shortcut = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C2, H, W)."""
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h)))
        return self.shortcut(x) + h


def blocks(width: int, count: int) -> list[PlainBlock]:
    """So many blocks of one width."""
    return [PlainBlock(width, width) for _ in range(count)]


def read_out(width: int, out_channels: int) -> list[nn.Module]:
    """The last layers: from a width to what is asked for."""
    return [group_norm(width), nn.SiLU(), conv(width, out_channels)]


class AutoencoderNet(nn.Module):
    """Convolutions that fold a picture into latents, and others that unfold them.

    The decoder is the encoder backwards: the same widths, the same number of blocks,
    and one more block where the picture is smallest. `config` holds these arguments,
    ready for JSON.

    Args:
        latent_channels: C, channels of the latents.
        patch: side of the squares of pixels that are folded into channels first.
        channels: width of each level, multiples of 4; each level halves the side.
        num_blocks: blocks a level.

    Raises:
        ValueError: If an argument is out of range.

    References:
        Rombach et al. 2022, appendix G, without attention and without an adversary.
    """

    def __init__(
        self,
        *,
        latent_channels: int = 4,
        patch: int = 4,
        channels: Sequence[int] = (64, 128),
        num_blocks: int = 2,
    ):
        super().__init__()
        self.config = {
            "latent_channels": latent_channels,
            "patch": patch,
            "channels": list(channels),
            "num_blocks": num_blocks,
        }
        if min(latent_channels, patch, num_blocks) < 1:
            raise ValueError(f"a number is below 1 in {self.config}")
        if not channels or any(width < 4 or width % 4 for width in channels):
            raise ValueError(f"channels {list(channels)} must be multiples of 4")
        self.encoder = self.build_encoder()
        self.decoder = self.build_decoder()

    @property
    def factor(self) -> int:
        """How many times wider and higher a picture is than its latents."""
        return self.config["patch"] * 2 ** (len(self.config["channels"]) - 1)

    def latent_shape(self, size: tuple[int, int]) -> tuple[int, int, int]:
        """Shape (C, h, w) of the latents of a picture of H x W pixels.

        Args:
            size: H and W, multiples of `factor`.
        """
        H, W = size
        return self.config["latent_channels"], H // self.factor, W // self.factor

    def build_encoder(self) -> nn.Sequential:
        """Layers from a picture to the two numbers that describe each latent."""
        patch, channels = self.config["patch"], self.config["channels"]
        layers = [nn.PixelUnshuffle(patch), conv(patch**2, channels[0])]
        for level, width in enumerate(channels):
            if level:
                layers.append(conv(channels[level - 1], width, stride=2))
            layers += blocks(width, self.config["num_blocks"])
        layers += read_out(width, 2 * self.config["latent_channels"])
        return nn.Sequential(*layers)

    def build_decoder(self) -> nn.Sequential:
        """Layers from latents to the log odds of paper of each pixel."""
        patch, channels = self.config["patch"], self.config["channels"][::-1]
        layers = [conv(self.config["latent_channels"], channels[0])]
        layers += blocks(channels[0], 1)
        for level, width in enumerate(channels):
            if level:
                layers += [
                    conv(channels[level - 1], width),
                    nn.Upsample(scale_factor=2),
                ]
            layers += blocks(width, self.config["num_blocks"])
        layers += [*read_out(width, patch**2), nn.PixelShuffle(patch)]
        return nn.Sequential(*layers)

    def encode(self, x0: Tensor) -> Posterior:
        """What latents the pictures may have, (B, 1, S, S) -> (B, C, h, w) twice.

        Args:
            x0: (B, 1, S, S) in [-1, 1], S a multiple of `factor`.

        Raises:
            ValueError: If x0 has another shape, or is not floating.
        """
        check_pictures(x0, self.factor)
        mean, log_variance = self.encoder(x0).chunk(2, dim=1)
        return Posterior(mean, log_variance.clamp(*LOG_VARIANCES))

    def decode(self, z: Tensor) -> Tensor:
        """Log odds of paper, (B, C, h, w) -> (B, 1, S, S).

        Args:
            z: (B, C, h, w) latents as the network knows them, not scaled.

        Raises:
            ValueError: If z has another shape, or is not floating.
        """
        check_latents(z, self.config["latent_channels"])
        return self.decoder(z)

    def forward(self, x0: Tensor, eps: Tensor) -> tuple[Tensor, Posterior]:
        """Encode pictures, draw their latents, decode these.

        Args:
            x0: (B, 1, S, S) in [-1, 1].
            eps: (B, C, h, w) standard normal noise to draw latents with.

        Returns:
            Log odds of paper (B, 1, S, S), and the posterior.
        """
        posterior = self.encode(x0)
        return self.decode(posterior.draw(eps)), posterior


def check_pictures(x0: Tensor, factor: int) -> None:
    """Raise a ValueError unless these are pictures whose sides the factor divides."""
    is_shaped = x0.ndim == 4 and x0.shape[1] == 1 and len(x0)
    if not is_shaped or not x0.is_floating_point():
        raise ValueError(f"x0 {tuple(x0.shape)} {x0.dtype} must be (B, 1, S, S)")
    if x0.shape[2] % factor or x0.shape[3] % factor:
        raise ValueError(f"size {tuple(x0.shape[2:])} must be multiples of {factor}")


def check_latents(latents: Tensor, channels: int) -> None:
    """Raise a ValueError unless these are latents of so many channels."""
    is_shaped = latents.ndim == 4 and latents.shape[1] == channels and len(latents)
    if not is_shaped or not latents.is_floating_point():
        found = f"latents {tuple(latents.shape)} {latents.dtype}"
        raise ValueError(f"{found} must be (B, {channels}, h, w)")


def in_batches(
    function: Callable[[Tensor], Tensor], rows: Tensor, batch_size: int
) -> Tensor:
    """What a function makes of many rows, some at a time, float32 on the CPU."""
    if batch_size < 1:
        raise ValueError(f"batch_size {batch_size} must be at least 1")
    return torch.cat([function(part).float().cpu() for part in rows.split(batch_size)])


@dataclass(eq=False)
class Autoencoder:
    """A network and the scale of its latents: from pictures to latents, and back.

    Attributes:
        net: the network.
        scale: what its latents are multiplied with, so that their spread is 1.
        training: facts for the reader, kept in config.json.
        sha256: of the file of its weights, by which others know whose latents they
            have learnt; "" for one that was not loaded from a folder.

    Raises:
        ValueError: If the scale is not above 0.

    References:
        Rombach et al. 2022, section 4.3.2 and appendix D.1, on the scale.
    """

    net: AutoencoderNet
    scale: float = 1.0
    training: dict = field(default_factory=dict)
    sha256: str = ""

    def __post_init__(self):
        if not 0 < self.scale < float("inf"):
            raise ValueError(f"scale {self.scale} must be above 0, and finite")

    @property
    def channels(self) -> int:
        """C, channels of the latents."""
        return self.net.config["latent_channels"]

    @property
    def factor(self) -> int:
        """How many times wider and higher a picture is than its latents."""
        return self.net.factor

    @classmethod
    def load(cls, path: Path | str = SHIPPED) -> Self:
        """Load an autoencoder from a folder.

        Args:
            path: folder written by `save`.

        Raises:
            FileNotFoundError: If the folder or a file of it is missing.
            ValueError: If a file is damaged, or they do not belong together.
        """
        path = Path(path)
        ways_out = way_out(path, SHIPPED, TRAIN)
        config = read_config(path, KEYS, "autoencoder", ways_out)
        weights = read_weights(path, config["sha256"], "autoencoder", ways_out)
        with fitting(path, ways_out):
            net = AutoencoderNet(**config.pop("network"))
            net.load_state_dict(weights)
            return cls(net.eval().requires_grad_(False), **config)

    def save(self, path: Path | str) -> None:
        """Write config.json and weights in half precision, as `Glyffuser.save` does.

        Args:
            path: folder, made where it is missing.

        Raises:
            ValueError: If a weight is too large for half precision, or not a number.
            TypeError: If `training` does not fit in JSON.
        """
        config = {"network": self.net.config}
        config |= {name: getattr(self, name) for name in SETTINGS}
        write_files(Path(path), config, self.net.state_dict())

    @torch.no_grad()
    def encode(self, x0: Tensor, *, batch_size: int = 64) -> Tensor:
        """The likeliest latents of pictures, scaled.

        Args:
            x0: (B, 1, S, S) in [-1, 1], S a multiple of `factor`.
            batch_size: pictures encoded at once; changes memory and speed only.

        Returns:
            (B, C, S / factor, S / factor) float32.

        Raises:
            ValueError: If x0 has another shape or is not floating, or batch_size is
                below 1.
        """
        place = next(self.net.parameters())

        def means(part: Tensor) -> Tensor:
            return self.net.encode(part.to(place)).mean * self.scale

        check_pictures(x0, self.factor)
        return in_batches(means, x0, batch_size)

    @torch.no_grad()
    def decode(self, latents: Tensor, *, batch_size: int = 64) -> Tensor:
        """The pictures that latents stand for.

        Args:
            latents: (B, C, h, w), as `encode` gives them, or drawn.
            batch_size: pictures decoded at once; changes memory and speed only.

        Returns:
            x0_hat: (B, 1, factor * h, factor * w) float32 in [-1, 1].

        Raises:
            ValueError: If the latents have another shape or are not floating, or
                batch_size is below 1.
        """
        place = next(self.net.parameters())

        def pictures(part: Tensor) -> Tensor:
            logits = self.net.decode(part.to(place) / self.scale)
            return (logits / 2).tanh()  # 2 sigmoid(logits) - 1

        check_latents(latents, self.channels)
        return in_batches(pictures, latents, batch_size)

    def reconstruct(self, x0: Tensor, *, batch_size: int = 64) -> Tensor:
        """What is left of pictures (B, 1, S, S) once they went through their latents.

        Args:
            x0: (B, 1, S, S) in [-1, 1], S a multiple of `factor`.
            batch_size: pictures at once; changes memory and speed only.

        Raises:
            ValueError: As `encode` says.
        """
        return self.decode(
            self.encode(x0, batch_size=batch_size), batch_size=batch_size
        )
