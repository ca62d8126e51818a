"""The figures that compute: their formulas are those of the package."""

import base64

import pytest
import torch

from glyflib import sampling, schedule
from glyflib.exact import GaussianMixture, IdealDenoiser
from glyflib.interactive.hover_map import asset
from glyflib.interactive.plane import (
    mixture_data,
    numbers,
    plane_scripts,
    schedule_data,
)
from glyflib.lessons import islands, one_pixel
from glyflib.schedule import cosine_alpha_bar, linear_alpha_bar

NEAR = {"atol": 1e-5, "rtol": 1e-5}
SCHEDULES = {"cosine": cosine_alpha_bar(1000), "linear": linear_alpha_bar(1000)}
PAGE = """
const alphaBarOf = (text) => new Float64Array(bytes(text).buffer);
"""


@pytest.fixture(scope="module")
def page(browser):
    found = browser.new_page()
    found.set_content("<!doctype html><title>Plane</title>")
    found.add_script_tag(content=plane_scripts() + asset("plane/schedules.js") + PAGE)
    yield found
    found.close()


def call(page, expression, *values):
    """What a JavaScript function of some values returns, each number of it."""
    found = page.evaluate(f"(values) => Array.from(({expression})(...values))", values)
    return torch.tensor(found, dtype=torch.float64)


def random(*shape, seed=0):
    gen = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=gen, dtype=torch.float64)


def slanted_mixture(alpha_bar):
    """Three Gaussians in the plane whose axes are not those of the plane."""
    means = 1.5 * random(3, 2, seed=1)
    roots = 0.3 * random(3, 2, 2, seed=2)
    covs = roots @ roots.mT + 0.01 * torch.eye(2, dtype=torch.float64)
    shares = torch.tensor([0.5, 0.2, 0.3], dtype=torch.float64)
    return GaussianMixture(shares, means, covs, alpha_bar)


@pytest.mark.parametrize("t", [1, 20, 150, 600, 999])
@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("dim", [1, 2])
def test_a_mixture_says_in_the_page_what_it_says_in_python(page, name, t, dim):
    alpha_bar = SCHEDULES[name]
    mixture = slanted_mixture(alpha_bar)
    if dim == 1:
        mixture = one_pixel.pixel_of_three_bells(alpha_bar)
    xt, level = 1.3 * random(12, dim, seed=3), torch.tensor(t)
    for here, there in {
        "logDensity": mixture.log_density,
        "score": mixture.score,
        "denoise": mixture.denoise,
        "predictEps": mixture.predict_eps,
    }.items():
        found = call(
            page,
            "(data, ab, xt, t) => "
            f"gaussianMixture(data, alphaBarOf(ab)).{here}(Float64Array.from(xt), t)",
            mixture_data(mixture),
            schedule_data(alpha_bar),
            numbers(xt.flatten()),
            t,
        )
        wanted = there(xt, level).flatten()
        torch.testing.assert_close(found, wanted, **NEAR, msg=f"{here} at {t}")


def test_the_shares_of_a_mixture_are_its_responsibilities(page):
    mixture = slanted_mixture(SCHEDULES["linear"])
    xt = random(5, 2, seed=4)
    for row in range(len(xt)):
        found = call(
            page,
            "(data, ab, xt, b) => gaussianMixture(data, alphaBarOf(ab))"
            ".responsibilities(Float64Array.from(xt), 150, b)",
            mixture_data(mixture),
            schedule_data(mixture.alpha_bar),
            numbers(xt.flatten()),
            row,
        )
        wanted = mixture.responsibilities(xt, torch.tensor(150))[row]
        torch.testing.assert_close(found, wanted, **NEAR)


