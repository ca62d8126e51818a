"""How many steps, and which: what chapter 12 reads instead of waiting for it.

Invariant: picture i starts from the noise of seed + i, under held-out caption i,
whatever the sampler and the number of steps; guidance is off (scale 1).
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from glyflib.data import evenly, images_from_x0, x0_from_images
from glyflib.evaluation.intervals import bootstrap_interval
from glyflib.evaluation.metrics import frechet_distance
from glyflib.evaluation.radicals import RadicalClassifier
from glyflib.glyffuser import Glyffuser
from glyflib.lessons.walks import on_sphere, straight
from glyflib.sampling import Step, clip, last_of, sample, sample_dpm
from glyflib.studies.common import Part, Subject

COUNTS = (1, 2, 3, 5, 10, 20, 50, 120, 1000)
SHORT = COUNTS[:7]
NUM_SAME = 12  # glyphs of the ladders
NUM_FILM = 16  # glyphs of the film
NUM_FRAMES = 24
NUM_DRAWN = 128  # held-out captions, one glyph each
JUDGED = {"ddim": SHORT, "ddpm": (10,), "dpm": (10,), "ddim clipped": (5,)}
MISSED = {"ddim": (20, 30, 50), "dpm": (20, 30, 50)}
REFERENCE = "dpm", 100  # of the glyphs that are missed: 2M, which is nearest soonest
BETWEEN_STEPS = 20
NUM_BOOTSTRAP = 400
SAMPLERS = {
    "ddim": sample,
    "ddpm": partial(sample, eta=1.0),
    "dpm": sample_dpm,
    "ddim clipped": partial(sample, fix_x0=clip),
}


def walk(
    glyffuser: Glyffuser, prompts: Sequence[str], name: str, count: int, seed: int
) -> Iterator[Step]:
    """Every step of one way down, without guidance."""
    return glyffuser.steps(
        prompts, num_steps=count, scale=1.0, sampler=SAMPLERS[name], seed=seed
    )


def same_noise(
    glyffuser: Glyffuser, prompts: Sequence[str], name: str, count: int, seed: int
) -> dict:
    """A few glyphs from the noises that all samplers share, x0 as it comes."""
    x0 = last_of(walk(glyffuser, prompts, name, count, seed)).xt.float()
    return {"steps": count, "prompts": list(prompts), "x0": x0.half()}


def film(
    glyffuser: Glyffuser,
    prompts: Sequence[str],
    name: str,
    count: int,
    seed: int,
    frames: int,
) -> dict:
    """Frames of a walk, evenly spaced from the first step to the last, as greys.

    Noisy frames are shown from -2 to +2, believed ones from -1 to +1.
    """
    steps = list(walk(glyffuser, prompts, name, count, seed))
    keep = evenly(frames, count).tolist()
    return {
        "prompts": list(prompts),
        "levels": [steps[i].t for i in keep],
        "x0": steps[-1].xt.half(),
        "xt": torch.stack([images_from_x0(steps[i].xt / 2) for i in keep]),
        "x0_hat": torch.stack([images_from_x0(steps[i].x0_hat) for i in keep]),
    }


def frechet(features: Tensor, real: Tensor, seed: int) -> dict:
    """Distance to the real features, with its interval."""
    generator = torch.Generator().manual_seed(seed)
    found = bootstrap_interval(
        frechet_distance,
        features,
        real,
        generator=generator,
        num=NUM_BOOTSTRAP,
        is_recentred=True,
    )
    return found._asdict()


def judged(
    subject: Subject, prompts: Sequence[str], name: str, count: int, seed: int
) -> dict:
    """Likeness of one glyph a caption to the held-out glyphs."""
    options = {"num_steps": count, "scale": 1.0, "sampler": SAMPLERS[name]}
    x0 = subject.glyffuser.sample(prompts, seed=seed, **options)
    features = RadicalClassifier.load().read(x0).features
    found = {"frechet": frechet(features, subject.real_features, seed)}
    found |= {"steps": count, "prompts": list(prompts), "features": features.half()}
    return found | ({"images": images_from_x0(x0)} if count == BETWEEN_STEPS else {})


def floor(subject: Subject, num: int, seed: int) -> dict:
    """The same for as many training glyphs."""
    train = subject.train
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randperm(len(train), generator=generator)[:num]
    features = RadicalClassifier.load().read(x0_from_images(train.images[rows]))
    return {"frechet": frechet(features.features, subject.real_features, seed)}


def between(glyffuser: Glyffuser, prompts: Sequence[str], seed: int) -> dict:
    """Glyphs from the middles of pairs of noises, straight and on the sphere.

    Noise i is paired with noise i + N / 2, under the caption of the first.
    """
    half = len(prompts) // 2
    shape = 1, glyffuser.size, glyffuser.size
    sources = [torch.Generator().manual_seed(seed + i) for i in range(2 * half)]
    noise = [torch.randn(shape, generator=g, dtype=torch.float64) for g in sources]
    first, second = torch.stack(noise).chunk(2)
    predict_eps = glyffuser.denoiser(prompts[:half])
    found: dict[str, object] = {"prompts": list(prompts[:half])}
    for name, way in {"straight": straight, "curved": on_sphere}.items():
        xt = way(first, second, [0.5])
        steps = sample(predict_eps, xt, glyffuser.alpha_bar, num_steps=BETWEEN_STEPS)
        found[name] = images_from_x0(last_of(steps).xt.float())
    return found


def missed(
    glyffuser: Glyffuser,
    prompts: Sequence[str],
    ways: Mapping[str, tuple[int, ...]],
    reference: tuple[str, int],
    seed: int,
) -> dict:
    """How far each glyph of few steps is from the one of many, by the same noise.

    Distances (N,) are roots of mean squared differences of pixels. Those called
    "strangers" are of each glyph of many steps to the next caption's.
    """
    goal = last_of(walk(glyffuser, prompts, *reference, seed)).xt
    found: dict[str, object] = {"reference": list(reference)}
    found["strangers"] = distance(goal, goal.roll(1, 0))
    for name, counts in ways.items():
        for count in counts:
            x0 = last_of(walk(glyffuser, prompts, name, count, seed)).xt
            found[f"{name} {count}"] = distance(x0, goal)
    return found


def distance(x0: Tensor, other: Tensor) -> Tensor:
    """Root of the mean squared difference of pixels (N,), as it is stored."""
    return (x0 - other).square().mean((1, 2, 3)).sqrt().half()


def sampling(
    subject: Subject,
    seed: int,
    *,
    counts: tuple[int, ...] = COUNTS,
    num_same: int = NUM_SAME,
    num_film: int = NUM_FILM,
    num_frames: int = NUM_FRAMES,
    num_drawn: int = NUM_DRAWN,
    judge: Mapping[str, tuple[int, ...]] = JUDGED,
    ways: Mapping[str, tuple[int, ...]] = MISSED,
    reference: tuple[str, int] = REFERENCE,
) -> Mapping[str, Part]:
    """Parts "same ddim 5", "film", "judged ddim 5", "floor", "between", "missed"."""
    glyffuser, prompts = subject.glyffuser, subject.captions(num_drawn)
    few, found = prompts[:num_same], {}
    for name in ("ddpm", "dpm", "ddim"):
        for count in counts[:-1] if name == "ddim" else counts[: len(SHORT)]:
            part = partial(same_noise, glyffuser, few, name, count, seed)
            found[f"same {name} {count}"] = part
    found["film"] = partial(
        film, glyffuser, prompts[:num_film], "ddim", 120, seed, num_frames
    )
    for name, some in judge.items():
        for count in some:
            part = partial(judged, subject, prompts, name, count, seed)
            found[f"judged {name} {count}"] = part
    found["floor"] = partial(floor, subject, num_drawn, seed)
    found["between"] = partial(between, glyffuser, prompts, seed)
    last = counts[-1]  # the reference, which takes longest
    found[f"same ddim {last}"] = partial(same_noise, glyffuser, few, "ddim", last, seed)
    found["missed"] = partial(missed, glyffuser, prompts, ways, reference, seed)
    return found
