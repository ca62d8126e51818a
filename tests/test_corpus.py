"""Texts to learn word meanings from."""

import numpy as np
import pytest
import torch

from glyflib.evaluation.senses import SENSES, sense_margins
from glyflib.making.text_encoder.corpus import (
    PARTS,
    Synset,
    build_corpus,
    read_synset,
    read_wordnet,
    split_caption,
    word_lists,
)
from glyflib.making.text_encoder.teacher import WORD

LINE = (
    "02084071 05 n 02 dog 0 domestic_dog(p) 0 003 @ 02083346 n 0000 ~ 01322604 n "
    '0000 + 0 v 0101 | a member of the genus Canis; kept by man; "the dog barked all '
    'night"; "a dog\'s life"  \n'
)
CAT = Synset(("cat",), "a small animal", ("the cat slept",))
RIVER = Synset(("river", "stream"), "flowing water", ())


def test_a_line_gives_words_gloss_and_examples():
    synset = read_synset(LINE)
    assert synset.words == ("dog", "domestic dog")
    assert synset.gloss == "a member of the genus Canis; kept by man"
    assert synset.examples == ("the dog barked all night", "a dog's life")


def test_a_dictionary_is_read_without_its_licence(tmp_path):
    for part in PARTS:
        text = "  1 This software is free\n" + (LINE if part == "noun" else "")
        (tmp_path / f"data.{part}").write_text(text, "utf-8")
    assert [synset.words[0] for synset in read_wordnet(tmp_path)] == ["dog"]


def test_a_missing_dictionary_is_named_with_the_way_out(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"data\.noun.*wordnet-base"):
        read_wordnet(tmp_path)


def test_a_damaged_line_is_named(tmp_path):
    (tmp_path / "data.noun").write_text(f"{LINE}not a line\n", "utf-8")
    with pytest.raises(ValueError, match=r"data\.noun, line 2"):
        read_wordnet(tmp_path)


def test_each_meaning_gives_gloss_example_and_shared_words():
    texts = build_corpus(["gold"], [], [CAT, RIVER], num_lists=0)
    assert texts == [
        "gold",
        "cat; a small animal",
        "the cat slept",
        "river, stream; flowing water",
        "river; stream",
    ]


def test_no_held_out_caption_is_among_the_texts():
    texts = build_corpus(
        ["gold", "River; Stream"], ["river; stream"], [RIVER], num_lists=300
    )
    assert "river; stream" not in {text.casefold() for text in texts}
    assert {"gold", "river, stream; flowing water"} < set(texts)


def test_texts_come_once_and_repeat_for_a_seed():
    first, again, other = (
        build_corpus(["gold", "gold"], [], [CAT], num_lists=50, seed=seed)
        for seed in (0, 0, 1)
    )
    assert first == again != other
    assert len(set(first)) == len(first)


def test_lists_hold_one_to_four_of_the_words():
    words = ["to cut", "water", "gold"]
    lists = word_lists(words, 400, np.random.default_rng(0))
    parts = [split_caption(text) for text in lists]
    assert {len(part) for part in parts} == {1, 2, 3, 4}
    assert {word for part in parts for word in part} == set(words)


def test_every_sense_has_its_word_in_all_three_texts():
    assert len(SENSES) >= 20
    assert len({sense.word for sense in SENSES}) == len(SENSES)
    for word, *texts in SENSES:
        assert all(word in WORD.findall(text) for text in texts), word
        assert len(set(texts)) == 3


def test_margins_are_nought_without_context_and_two_at_most():
    blind = sense_margins(lambda word, text: torch.ones(3))
    assert torch.equal(blind, torch.zeros(len(SENSES)))
    others = {sense.other for sense in SENSES}

    def sees(word: str, text: str) -> torch.Tensor:
        return torch.tensor([-1.0, 0.0] if text in others else [1.0, 0.0])

    assert torch.equal(sense_margins(sees), torch.full((len(SENSES),), 2.0))