@pytest.mark.parametrize("t", [1, 30, 300, 700, 1000])
def test_the_denoiser_of_points_is_the_ideal_one(page, t):
    points, xt = random(40, 2, seed=5), 1.5 * random(20, 2, seed=6)
    alpha_bar = SCHEDULES["cosine"]
    for here, there in (("denoise", "denoise"), ("predictEps", "predict_eps")):
        found = call(
            page,
            "(points, ab, xt, t) => "
            f"idealDenoiser(points, alphaBarOf(ab)).{here}(Float64Array.from(xt), t)",
            numbers(points.flatten()),
            schedule_data(alpha_bar),
            numbers(xt.flatten()),
            t,
        )
        wanted = getattr(IdealDenoiser(points, alpha_bar), there)(xt, torch.tensor(t))
        torch.testing.assert_close(found, wanted.flatten(), **NEAR)


def walk_in_page(page, key, points, alpha_bar, num_steps, seed, count):
    """All places of a walk from the noise of a seed, (num_steps + 1, count, 2)."""
    found = call(
        page,
        """(key, points, ab, steps, seed, count) => {
          const alphaBar = alphaBarOf(ab), draw = torchGenerator(seed);
          const xt = draw(2 * count), model = idealDenoiser(points, alphaBar);
          const walk = SAMPLERS[key].walk(model.predictEps, xt, alphaBar, steps, draw);
          return [xt, ...[...walk].map((step) => step.xt)].flatMap((x) => [...x]);
        }""",
        key,
        numbers(points.flatten()),
        schedule_data(alpha_bar),
        num_steps,
        seed,
        count,
    )
    return found.reshape(num_steps + 1, count, 2)


@pytest.mark.parametrize("num_steps", [1, 3, 20])
@pytest.mark.parametrize("key", ["ddpm", "ddim", "heun", "2m"])
def test_samples_take_the_steps_that_python_takes(page, key, num_steps):
    points, count = random(12, 2, seed=7), 9
    alpha_bar = SCHEDULES["cosine"]
    gen = torch.Generator().manual_seed(3)
    xt = torch.randn(count, 2, generator=gen, dtype=torch.float64)
    walk = {
        "ddpm": lambda *args, **more: sampling.sample(*args, eta=1.0, **more),
        "ddim": sampling.sample,
        "heun": sampling.sample_heun,
        "2m": sampling.sample_dpm,
    }[key]
    predict = IdealDenoiser(points, alpha_bar).predict_eps
    steps = walk(predict, xt, alpha_bar, num_steps=num_steps, generator=gen)
    wanted = torch.stack([xt, *(step.xt for step in steps)])
    found = walk_in_page(page, key, points, alpha_bar, num_steps, 3, count)
    torch.testing.assert_close(found, wanted, **NEAR)


def test_beliefs_on_the_way_are_those_of_python(page):
    points, alpha_bar = random(12, 2, seed=7), SCHEDULES["cosine"]
    xt = torch.randn(9, 2, generator=torch.Generator().manual_seed(3)).double()
    predict = IdealDenoiser(points, alpha_bar).predict_eps
    walks = {
        "ddim": sampling.sample,
        "heun": sampling.sample_heun,
        "2m": sampling.sample_dpm,
    }
    for key, walk in walks.items():
        steps = walk(predict, xt, alpha_bar, num_steps=6)
        wanted = torch.stack([step.x0_hat for step in steps]).flatten()
        found = call(
            page,
            """(key, points, ab, xt) => {
              const alphaBar = alphaBarOf(ab), model = idealDenoiser(points, alphaBar);
              const start = Float64Array.from(xt);
              const walk = SAMPLERS[key].walk(model.predictEps, start, alphaBar, 6);
              return [...walk].flatMap((step) => [...step.x0Hat]);
            }""",
            key,
            numbers(points.flatten()),
            schedule_data(alpha_bar),
            numbers(xt.flatten()),
        )
        torch.testing.assert_close(found, wanted, **NEAR, msg=key)


def test_a_generator_goes_on_where_it_ended_as_torch_does(page):
    gen = torch.Generator().manual_seed(11)
    sizes = (16, 40, 120)
    wanted = [torch.randn(n, generator=gen, dtype=torch.float64) for n in sizes]
    found = call(
        page,
        "(seed, sizes) => { const draw = torchGenerator(seed);"
        " return sizes.flatMap((n) => [...draw(n)]); }",
        11,
        sizes,
    )
    torch.testing.assert_close(found, torch.cat(wanted), atol=1e-12, rtol=1e-12)


