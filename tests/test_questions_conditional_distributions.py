"""The questions of chapter 14: their right answers by a second road."""

import pytest
import torch

from glyflib.lessons.exercises import check
from glyflib.lessons.questions import conditional_distributions as asked
from glyflib.lessons.sun_and_moon import WORDS, load_sun_and_moon, share_on


@pytest.fixture(scope="module")
def bright():
    return asked.bright()


@pytest.fixture(scope="module")
def drawn(bright):
    generator = torch.Generator().manual_seed(1)
    return bright.sample(20_000, generator=generator)


@pytest.mark.parametrize("level", [0, 100, 900])
def test_the_parts_by_their_shares_add_up_to_the_ink(bright, level):
    xt = torch.randn(40, 2, generator=torch.Generator().manual_seed(0)).double()
    t = torch.tensor(level)
    parts = [part.density(xt, t) for part in bright.parts.values()]
    mixed = torch.stack(parts, dim=1) @ bright.shares
    torch.testing.assert_close(mixed, bright.ink.density(xt, t))


@pytest.mark.parametrize("level", [0, 100, 900])
def test_the_belief_is_bayes_rule_on_the_densities(bright, level):
    xt = torch.randn(40, 2, generator=torch.Generator().manual_seed(0)).double()
    t = torch.tensor(level)
    logs = [part.log_density(xt, t) for part in bright.parts.values()]
    joint = torch.stack(logs, dim=1) + bright.shares.log()
    torch.testing.assert_close(bright.log_belief(xt, t), joint.log_softmax(1))
    torch.testing.assert_close(bright.belief(xt, t), joint.softmax(1))


def test_points_come_with_their_words(bright, drawn):
    points, words = drawn
    found = bright.belief(points, torch.tensor(0)).argmax(1)
    assert found.eq(words).double().mean() > 0.995
    for k, word in enumerate(WORDS):
        assert share_on(bright.parts[word], points[words == k]) > 0.99
        assert share_on(bright.parts[word], points[words != k]) < 0.04
        share = (words == k).double().mean().item()
        assert share == pytest.approx(bright.shares[k].item(), abs=0.015)


def test_all_that_is_not_on_the_ink_is_told(bright):
    far = torch.full((3, 2), 9.0)
    assert share_on(bright.ink, torch.cat([far, bright.ink.means[:1].float()])) == 0.25


def test_other_glyphs_are_refused(bright):
    class Others:
        def find(self, text):
            return []

    with pytest.raises(ValueError, match="明"):
        load_sun_and_moon(Others(), bright.ink.alpha_bar)


def test_one_dot_in_three_of_the_lower_half_is_the_suns():
    assert asked.sun_given_lower() == pytest.approx(1 / 3)
    assert sum(map(sum, asked.HEAP)) == 200


def test_a_belief_without_doubt_is_the_told_one():
    assert asked.hedged(1.0) == asked.BELIEFS[0]
    assert asked.hedged(0.0) == asked.BELIEFS[1]


def test_thinning_out_is_counted_on_points(drawn):
    words = drawn[1]
    generator = torch.Generator().manual_seed(2)
    stays = (torch.rand(len(words), generator=generator) < asked.KEPT) | (words == 1)
    counted = (words[stays] == 0).double().mean().item()
    assert asked.sun_in_another_world() == pytest.approx(counted, abs=0.01)
    assert asked.sun_in_another_world(1.0) == pytest.approx(
        asked.bright().shares[0].item()
    )


def test_what_the_word_saves_is_counted_on_points(drawn):
    points, words = drawn
    means = torch.stack([points[words == k].mean(0) for k in (0, 1)])
    told = (points - means[words]).square().sum()
    share = 1 - (told / (points - points.mean(0)).square().sum()).item()
    assert asked.saved() == pytest.approx(share, abs=0.01)


def test_the_repair_obeys_on_one_stroke():
    exact, repair = (
        asked.measured(asked.repair_and_exact()[name]) for name in ("exact", "repair")
    )
    assert min(repair["obey"], repair["on the ink"]) > 0.9
    assert repair["width"] < 0.3 * exact["width"]


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("conditional-table", 0.375, "other way round"),
        ("conditional-table", 0.15, "joint"),
        ("conditional-table", 0.4, "told nothing"),
        ("conditional-hedge", -0.7, "swapped"),
        ("conditional-hedge", -0.2, "the middle"),
        ("conditional-world", 0.392, "our own world"),
        ("conditional-rows", asked.joint, "the joint"),
        ("conditional-rows", asked.columns_given, "rows"),
        ("conditional-saves", 0.0, "1 less the floor"),
        ("conditional-repair", "obey", "which side"),
    ],
)
def test_each_mistake_gets_its_own_hint(name, answer, told):
    assert told in check(name, answer).text


@pytest.mark.parametrize("name", asked.QUESTIONS)
def test_no_answer_is_not_yet_and_the_right_one_is_right(name):
    assert "Not yet" in check(name, None).text
    assert check(name, asked.QUESTIONS[name].right()).is_right
