"""The glyffuser: from English words to a glyph that nobody has written before.

Invariant: a picture depends on its prompt, its seed and the settings alone, never on
the batch that it is drawn in (up to float rounding).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import torch
from PIL import Image
from torch import Tensor

from glyflib.autoencoder import SHIPPED as SHIPPED_AUTOENCODER
from glyflib.autoencoder import Autoencoder
from glyflib.data import images_from_x0, x0_from_images
from glyflib.files import (
    DATA,
    fitting,
    read_model,
    way_out,
    write_files,
)
from glyflib.sampling import (
    PredictEps,
    Step,
    check_scale,
    fresh_noise,
    guided,
    last_of,
    sample_dpm,
    seeds_of,
)
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
TRAIN = "train one with `glyflib train`"
SETTINGS = (  # kept in config.json as they are
    "size",
    "prediction",
    "schedule",
    "text_encoder",
    "max_tokens",
    "training",
)
KEYS = ("unet", *SETTINGS, "sha256")  # of config.json
ENCODED = 64  # pictures turned into latents at once
OPTIONAL = ("autoencoder",)  # in it, if the network draws latents

#: Any sampler of `glyflib.sampling`, or one with options fixed by `partial`.
Sampler = Callable[..., Iterator[Step]]


def check_parts(
    config: dict, width: int, size: int, max_tokens: int, channels: int = 1
) -> None:
    """Raise a ValueError unless a network, an encoder's width and sizes go together."""
    if config["text_dim"] != width:
        raise ValueError(
            f"the network reads text of width {config['text_dim']}, the encoder writes "
            f"{width}: give the encoder that it was trained with"
        )
    if config["in_channels"] != channels:
        kind = "grey" if channels == 1 else "those of the latents"
        told = f"in_channels {config['in_channels']} must be {channels}"
        raise ValueError(f"{told}: {kind}")
    step = config["patch"] * 2 ** (len(config["channels"]) - 1)
    if size < 1 or size % step:
        raise ValueError(f"size {size} must be a multiple of {step}")
    if max_tokens < 1:
        raise ValueError(f"max_tokens {max_tokens} must be at least 1")


def find_encoder(path: Path, name: str) -> Path | str:
    """The encoder's folder beside a glyffuser's, the shipped one, or its hub name.

    Args:
        path: folder of the glyffuser.
        name: what its config.json calls the encoder.

    Returns:
        What `TextEncoder.load` takes.
    """
    beside = path.resolve().parent / name
    if beside.is_dir():
        return beside
    return SHIPPED_ENCODER if name == SHIPPED_ENCODER.name else name


def find_autoencoder(path: Path, named: dict) -> Autoencoder:
    """The autoencoder beside a glyffuser's folder, or the shipped one.

    Args:
        path: folder of the glyffuser.
        named: what its config.json says: "name" of the folder and "sha256" of the
            weights.

    Raises:
        FileNotFoundError: If there is neither.
        ValueError: If it is damaged, or not the one whose latents were learnt.
    """
    is_named = isinstance(named, dict) and named.keys() == {"name", "sha256"}
    if not is_named or not all(isinstance(one, str) for one in named.values()):
        text = f"{path}: autoencoder {named!r} must have a name and a sha256"
        raise ValueError(f"{text}: {TRAIN}")
    beside = path.resolve().parent / named["name"]
    found = beside if beside.is_dir() else SHIPPED_AUTOENCODER
    autoencoder = Autoencoder.load(found)
    if autoencoder.sha256 != named["sha256"]:
        raise ValueError(
            f"{path} has learnt the latents of an autoencoder whose weights have the "
            f"sha256 {named['sha256'][:12]}…, those in {found} have "
            f"{autoencoder.sha256[:12]}…: put the right one into {beside}"
        )
    return autoencoder


def shown(x0: Tensor) -> Tensor:
    """Pictures (B, 1, S, S) as they are shown: float32, clipped to [-1, 1]."""
    return x0.clamp(-1, 1).float()


