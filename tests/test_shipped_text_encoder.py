"""The text encoder in data/: does its card tell the truth?"""

import json
from functools import cache
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor
from torch.nn.functional import normalize
from transformers import T5Tokenizer

from glyflib.data import load_glyphs
from glyflib.evaluation.senses import SENSES, sense_margins
from glyflib.making.text_encoder.distil import TEACHER
from glyflib.making.text_encoder.student import agreement
from glyflib.making.text_encoder.teacher import word_at
from glyflib.text import SHIPPED, TextEncoder


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return TextEncoder.load()


@pytest.fixture(scope="module")
def facts() -> dict:
    return json.loads((SHIPPED / "training.json").read_text("utf-8"))


def means(encoder: TextEncoder, captions: list[str]) -> Tensor:
    """Mean tokens (N, D) of norm 1."""
    tokens, mask = encoder.encode(captions, max_tokens=64)
    return normalize(tokens.sum(1) / mask.sum(1, keepdim=True), dim=1)


@cache
def their_tokenizer() -> T5Tokenizer:
    """As transformers reads it: it also tells where in a text each piece lies."""
    return TextEncoder.load(with_transformers=True).tokenizer


def word_vector(encoder: TextEncoder, word: str, text: str) -> Tensor:
    """Mean vector of a word's pieces, found by their place in the text."""
    tokens, _ = encoder.encode(text)
    spans = their_tokenizer()(text, return_offsets_mapping=True)["offset_mapping"]
    number = word_at(text)[0][text.index(word)]
    rows = [
        i for i, (_, end) in enumerate(spans) if word_at(text)[0][end - 1] == number
    ]
    return tokens[0, [row for row in rows if spans[row][1] > 0]].mean(0)


def test_it_agrees_with_its_teacher_on_held_out_captions_as_stated(encoder, facts):
    captions = list(dict.fromkeys(load_glyphs("test", 32).captions))
    told = safetensors.torch.load_file(SHIPPED / TEACHER)["sentences"].float()
    assert len(captions) == len(told) == facts["held_out"]
    found = agreement(means(encoder, captions), normalize(told, dim=1))
    report = facts["report"]
    assert found["spearman"] == pytest.approx(report["spearman"], abs=2e-3)
    assert found["nearest"] == pytest.approx(report["nearest"], abs=0.01)
    assert report["spearman"] > 0.85


def test_it_tells_senses_apart_as_stated(encoder, facts):
    margins = sense_margins(lambda word, text: word_vector(encoder, word, text))
    share = (margins > 0).double().mean().item()
    assert share == pytest.approx(facts["report"]["senses"], abs=1.5 / len(SENSES))
    assert margins[0] > 0.05, "the element of chemistry is not that of a kettle"


def test_it_is_nearer_to_its_teacher_than_the_same_network_untrained(encoder):
    captions = list(dict.fromkeys(load_glyphs("test", 32).captions))[:200]
    told = safetensors.torch.load_file(SHIPPED / TEACHER)["sentences"][:200].float()
    torch.manual_seed(0)
    blank = TextEncoder(encoder.tokenizer, type(encoder.model)(encoder.model.config))
    trained, untrained = (
        agreement(means(some, captions), normalize(told, dim=1))["spearman"]
        for some in (encoder, blank)
    )
    assert trained > untrained + 0.4


def test_its_files_weigh_at_most_13_megabytes():
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 13e6


def test_the_card_states_what_was_measured(encoder, facts):
    card = Path(SHIPPED / "README.md").read_text("utf-8")
    report = facts["report"]
    count = sum(value.numel() for value in encoder.model.parameters())
    stated = [
        f"{count:,} parameters",
        f"{facts['texts']:,} short texts",
        f"{facts['held_out']} distinct captions",
        f"{report['spearman']:.3f}",
        f"{100 * report['nearest']:.1f} %",
        f"{round(report['senses'] * len(SENSES))} of {len(SENSES)}",
        f"margin of {report['margin']:.3f}",
        f"{facts['steps']:,} steps",
    ]
    text = " ".join(card.replace("\n", " ").split())
    assert [number for number in stated if number not in text] == []
