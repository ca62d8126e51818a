"""Stored results by name: their shapes, and what is said of a missing name."""

import pytest
import torch

from glyflib.evaluation.intervals import Estimate
from glyflib.lessons import results
from glyflib.lessons.stored import Results


def test_a_ladder_of_pictures_climbs_by_the_number_of_steps():
    sampling = results.sampling()
    for sampler in ("DDIM", "DDPM", "2M"):
        ladder = sampling.pictures(sampler)
        assert list(ladder) == sorted(ladder) and 5 in ladder
        assert {x0.shape for x0 in ladder.values()} == {(12, 1, 32, 32)}
    assert sampling.drawn.shape == (sampling.num_captions, 1, 32, 32)
    assert isinstance(sampling.frechet("DDIM")[5], Estimate)
    assert sampling.features("DDIM, clipped")[5].shape == (sampling.num_captions, 96)
    for sampler in ("DDIM", "2M"):
        missed = sampling.missed(sampler)
        assert list(missed) == sorted(missed) and 50 in missed
        assert {x.shape for x in missed.values()} == {sampling.strangers.shape}
    assert len(sampling.strangers) == sampling.num_captions
    film = sampling.film
    assert film.xt.shape == film.x0_hat.shape == (len(film.levels), 16, 1, 32, 32)
    for way in ("straight", "sphere"):
        assert sampling.between(way).shape == (sampling.num_captions // 2, 1, 32, 32)


def test_the_solvers_have_pictures_and_errors_for_each_number_of_calls():
    solvers = results.solvers()
    num_seeds, num_glyphs = solvers.reference.shape[:2]
    for sampler in solvers.samplers:
        shape = (num_seeds, len(solvers.num_calls), num_glyphs)
        assert solvers.errors(sampler).shape == shape
        assert solvers.pictures(sampler).shape == (*shape, 1, 32, 32)
    gap = solvers.pictures("2M")[:, -1] - solvers.reference
    rms = gap.square().mean((2, 3, 4)).sqrt()
    torch.testing.assert_close(rms, solvers.errors("2M")[:, -1], rtol=0, atol=0.02)
    assert len(solvers.order_errors("Heun")) == len(solvers.order_steps)


def test_losses_by_level_are_those_of_each_glyph():
    training = results.training()
    for split in ("train", "test"):
        shape = len(training.levels), len(training.rows(split))
        assert training.errors(split, "captions").shape == shape


def test_bits_are_those_of_each_glyph_by_curve_and_bound():
    bits = results.bits()
    num = len(bits.rows())
    assert num >= 128 and len(bits.by_bound) == num
    for way in bits.ways:
        rows = bits.rows(way)
        assert rows == bits.rows()[: len(rows)]
        assert bits.by_curve(way).shape == (len(rows),)
        assert bits.traces(way).shape == (len(bits.levels(way)), len(rows))
    assert (bits.touch() > 0).all() and (bits.touch("uniform") == 0).all()
    assert bits.drawn_levels.shape == bits.drawn_errors.shape
    assert bits.drawn_levels.shape[1] == num


def test_guided_glyphs_are_found_by_their_scale():
    guidance = results.guidance()
    for scale in guidance.scales:
        assert guidance.sweep(scale).shape == (guidance.num_captions, 1, 32, 32)
        assert len(guidance.outside(scale)) == len(guidance.levels)
        assert guidance.same("gold", scale).shape == (8, 1, 32, 32)
    for prompt in guidance.negatives:
        assert guidance.plain(prompt).shape == guidance.steered(prompt).shape
    assert guidance.guided_within("early").shape == guidance.fixed("clip").shape


def test_words_have_radicals_for_every_glyph_and_pictures_of_some():
    words = results.words()
    assert len(words.cut("attention").radicals) == words.num_captions
    assert len(words.gold(1, 3).radicals) >= len(words.gold(1, 3).images) > 0
    assert {len(row) for row in words.others(3).values()} == {20}
    for prompt in words.ideas:
        assert len(words.idea(prompt).images) == len(words.idea(prompt).radicals)


def test_races_tell_what_each_took():
    assert results.recipes().races["as shipped"].loss.low > 0
    texts = results.texts().races
    assert {0 < race.hit_rate.value < 1 for race in texts.values()} == {True}


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda: results.sampling().pictures("Euler"), "'Euler' .* DDIM, DDPM, 2M"),
        (lambda: results.sampling().missed("DDPM"), "'DDPM' .* DDIM, 2M"),
        (lambda: results.solvers().errors("x"), "sampler 'x' is not stored"),
        (lambda: results.training().rows("all"), "split 'all' .* train, test"),
        (lambda: results.bits().by_curve("x"), "'x' .* untold, told, uniform, fine"),
        (lambda: results.guidance().sweep(4), "scale 4 .* 0, 1, 2, 3, 5, 8, 15"),
        (lambda: results.words().cut("none"), "'none' .* both, attention"),
        (lambda: results.words().gold(2, 3), "is not stored"),
        (lambda: results.memorisation().learnt(7), "7 is not stored.* 10, 100"),
    ],
)
def test_a_name_that_is_not_stored_is_told_with_those_that_are(ask, told):
    with pytest.raises(ValueError, match=told):
        ask()


def test_a_study_that_was_cut_off_says_how_to_finish_it():
    stored = Results({"command": "glyflib data results words --seed 0"}, {})
    with pytest.raises(ValueError, match=r"no part .*glyflib data results words"):
        results.WordResults(stored).cut("both")