def drawn_in_batches(
    draw: Callable[[slice], Iterator[Step]],
    num: int,
    batch_size: int,
    progress: Callable[[Sequence], Iterable] = list,
    pictures: Callable[[Tensor], Tensor] = shown,
) -> Tensor:
    """What the last step of each batch reaches: (num, 1, S, S) in [-1, 1].

    Args:
        draw: makes the steps of some rows.
        num: rows in all, at least 1.
        batch_size: rows drawn at once.
        progress: wraps the batches, as tqdm does.
        pictures: makes them of the samples xt that the last steps reach.

    Raises:
        ValueError: If batch_size is below 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size {batch_size} must be at least 1")
    found = []
    for first in progress(range(0, num, batch_size)):
        last = last_of(draw(slice(first, first + batch_size)))
        found.append(pictures(last.xt))
    return torch.cat(found)


def grey_pictures(x0: Tensor) -> list[Image.Image]:
    """Pictures of Pillow, mode "L", of (B, 1, S, S): paper 255, ink 0."""
    images = images_from_x0(x0).squeeze(1)
    return [Image.fromarray(grey.numpy()) for grey in images]


@dataclass(eq=False)
class Glyffuser:
    """Network, text encoder and schedule: all that it takes to draw.

    The sampler runs on the CPU in float64, where x0_hat is exact even at levels with
    almost no signal; the network computes in its own precision, wherever it is.

    With an autoencoder, what the network and the sampler see are latents of C channels:
    noise becomes latents, and these are decoded once, at the end. Without one, C is 1
    and they are the pictures themselves.

    Attributes:
        unet: network for pictures of one channel, or for latents, that reads text.
        encoder: its text encoder.
        size: S, height and width of what the network sees.
        prediction: what the network returns: "eps", "v" or "x0".
        schedule: name and options of the schedule that it was trained with.
        text_encoder: where the encoder is found when the glyffuser is loaded: the name
            of a folder beside the glyffuser's own, or a hub name.
        max_tokens: longest prompt that it was trained with.
        training: facts for the reader, kept in config.json.
        autoencoder: whose latents the network draws; None if it draws pictures.
        alpha_bar: (T + 1,) of that schedule.

    Raises:
        ValueError: If the parts do not fit each other.

    References:
        Rombach et al. 2022, section 3.2, for diffusion in latents.
    """

    unet: UNet
    encoder: TextEncoder
    size: int = 32
    prediction: str = "v"
    schedule: dict = field(default_factory=COSINE.copy)
    text_encoder: str = SHIPPED_ENCODER.name
    max_tokens: int = 40
    training: dict = field(default_factory=dict)
    autoencoder: Autoencoder | None = None
    alpha_bar: Tensor = field(init=False, repr=False)

    def __post_init__(self):
        check_prediction(self.prediction)
        self.alpha_bar = alpha_bar_of(self.schedule)
        channels = 1 if self.autoencoder is None else self.autoencoder.channels
        sizes = self.size, self.max_tokens, channels
        check_parts(self.unet.config, self.encoder.width, *sizes)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, S, S) of what the network sees."""
        return self.unet.config["in_channels"], self.size, self.size

    @property
    def picture_size(self) -> int:
        """Height and width of a picture."""
        factor = 1 if self.autoencoder is None else self.autoencoder.factor
        return self.size * factor

    @classmethod
    def load(
        cls, path: Path | str = SHIPPED, *, encoder: TextEncoder | None = None
    ) -> Self:
        """Load a glyffuser, with the encoder that its config.json names.

        A folder beside its own comes first; then, under the shipped encoder's name,
        that one; then the hub. An autoencoder is looked for beside it too, then in the
        shipped data.

        Args:
            path: folder written by `save`.
            encoder: taken instead of the one that is named.

        Raises:
            FileNotFoundError: If the folder or a file of it is missing.
            ValueError: If a file is damaged, or they do not belong together.
            OSError: If the encoder is one of the hub's and cannot be reached.
        """
        path = Path(path)
        ways_out = way_out(path, SHIPPED, TRAIN)
        config, weights = read_model(
            path, KEYS, "glyffuser", ways_out, optional=OPTIONAL
        )
        if encoder is None:
            encoder = TextEncoder.load(find_encoder(path, config["text_encoder"]))
        if "autoencoder" in config:
            config["autoencoder"] = find_autoencoder(path, config["autoencoder"])
        with fitting(path, ways_out):
            unet = UNet(**config.pop("unet"))
            unet.load_state_dict(weights)
            return cls(unet.eval(), encoder, **config)

    def save(self, path: Path | str) -> None:
        """Write config.json and weights in half precision; other files stay.

        Each file is replaced at once, config.json last. It holds the weights' sha256,
        so that a save that was cut off in between is noticed, not drawn from.

        Of an autoencoder, the name and the sha256 are kept: it lies in a folder of its
        own, beside this one.

        Args:
            path: folder, made where it is missing.

        Raises:
            ValueError: If a weight is too large for half precision, or not a number;
                or if the autoencoder lies in no folder yet.
            TypeError: If `training` does not fit in JSON.
        """
        config = {"unet": self.unet.config}
        config |= {name: getattr(self, name) for name in SETTINGS}
        if self.autoencoder is not None:
            if not self.autoencoder.sha256:
                raise ValueError("save the autoencoder first, and load it from there")
            named = {"name": SHIPPED_AUTOENCODER.name}
            config["autoencoder"] = named | {"sha256": self.autoencoder.sha256}
        write_files(Path(path), config, self.unet.state_dict())

    def check_size(self, images: Tensor) -> None:
        """Raise a ValueError unless pictures (N, 1, P, P) are of its size."""
        if images.shape[-1] != self.picture_size:
            sides = f"{images.shape[-1]} pixels a side, not {self.picture_size}"
            raise ValueError(f"the glyphs have {sides}: load them at the model's size")

    def x0_of(
        self, images: Tensor, *, progress: Callable[[Sequence], Iterable] = list
    ) -> Tensor:
        """What the network is to draw where these are to be seen, (N, C, S, S) float32.

        Args:
            images: (N, 1, P, P) uint8, or x0 in [-1, 1], P being `picture_size`.
            progress: wraps the batches to encode, as tqdm does.

        Returns:
            The pictures as x0, or their latents.

        Raises:
            ValueError: If the pictures have another size.
        """
        self.check_size(images)
        if self.autoencoder is None:
            return x0_from_images(images)
        batches = progress(images.split(ENCODED))
        return torch.cat([self.autoencoder.encode(x0_from_images(x)) for x in batches])

    def pictures(self, x0: Tensor) -> Tensor:
        """What is seen of drawn pictures or latents, (B, 1, P, P) float32 in [-1, 1].

        Args:
            x0: (B, C, S, S), as the last of the `steps` reaches it.
        """
        return shown(x0) if self.autoencoder is None else self.autoencoder.decode(x0)

    def predict_eps(self, xt: Tensor, t: Tensor, cond: TextCondition) -> Tensor:
        """The noise that the network sees in pictures, given their texts.

        Args:
            xt: (B, C, S, S) noisy pictures or latents.
            t: (B,) integer noise levels in [1, T].
            cond: B texts.

        Returns:
            eps_hat: (B, C, S, S), of the dtype and device of xt.

        Raises:
            ValueError: If a shape does not fit, or t is out of range.
        """
        place = next(self.unet.parameters())
        text = cond.tokens.to(place), cond.mask.to(place.device)
        output = self.unet(xt.to(place), t.to(place.device), *text)
        return predict_eps_from(output.to(xt), xt, t, self.alpha_bar, self.prediction)

    def guided(
        self, cond: TextCondition, null: TextCondition, scale: float
    ) -> PredictEps:
        """Classifier-free guidance with texts of B rows; see `glyflib.sampling.guided`.

        Args:
            cond: B texts, what the pictures are to show.
            null: B texts, what to steer away from, such as the empty prompt.
            scale: 0 unconditional, 1 conditional, above 1 pushed beyond it.

        References:
            Ho and Salimans 2022, Eq. 6, whose w is scale - 1.
        """
        return guided(self.predict_eps, cond, null, scale)

    def denoiser(
        self,
        prompts: str | Sequence[str],
        scale: float = 1.0,
        *,
        negative: str | Sequence[str] = "",
    ) -> PredictEps:
        """The noise that it sees in pictures of prompts, as samplers ask for it.

        What comes back is called as `predict_eps(xt, t)` with xt (B, C, S, S) at levels
        t (B,), and returns eps_hat of the shape and dtype of xt. Gradients flow to an
        xt that asks for them (`xt.requires_grad`), and to no other.

        Args:
            prompts: one for all rows, or B of them; "" is the unconditional model.
            scale: of the guidance; 1 is none.
            negative: what to steer away from, one text or B; at scale 1, unused.

        Raises:
            ValueError: If scale is not a number or beyond `sampling.MOST_SCALE`, or
                there are neither one nor B texts.
        """
        check_scale(scale)
        cond = self.encoder.encode(prompts, max_tokens=self.max_tokens)
        null = self.encoder.encode(negative, max_tokens=self.max_tokens)

        def predict_eps(xt: Tensor, t: Tensor) -> Tensor:
            texts = cond.expand(len(xt)), null.expand(len(xt))
            with torch.set_grad_enabled(torch.is_grad_enabled() and xt.requires_grad):
                return self.guided(*texts, scale)(xt, t)

        return predict_eps

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
        B = len(check_prompts(prompts))
        if (num := len(check_prompts(negative))) not in (1, B):
            raise ValueError(f"{num} negatives must be one, or {B}")
        predict_eps = self.denoiser(prompts, scale, negative=negative)
        sources = [torch.Generator().manual_seed(one) for one in seeds_of(seed, B)]
        xt = fresh_noise(torch.empty(B, *self.shape).double(), sources)
        return sampler(
            predict_eps, xt, self.alpha_bar, num_steps=num_steps, generator=sources
        )

    def sample(
        self,
        prompts: str | Sequence[str],
        *,
        seed: int | Sequence[int] = 0,
        negative: str | Sequence[str] = "",
        batch_size: int = 64,
        progress: Callable[[Sequence], Iterable] = list,
        **options,
    ) -> Tensor:
        """Draw one picture a prompt: (B, 1, P, P) in [-1, 1], P being `picture_size`.

        Args:
            prompts: one, or B of them.
            seed: picture i draws all its noise from seed + i; or B seeds.
            negative: what to steer away from, one text or B.
            batch_size: pictures drawn at once; changes memory and speed, no picture.
            progress: wraps the batches, as tqdm does.
            options: `num_steps`, `scale` and `sampler`, as those of `steps`.

        Raises:
            ValueError: If batch_size is below 1, or as `steps` says.
        """
        texts, others = check_prompts(prompts), check_prompts(negative)
        B = len(texts)
        if len(others) not in (1, B):
            raise ValueError(f"{len(others)} negatives must be one, or {B}")
        seeds = seeds_of(seed, B)

        def draw(rows: slice) -> Iterator[Step]:
            return self.steps(
                texts[rows],
                seed=seeds[rows],
                negative=others if len(others) == 1 else others[rows],
                **options,
            )

        return drawn_in_batches(draw, B, batch_size, progress, self.pictures)

    def generate(self, prompts: str | Sequence[str], **options) -> list[Image.Image]:
        """Draw one grey picture of P x P pixels a prompt, P being `picture_size`.

        Args:
            prompts: one, or B of them.
            options: all others of `sample`, whose errors it shares.

        Returns:
            B pictures of Pillow, mode "L", paper 255, ink 0.
        """
        return grey_pictures(self.sample(prompts, **options))