def test_a_walk_along_arrows_takes_the_steps_of_chapter_8(page):
    mixture = slanted_mixture(SCHEDULES["linear"])
    x, levels = random(16, 2, seed=8), [300, 120, 40]
    gen = torch.Generator().manual_seed(9)
    wanted = list(
        islands.walk(x, levels, mixture.score, mixture.alpha_bar, generator=gen)
    )
    found = call(
        page,
        """(data, ab, xt, levels) => {
          const alphaBar = alphaBarOf(ab), model = gaussianMixture(data, alphaBar);
          const draw = torchGenerator(9);
          let x = Float64Array.from(xt);
          return levels.flatMap((t) => {
            x = langevin(model, x, t, alphaBar, draw(x.length));
            return [...x];
          });
        }""",
        mixture_data(mixture),
        schedule_data(mixture.alpha_bar),
        numbers(x.flatten()),
        levels,
    )
    torch.testing.assert_close(found, torch.stack(wanted).flatten(), **NEAR)


def test_the_density_on_cells_is_that_of_the_noised_points(page):
    points, alpha_bar, cells, span = random(5, 2, seed=10), SCHEDULES["cosine"], 24, 3.2
    t = torch.tensor(500)
    places = call(page, "(span, cells) => gridOf(span, cells)", span, cells)
    found = call(
        page,
        "(points, ab, span, cells) => densityOfPoints(points, Math.sqrt(ab), 1 - ab, "
        "span, cells)",
        numbers(points.flatten()),
        alpha_bar[t].item(),
        span,
        cells,
    )
    # A bell is spread over a cell, too: 0.6 of its width.
    wide = 1 - alpha_bar[t] + (0.6 * 2 * span / cells) ** 2
    gaps = torch.cdist(places.reshape(-1, 2), alpha_bar[t].sqrt() * points)
    wanted = (-gaps.square() / (2 * wide)).exp().sum(1)
    torch.testing.assert_close(found, wanted, **NEAR)
    exact = GaussianMixture.isotropic(
        torch.ones(5), points, torch.full((5,), 1e-6), alpha_bar
    ).density(places.reshape(-1, 2), t)
    assert torch.corrcoef(torch.stack([found, exact]))[0, 1] > 0.995


def test_a_schedule_reaches_the_page_without_rounding(page):
    alpha_bar = SCHEDULES["linear"]
    found = call(page, "alphaBarOf", schedule_data(alpha_bar))
    assert torch.equal(found, alpha_bar)
    assert len(base64.b64decode(schedule_data(alpha_bar))) == 8 * 1001


@pytest.mark.parametrize(
    ("here", "value", "wanted"),
    [
        ("linearAlphaBar", 0.02, schedule.linear_alpha_bar(1000)),
        ("linearAlphaBar", 0.004, schedule.linear_alpha_bar(1000, last=0.004)),
        ("cosineAlphaBar", 0.008, schedule.cosine_alpha_bar(1000)),
        ("cosineAlphaBar", 0.3, schedule.cosine_alpha_bar(1000, offset=0.3)),
        ("sigmoidAlphaBar", 3, schedule.sigmoid_alpha_bar(1000)),
        ("sigmoidAlphaBar", 12, schedule.sigmoid_alpha_bar(1000, start=-12, end=12)),
    ],
)
def test_a_schedule_that_is_bent_in_the_page_is_that_of_python(
    page, here, value, wanted
):
    found = call(page, here, 1000, value)
    torch.testing.assert_close(found, wanted, atol=1e-12, rtol=1e-9)
    snrs = call(page, "(T, v) => logSnrs(" + here + "(T, v)).slice(1)", 1000, value)
    torch.testing.assert_close(snrs, schedule.log_snr(wanted)[1:], **NEAR)
