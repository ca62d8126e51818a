"""The study of solvers: one noise for all, a seed a part, and it can be repeated."""

import pytest
import tiny_models
import torch

from glyflib.glyffuser import Glyffuser
from glyflib.lessons import solver_race
from glyflib.lessons.stored import RESULTS, load_results
from glyflib.sampling import level_grid
from glyflib.studies import solvers as study


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny"
    return Glyffuser.load(tiny_models.save_glyffuser(folder))


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    monkeypatch.setattr(study, "CALLS", (3, 5))
    monkeypatch.setattr(study, "ORDER_STEPS", (14,))


def parts(tiny, seed=0):
    sizes = {"num_seeds": 2, "num_glyphs": 2, "reference": 6}
    small = {"num_order": 1, "finest": 20}
    return study.solvers(tiny_models.subject(tiny), seed, **sizes, **small)


def test_a_seed_gives_pictures_and_distances_of_every_sampler(tiny):
    found = parts(tiny)["seed 1"]()
    assert found["pictures"].shape == (len(solver_race.SAMPLERS) * 2 + 1, 2, 16, 16)
    assert found["pictures"].dtype == torch.uint8
    assert list(found["errors"]) == list(solver_race.SAMPLERS)
    for rows in found["errors"].values():
        assert torch.tensor(rows).shape == (2, 2)


def test_a_part_can_be_repeated_and_seeds_differ(tiny):
    first, again = (parts(tiny)["seed 0"]() for _ in range(2))
    assert torch.equal(first["pictures"], again["pictures"])
    other = parts(tiny, seed=1)["seed 0"]()
    assert not torch.equal(first["pictures"], other["pictures"])


def test_no_sampler_calls_the_network_more_often_than_told(tiny):
    eps, counted = tiny.denoiser(""), []

    def counting(xt, t):
        counted.append(t)
        return eps(xt, t)

    noise, alpha_bar = (
        solver_race.first_noise(0, 1, 16),
        tiny.alpha_bar[: solver_race.START + 1],
    )
    for name in solver_race.SAMPLERS:
        counted.clear()
        solver_race.draw(name, 9, counting, noise, alpha_bar, 0)
        assert len(counted) == 9 and counted[0] == solver_race.START


GRIDS = [*solver_race.ORDER_STEPS, study.FINEST]


@pytest.mark.parametrize("num_steps", GRIDS)
def test_every_grid_visits_the_level_where_orders_are_measured(num_steps):
    assert solver_race.MIDDLE in level_grid(solver_race.START, num_steps)


def test_orders_are_measured_for_the_solvers_of_the_ode(tiny):
    errors = parts(tiny)["order"]()["errors"]
    assert list(errors) == ["DDIM", "Heun", "2M"]
    assert all(len(row) == 1 for row in errors.values())


@pytest.mark.skipif(not (RESULTS / "solvers.json").is_file(), reason="not stored")
def test_a_small_live_run_repeats_what_is_stored():
    found, model = load_results("solvers"), Glyffuser.load()
    eps, alpha_bar = model.denoiser(""), model.alpha_bar[: solver_race.START + 1]
    noise = solver_race.first_noise(0, solver_race.NUM_GLYPHS, model.size)
    best = found.tensors["seed 0/pictures"][-1] / 127.5 - 1
    now = solver_race.draw("2M", 5, eps, noise[:2], alpha_bar, 0)[:, 0]
    errors = (now - best[:2]).square().mean((1, 2)).sqrt()
    stored = torch.tensor(found.parts["seed 0"]["errors"]["2M"][0][:2])
    torch.testing.assert_close(errors.float(), stored, rtol=0.1, atol=0.02)
