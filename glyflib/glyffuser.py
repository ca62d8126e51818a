"""The glyffuser: from English words to a glyph that nobody has written before.

Invariant: a picture depends on its prompt, its seed and the settings alone, never on
the batch that it is drawn in (up to float rounding).
"""

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import torch
from PIL import Image
from torch import Tensor

from glyflib.data import images_from_x0
from glyflib.files import (
    DATA,
    fitting,
    read_config,
    read_weights,
    write_files,
)
from glyflib.sampling import PredictEps, Step, fresh_noise, sample_dpm, seeds_of
from glyflib.schedule import (
    COSINE,
    alpha_bar_of,
    check_prediction,
    predict_eps_from,
)
from glyflib.text import SHIPPED as SHIPPED_ENCODER
from glyflib.text import TextCondition, TextEncoder, check_prompts
from glyflib.unet import UNet

SHIPPED = DATA / "glyffuser-32"
WAYS_OUT = (
    "restore the shipped one with `git checkout -- data/glyffuser-32`, or train your "
    "own with `glyflib train`"
)
KEYS = (  # of config.json, from the network to the weights it belongs to
    "unet",
    "size",
    "prediction",
    "schedule",
    "text_encoder",
    "max_tokens",
    "training",
    "sha256",
)


Sampler = Callable[..., Iterator[Step]]


def check_parts(config: dict, width: int, size: int, max_tokens: int) -> None:
    """Raise a ValueError unless a network, an encoder's width and sizes go together."""
    if config["text_dim"] != width:
        raise ValueError(
            f"the network reads text of width {config['text_dim']}, the encoder writes "
            f"{width}: give the encoder that it was trained with"
        )
    if config["in_channels"] != 1:
        raise ValueError(f"in_channels {config['in_channels']} must be 1: grey")
    step = config["patch"] * 2 ** (len(config["channels"]) - 1)
    if size < 1 or size % step:
        raise ValueError(f"size {size} must be a multiple of {step}")
    if max_tokens < 1:
        raise ValueError(f"max_tokens {max_tokens} must be at least 1")


def find_encoder(path: Path, name: str) -> Path | str:
    """The encoder's folder beside a glyffuser's, the shipped one, or its hub name."""
    beside = path.resolve().parent / name
    if beside.is_dir():
        return beside
    return SHIPPED_ENCODER if name == SHIPPED_ENCODER.name else name


