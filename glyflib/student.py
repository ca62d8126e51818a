"""A student: a glyffuser taught to draw in eight calls of its network, or in one.

Invariant: a picture depends on its prompt, its seed and the number of calls alone,
never on the batch that it is drawn in (up to float rounding). `distillation` teaches a
student; drawing with one does not need it.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Self

import torch
from PIL import Image
from torch import Tensor, nn

from glyflib.files import CONFIG, DATA, fitting, read_model, write_files
from glyflib.glyffuser import (
    Glyffuser,
    check_parts,
    drawn_in_batches,
    find_encoder,
    grey_pictures,
)
from glyflib.sampling import (
    Step,
    check_scale,
    fresh_noise,
    level_grid,
    seeds_of,
)
from glyflib.schedule import (
    COSINE,
    add_noise,
    alpha_bar_of,
    check_prediction,
    eps_from_x0,
    predict_x0_from,
)
from glyflib.text import SHIPPED as SHIPPED_ENCODER
from glyflib.text import TextCondition, TextEncoder, check_prompts
from glyflib.unet import UNet, timestep_embedding, zeroed

SHIPPED = DATA / "student-32"
TEACH = "teach one with `glyflib data student`"
COUNTS = (8, 4, 2, 1)  # calls for a picture, each half of the one before
SCALE = 2.0  # of the guidance that is folded in
SETTINGS = (  # kept in config.json as they are
    "size",
    "counts",
    "scale",
    "prediction",
    "schedule",
    "text_encoder",
    "max_tokens",
    "training",
)
KEYS = ("unet", *SETTINGS, "sha256")  # of config.json

#: Callable of xt (B, ...), levels t (B,) and the levels s (B,) to go to, that returns
#: x0_hat (B, ...), the data towards which one `jump` leads from t to s.
PredictX0 = Callable[[Tensor, Tensor, Tensor], Tensor]


def is_student(path: Path | str) -> bool:
    """Whether a folder is that of a student; whether it is whole, `load` tells.

    Args:
        path: a folder, which may be that of a glyffuser, or not be there.
    """
    try:
        config = json.loads((Path(path) / CONFIG).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and "counts" in config


def ending_in_noise(alpha_bar: Tensor) -> Tensor:
    """A schedule with nothing of the data left at its highest level.

    A picture is drawn from noise alone. Where one call does all the work, the network
    has to have met noise alone in training too, not noise with a trace of the answer.

    Args:
        alpha_bar: (T + 1,) schedule; only its last level is changed, to 0.

    Returns:
        (T + 1,), a copy.

    References:
        Lin et al. 2024, section 3.1, who scale the other levels as well.
    """
    found = alpha_bar.clone()
    found[-1] = 0
    return found


def jump(xt: Tensor, x0_hat: Tensor, t: Tensor, s: Tensor, alpha_bar: Tensor) -> Tensor:
    """Go from level t to level s along the line that believed data x0_hat gives.

    The noise that x0_hat leaves in xt is kept, and less of it is mixed in.

    Args:
        xt: (B, ...) noisy data.
        x0_hat: (B, ...) believed data.
        t: (B,) integer noise levels in [1, T]; alpha_bar may be 0 there.
        s: (B,) integer noise levels in [0, T].
        alpha_bar: (T + 1,) schedule.

    Returns:
        xs: (B, ...) at levels s; x0_hat itself at level 0.

    Raises:
        ValueError: If a level is out of range, or t is 0.

    References:
        Song et al. 2021 (DDIM), Eq. 12 with eta 0.
    """
    return add_noise(x0_hat, eps_from_x0(xt, x0_hat, t, alpha_bar), s, alpha_bar)


@torch.no_grad()
def sample_few(
    predict_x0: PredictX0, xt: Tensor, alpha_bar: Tensor, *, calls: int
) -> Iterator[Step]:
    """Draw in a few jumps, one call each, and yield every `Step`.

    Args:
        predict_x0: callable of (xt, t, s) that returns x0_hat.
        xt: (B, ...) noise at level T.
        alpha_bar: (T + 1,) schedule; its last level may be 0.
        calls: number of jumps, in [1, T].

    Yields:
        `Step` of the level reached, from below T down to 0.

    Raises:
        ValueError: If calls is out of range.

    References:
        Frans et al. 2025, Algorithm 2, with the levels of a schedule.
    """
    for t, s in pairwise(level_grid(len(alpha_bar) - 1, calls)):
        t_batch, s_batch = (torch.full((len(xt),), level) for level in (t, s))
        x0_hat = predict_x0(xt, t_batch, s_batch)
        xt = jump(xt, x0_hat, t_batch, s_batch, alpha_bar)
        yield Step(s, xt, x0_hat)


class StudentNet(nn.Module):
    """A U-net that is also told how many levels its call strides.

    What it is told is added to the level's embedding. That layer starts at zero: a
    student that has learnt nothing yet is its teacher.

    Args:
        unet: the network, as a rule a copy of the teacher's.

    References:
        Frans et al. 2025, section 3: one network for all step sizes.
    """

    def __init__(self, unet: UNet):
        super().__init__()
        self.unet, self.width = unet, unet.config["channels"][0]
        self.stride_layer = zeroed(nn.Linear(self.width, 4 * self.width))

    def forward(
        self,
        xt: Tensor,
        t: Tensor,
        stride: Tensor,
        tokens: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """Predict v or x0, (B, C, S, S), for a jump from level t to t - stride.

        Args:
            xt: (B, C, S, S) noisy data.
            t: (B,) integer noise levels in [1, T].
            stride: (B,) levels to stride, in [1, t].
            tokens: (B, L, D) text; None for a network without text.
            mask: (B, L) bool, True for real tokens; None if all are.
        """
        waves = timestep_embedding(stride, self.width)
        extra = self.stride_layer(waves.to(self.stride_layer.weight.dtype))
        return self.unet(xt, t, tokens, mask, extra)


def check_counts(counts: Sequence[int], num_levels: int) -> None:
    """Raise a ValueError unless each count is half of the one before."""
    halves = [first == 2 * second for first, second in pairwise(counts)]
    if not counts or counts[-1] < 1 or not all(halves):
        raise ValueError(f"counts {list(counts)} must each be half of the one before")
    if 2 * counts[0] > num_levels:
        raise ValueError(f"{num_levels} levels are too few for {counts[0]} calls")


@dataclass(eq=False)
class Student:
    """Network, text encoder and schedule that draw a glyph in a few calls.

    The guidance is folded in: a call is one call, not two, and its scale is the one
    that the student was taught at.

    Attributes:
        net: network that reads the level, the stride and text.
        encoder: its text encoder.
        counts: in how many calls it can draw, from most to fewest.
        scale: of the guidance that it was taught to imitate.
        size: S, height and width of a picture.
        prediction: what the network returns: "v" or "x0".
        schedule: name and options of the schedule; see `ending_in_noise`.
        text_encoder: where the encoder is found when the student is loaded: the name
            of a folder beside the student's own, or a hub name.
        max_tokens: longest prompt that it was trained with.
        training: facts for the reader, kept in config.json.
        alpha_bar: (T + 1,) of that schedule, 0 at level T.

    Raises:
        ValueError: If the parts do not fit each other.

    References:
        Salimans and Ho 2022; Meng et al. 2023, for the guidance; Frans et al. 2025,
        for one network that knows several strides.
    """

    net: StudentNet
    encoder: TextEncoder
    counts: Sequence[int] = COUNTS
    scale: float = SCALE
    size: int = 32
    prediction: str = "v"
    schedule: dict = field(default_factory=COSINE.copy)
    text_encoder: str = SHIPPED_ENCODER.name
    max_tokens: int = 40
    training: dict = field(default_factory=dict)
    alpha_bar: Tensor = field(init=False, repr=False)

    def __post_init__(self):
        check_prediction(self.prediction)
        if self.prediction == "eps":
            raise ValueError(
                "prediction 'eps' says nothing of the picture in noise alone: a "
                "student needs a teacher that predicts v or x0"
            )
        check_scale(self.scale)
        self.alpha_bar = ending_in_noise(alpha_bar_of(self.schedule))
        self.counts = tuple(self.counts)
        check_counts(self.counts, len(self.alpha_bar) - 1)
        check_parts(
            self.net.unet.config, self.encoder.width, self.size, self.max_tokens
        )

    @classmethod
    def of(
        cls, teacher: Glyffuser, *, counts: Sequence[int] = COUNTS, scale: float = SCALE
    ) -> Self:
        """A student that has learnt nothing yet: a copy of its teacher.

        Args:
            teacher: glyffuser to start from, left as it is.
            counts: in how many calls it shall draw.
            scale: of the guidance that it shall imitate.

        Raises:
            ValueError: If the teacher predicts eps, or counts or scale are out of
                range.
        """
        return cls(
            StudentNet(deepcopy(teacher.unet)),
            teacher.encoder,
            counts=counts,
            scale=scale,
            size=teacher.size,
            prediction=teacher.prediction,
            schedule=teacher.schedule,
            text_encoder=teacher.text_encoder,
            max_tokens=teacher.max_tokens,
        )

    @classmethod
    def load(
        cls, path: Path | str = SHIPPED, *, encoder: TextEncoder | None = None
    ) -> Self:
        """Load a student, with the encoder that its config.json names.

        Args:
            path: folder written by `save`.
            encoder: taken instead of the one that is named.

        Raises:
            FileNotFoundError: If the folder or a file of it is missing.
            ValueError: If a file is damaged, or is that of something else.
            OSError: If the encoder is one of the hub's and cannot be reached.
        """
        path = Path(path)
        config, weights = read_model(path, KEYS, "student", TEACH)
        if encoder is None:
            encoder = TextEncoder.load(find_encoder(path, config["text_encoder"]))
        with fitting(path, TEACH):
            net = StudentNet(UNet(**config.pop("unet")))
            net.load_state_dict(weights)
            return cls(net.eval(), encoder, **config)

    def save(self, path: Path | str) -> None:
        """Write config.json and weights in half precision, as `Glyffuser.save` does.

        Args:
            path: folder, made where it is missing.

        Raises:
            ValueError: If a weight is too large for half precision, or not a number.
            TypeError: If `training` does not fit in JSON.
        """
        config = {"unet": self.net.unet.config}
        config |= {name: getattr(self, name) for name in SETTINGS}
        write_files(Path(path), config, self.net.state_dict())

    def check_calls(self, calls: int) -> None:
        """Raise a ValueError unless it was taught to draw in so many calls."""
        if calls not in self.counts:
            known = ", ".join(map(str, self.counts))
            raise ValueError(
                f"calls {calls} must be one of {known}: it learnt no other"
            )

    def predict_x0_for(self, cond: TextCondition) -> PredictX0:
        """The data towards which it jumps, for pictures of some texts.

        Args:
            cond: encoded prompts, B of them, or one for all rows.

        Returns:
            predict_x0 of (xt, t, s), as `sample_few` asks for it.
        """
        place = next(self.net.parameters())

        @torch.no_grad()
        def predict_x0(xt: Tensor, t: Tensor, s: Tensor) -> Tensor:
            rows = cond.expand(len(xt))
            inputs = xt.to(place), t.to(place.device), (t - s).to(place.device)
            tokens, mask = rows.tokens.to(place), rows.mask.to(place.device)
            output = self.net(*inputs, tokens, mask).to(xt)
            return predict_x0_from(output, xt, t, self.alpha_bar, self.prediction)

        return predict_x0

    def steps(
        self,
        prompts: str | Sequence[str],
        *,
        calls: int = 4,
        seed: int | Sequence[int] = 0,
    ) -> Iterator[Step]:
        """Draw, and yield every `Step` on the way, float64 on the CPU.

        Args:
            prompts: one, or B of them; "" is a glyph of any kind.
            calls: of the network for a picture, one of `counts`.
            seed: picture i draws its noise from seed + i; or B seeds.

        Raises:
            ValueError: If an argument is out of range, or the numbers of prompts and
                seeds differ.
        """
        B = len(check_prompts(prompts))
        self.check_calls(calls)
        cond = self.encoder.encode(prompts, max_tokens=self.max_tokens)
        sources = [torch.Generator().manual_seed(one) for one in seeds_of(seed, B)]
        xt = fresh_noise(torch.empty(B, 1, self.size, self.size).double(), sources)
        return sample_few(self.predict_x0_for(cond), xt, self.alpha_bar, calls=calls)

    def sample(
        self,
        prompts: str | Sequence[str],
        *,
        calls: int = 4,
        seed: int | Sequence[int] = 0,
        batch_size: int = 64,
        progress: Callable[[Sequence], Iterable] = list,
    ) -> Tensor:
        """Draw one picture a prompt: (B, 1, S, S) in [-1, 1].

        Args:
            prompts: one, or B of them.
            calls: of the network for a picture, one of `counts`.
            seed: picture i draws its noise from seed + i, the same as a glyffuser's;
                or B seeds.
            batch_size: pictures drawn at once; changes memory and speed, no picture.
            progress: wraps the batches, as tqdm does.

        Raises:
            ValueError: If batch_size is below 1, or as `steps` says.
        """
        texts = check_prompts(prompts)
        seeds = seeds_of(seed, len(texts))

        def draw(rows: slice) -> Iterator[Step]:
            return self.steps(texts[rows], calls=calls, seed=seeds[rows])

        return drawn_in_batches(draw, len(texts), batch_size, progress)

    def generate(self, prompts: str | Sequence[str], **options) -> list[Image.Image]:
        """Draw one grey picture of S x S pixels a prompt.

        Args:
            prompts: one, or B of them.
            options: all others of `sample`, whose errors it shares.

        Returns:
            B pictures of Pillow, mode "L", paper 255, ink 0.
        """
        return grey_pictures(self.sample(prompts, **options))
