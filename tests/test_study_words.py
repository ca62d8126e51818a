"""The study of chapter 16, in a tiny form, and a part of what is stored, done again."""

import pytest
import tiny_models
import torch

from glyflib.data import load_glyphs
from glyflib.evaluation.probes import hearing, looks, text_layers
from glyflib.glyffuser import Glyffuser
from glyflib.lessons import asked
from glyflib.lessons.asked import rows_with_radical
from glyflib.lessons.stored import load_results
from glyflib.studies import words as study
from glyflib.text import TextEncoder

NUMS = {"num_captions": 2, "num_one": 2, "num_others": 1, "num_gold": 2, "num_long": 1}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tiny_models.save_encoder(tmp_path_factory.mktemp("tiny") / "encoder")
    return Glyffuser(tiny_models.random_unet(), TextEncoder.load(folder), size=32)


@pytest.fixture
def parts(tiny):
    return study.words(tiny_models.subject(tiny), 0, **NUMS, ideas={"heart": 2})


def ask(tiny, prompt):
    """What the tiny network answers to one noise."""
    xt = torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(0)).double()
    cond = tiny.encoder.encode(prompt)
    with torch.no_grad():
        return tiny.predict_eps(xt, torch.tensor([500]), cond)


def close(found, expected):
    """The networks compute in single precision."""
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_each_part_holds_radicals_and_pictures(parts):
    for name, num in {"cut mean": 2, "one others 3": 10, "heart": 2}.items():
        found = parts[name]()
        assert len(found["radicals"]) == num
        assert found["images"].shape == (min(num, study.SHOWN), 1, 32, 32)
        assert found["images"].dtype == torch.uint8


def test_deaf_to_both_ways_is_the_empty_prompt(tiny):
    empty = tiny.encoder.encode("")
    with hearing(tiny.unet, attended=empty, averaged=empty):
        found = ask(tiny, "gold; metal")
    close(found, ask(tiny, ""))


def test_hearing_the_same_text_by_both_ways_changes_nothing(tiny):
    gold = tiny.encoder.encode("gold", length=9)
    with hearing(tiny.unet, attended=gold, averaged=gold):
        found = ask(tiny, "")
    close(found, ask(tiny, "gold"))


def test_each_way_alone_is_neither_of_both_and_the_hooks_are_gone_after(tiny):
    whole, empty = ask(tiny, "gold"), tiny.encoder.encode("")
    for way in ("attended", "averaged"):
        with hearing(tiny.unet, **{way: empty}):
            found = ask(tiny, "gold")
        assert (found - whole).abs().max() > 1e-4 < (found - ask(tiny, "")).abs().max()
    assert torch.equal(ask(tiny, "gold"), whole)


def test_attention_is_shared_among_the_real_tokens(tiny):
    xt = torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(0)).double()
    cond = tiny.encoder.encode("gold", length=9)
    eps_hat, kept = looks(tiny, xt, torch.tensor([500]), cond)
    close(eps_hat, ask(tiny, "gold"))
    assert len(kept) == len(text_layers(tiny.unet))
    num = int(cond.mask.sum())
    for w in kept:
        torch.testing.assert_close(w.sum(1), torch.ones_like(w[:, 0]))
        assert (w[:, num:] == 0).all() and w.shape[1:] == (9, 8, 8)


def test_what_is_stored_comes_out_again():
    stored = load_results("words").parts["cut attention"]["radicals"]
    held_out = load_glyphs("test", 32)
    captions = held_out.take(rows_with_radical(held_out, 192)[:2]).captions
    again = study.cut(Glyffuser.load(), captions, "attention", study.CUT_STEPS, seed=0)
    assert again["radicals"] == stored[:2]


def test_the_characters_with_a_heart_are_two_kinds_of_radical_61():
    train = load_glyphs("train", 32)
    known = dict(zip(train.chars, train.radicals.tolist(), strict=True))
    kinds = asked.HEART_LEFT, asked.HEART_BELOW
    assert not set(kinds[0]) & set(kinds[1])
    for chars in kinds:
        assert len(set(chars)) == len(chars) > 30
        assert {known[char] for char in chars if char in known} == {61}
        assert sum(char in known for char in chars) > 25
    for rows, chars in zip(asked.heart_rows(train), kinds, strict=True):
        assert [train.chars[row] for row in rows] == [c for c in chars if c in known]