@dataclass(eq=False)
class Glyffuser:
    """Network, text encoder and schedule: all that it takes to draw.

    The sampler runs on the CPU in float64, where x0_hat is exact even at levels with
    almost no signal; the network computes in its own precision, wherever it is.

    Attributes:
        unet: network for one-channel pictures that reads text.
        encoder: its text encoder.
        size: S, height and width of a picture.
        prediction: what the network returns: "eps", "v" or "x0".
        schedule: name and options of the schedule that it was trained with.
        text_encoder: where the encoder is found when the glyffuser is loaded: the name
            of a folder beside the glyffuser's own, or a hub name.
        max_tokens: longest prompt that it was trained with.
        training: facts for the reader, kept in config.json.
        alpha_bar: (T + 1,) of that schedule.

    Raises:
        ValueError: If the parts do not fit each other.
    """

    unet: UNet
    encoder: TextEncoder
    size: int = 32
    prediction: str = "v"
    schedule: dict = field(default_factory=COSINE.copy)
    text_encoder: str = SHIPPED_ENCODER.name
    max_tokens: int = 40
    training: dict = field(default_factory=dict)
    alpha_bar: Tensor = field(init=False, repr=False)

    def __post_init__(self):
        check_prediction(self.prediction)
        self.alpha_bar = alpha_bar_of(self.schedule)
        check_parts(self.unet.config, self.encoder.width, self.size, self.max_tokens)

    @classmethod
    def load(
        cls, path: Path | str = SHIPPED, *, encoder: TextEncoder | None = None
    ) -> Self:
        """Load a glyffuser, with the encoder that its config.json names.

        A folder beside its own comes first; then, under the shipped encoder's name,
        that one; then the hub.

        Args:
            path: folder written by `save`.
            encoder: taken instead of the one that is named.

        Raises:
            FileNotFoundError: If the folder or a file of it is missing.
            ValueError: If a file is damaged, or they do not belong together.
            OSError: If the encoder is one of the hub's and cannot be reached.
        """
        path = Path(path)
        config = read_config(path, KEYS, "glyffuser", WAYS_OUT)
        weights = read_weights(path, config.pop("sha256"), "glyffuser", WAYS_OUT)
        if encoder is None:
            encoder = TextEncoder.load(find_encoder(path, config["text_encoder"]))
        with fitting(path, WAYS_OUT):
            unet = UNet(**config.pop("unet"))
            unet.load_state_dict(weights)
            return cls(unet.eval(), encoder, **config)

    def save(self, path: Path | str) -> None:
        """Write config.json and weights in half precision; other files stay.

        Each file is replaced at once, config.json last. It holds the weights' sha256,
        so that a save that was cut off in between is noticed, not drawn from.

        Raises:
            ValueError: If a weight is too large for half precision, or not a number.
        """
        config = {"unet": self.unet.config}
        config |= {key: getattr(self, key) for key in KEYS[1:-1]}
        write_files(Path(path), config, self.unet.state_dict())

    def predict_eps(self, xt: Tensor, t: Tensor, cond: TextCondition) -> Tensor:
        """The noise (B, 1, S, S) that the network sees in xt, given text of B rows."""
        place = next(self.unet.parameters())
        text = cond.tokens.to(place), cond.mask.to(place.device)
        output = self.unet(xt.to(place), t.to(place.device), *text)
        return predict_eps_from(output.to(xt), xt, t, self.alpha_bar, self.prediction)

    def guided(self, both: TextCondition, scale: float) -> PredictEps:
        """Classifier-free guidance, `sampling.guided` in one call of a doubled batch.

        That is faster than two calls. At scale 1 the null half is not computed.

        Args:
            both: 2 B rows of text, first the conditions, then what to steer away from.
            scale: 0 unconditional, 1 conditional, above 1 pushed beyond it.
        """
        half = len(both.mask) // 2
        cond = TextCondition(both.tokens[:half], both.mask[:half])

        def predict_plain(xt: Tensor, t: Tensor) -> Tensor:
            return self.predict_eps(xt, t, cond)

        def predict_eps(xt: Tensor, t: Tensor) -> Tensor:
            twice = torch.cat([xt, xt]), torch.cat([t, t])
            eps_cond, eps_null = self.predict_eps(*twice, both).chunk(2)
            return eps_null.lerp(eps_cond, scale)

        return predict_plain if scale == 1 else predict_eps

    def steps(
        self,
        prompts: str | Sequence[str],
        *,
        num_steps: int = 30,
        scale: float = 3.0,
        sampler: Sampler = sample_dpm,
        seed: int | Sequence[int] = 0,
        negative: str | Sequence[str] = "",
    ) -> Iterator[Step]:
        """Draw, and yield every `Step` on the way, float64 on the CPU.

        Args:
            prompts: one, or B of them; "" is the unconditional model.
            num_steps: steps of the sampler, in [1, T].
            scale: of the guidance; 1 is none, and takes half the time.
            sampler: any of `glyflib.sampling`, or one with options fixed, such as
                `partial(sample, eta=1.0)`.
            seed: picture i draws all its noise from seed + i; or B seeds.
            negative: what to steer away from, one text or B; at scale 1, unused.

        Raises:
            ValueError: If an argument is out of range, or the numbers of prompts,
                seeds and negatives differ.
        """
        texts, others = check_prompts(prompts), check_prompts(negative)
        B = len(texts)
        others = others * B if isinstance(negative, str) else others
        if len(others) != B:
            raise ValueError(f"{len(others)} negatives must be one, or {B}")
        if not math.isfinite(scale):
            raise ValueError(f"scale {scale} must be finite")
        sources = [torch.Generator().manual_seed(one) for one in seeds_of(seed, B)]
        both = self.encoder.encode(texts + others, max_tokens=self.max_tokens)
        xt = fresh_noise(torch.empty(B, 1, self.size, self.size).double(), sources)
        predict_eps = self.guided(both, scale)
        return sampler(
            predict_eps, xt, self.alpha_bar, num_steps=num_steps, generator=sources
        )

    def sample(
        self,
        prompts: str | Sequence[str],
        *,
        num_steps: int = 30,
        scale: float = 3.0,
        sampler: Sampler = sample_dpm,
        seed: int | Sequence[int] = 0,
        negative: str | Sequence[str] = "",
    ) -> Tensor:
        """Draw one picture a prompt: (B, 1, S, S) in [-1, 1]; arguments as `steps`."""
        steps = self.steps(
            prompts,
            num_steps=num_steps,
            scale=scale,
            sampler=sampler,
            seed=seed,
            negative=negative,
        )
        return deque(steps, maxlen=1).pop().xt.clamp(-1, 1).float()

    def generate(
        self,
        prompts: str | Sequence[str],
        *,
        num_steps: int = 30,
        scale: float = 3.0,
        sampler: Sampler = sample_dpm,
        seed: int | Sequence[int] = 0,
        negative: str | Sequence[str] = "",
    ) -> list[Image.Image]:
        """Draw one grey picture of S x S pixels a prompt; arguments as `steps`."""
        x0 = self.sample(
            prompts,
            num_steps=num_steps,
            scale=scale,
            sampler=sampler,
            seed=seed,
            negative=negative,
        )
        return [Image.fromarray(grey.numpy()) for grey in images_from_x0(x0).squeeze(1)]
