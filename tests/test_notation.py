"""The page of names: what it says of diffusers and of our code is there."""

import re
from pathlib import Path

import diffusers
import pytest
import torch
from diffusers import DDPMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler

from glyflib.schedule import alpha_bar_from_beta, linear_alpha_bar, log_snr

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "book" / "notation.md").read_text("utf-8")
ROWS = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| $")]
OURS = {name for row in ROWS for name in re.findall(r"`(\w+)`", row[1])}
THEIRS = {name for row in ROWS for name in re.findall(r"`(\w+)`", row[2])}


def words_in(folder, pattern="*.py"):
    texts = (path.read_text("utf-8") for path in sorted(folder.rglob(pattern)))
    return {word for text in texts for word in re.findall(r"\w+", text)}


def test_each_row_has_four_columns():
    assert len(ROWS) >= 20 and {len(row) for row in ROWS} == {4}


def test_names_of_diffusers_are_in_diffusers():
    folder = Path(diffusers.__file__).parent
    found = words_in(folder / "schedulers") | words_in(folder / "models", "unet_2d*.py")
    found |= words_in(folder / "models" / "unets")
    found |= words_in(folder / "pipelines" / "stable_diffusion")
    assert len(THEIRS) > 20
    assert THEIRS - found == set()


def test_our_names_are_in_the_package():
    chapters = words_in(ROOT / "book", "*.ipynb")
    assert len(OURS) > 15
    assert OURS - words_in(ROOT / "glyflib") - chapters == set()


def test_their_timestep_is_our_level_less_one():
    ours, theirs = linear_alpha_bar(), DDPMScheduler().alphas_cumprod.double()
    assert len(theirs) == len(ours) - 1
    torch.testing.assert_close(theirs, ours[1:], rtol=1e-4, atol=0)


def test_their_lambda_is_half_our_log_snr():
    twin = DPMSolverMultistepScheduler()
    half = log_snr(alpha_bar_from_beta(twin.betas.double()))[1:] / 2
    torch.testing.assert_close(twin.lambda_t.double(), half, rtol=1e-3, atol=1e-3)


def test_the_numbers_in_the_traps():
    alpha_bar = linear_alpha_bar()
    last = alpha_bar[-1]
    assert (last / alpha_bar[-2]).item() == pytest.approx(0.98)
    assert last.item() == pytest.approx(4e-5, rel=0.02)
    assert last.sqrt().item() == pytest.approx(0.0064, abs=5e-5)
    assert ((1 - last) / last).sqrt().item() == pytest.approx(157, abs=1)
    assert EulerDiscreteScheduler().sigmas[0].item() == pytest.approx(157, abs=1)
