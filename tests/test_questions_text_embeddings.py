"""The questions of chapter 15, and what looks into the encoder for it."""

from itertools import combinations, pairwise

import pytest
import torch

from glyflib.lessons import text_vectors as vectors
from glyflib.lessons.exercises import check
from glyflib.lessons.questions import text_embeddings as asked
from glyflib.text import TextEncoder


@pytest.fixture(scope="module")
def encoder():
    return TextEncoder.load()


def all_cuts(word):
    """Every way to cut a word."""
    places = range(1, len(word))
    for num in range(len(word)):
        for ends in combinations(places, num):
            marks = [0, *ends, len(word)]
            yield [word[a:b] for a, b in pairwise(marks)]


def test_the_best_cut_is_the_best_of_all():
    word, scores = asked.a_word()
    sums = [
        sum(scores[piece] for piece in cut)
        for cut in all_cuts(word)
        if all(piece in scores for piece in cut)
    ]
    assert asked.best_cut(word, scores) == max(sums) == -7
    assert asked.longest_first(word, scores) == -14


def test_the_tokenizer_takes_the_best_cut(encoder):
    scores = vectors.piece_scores(encoder)
    for word in ("lithium", "zither", "unfathomable"):
        taken = sum(scores[piece] for piece in encoder.tokenizer.tokenize(word))
        assert asked.best_cut("▁" + word, scores) == pytest.approx(taken, abs=1e-4)


def test_looks_are_weights_and_make_the_first_layer(encoder):
    text, model = "lithium, a chemical element", encoder.model
    ids = torch.tensor([encoder.tokenizer(text).input_ids])
    block = model.blocks[0]
    x = model.embedding(ids)
    values = block.split(block.to_v(block.norm1(x)))[0]
    looks = [vectors.first_looks(encoder, text, head) for head in range(8)]
    for weights in looks:
        torch.testing.assert_close(weights.sum(dim=1), torch.ones(6))
    told = [weights @ value for weights, value in zip(looks, values, strict=True)]
    x = x + block.out(torch.cat(told, dim=1))
    by_hand = x + block.narrow(block.widen(block.norm2(x)).relu())
    place = torch.arange(6)
    buckets = vectors.distance_buckets(place - place[:, None], model.config)
    bias = model.distance_bias(buckets).permute(2, 0, 1)
    torch.testing.assert_close(
        by_hand, block(model.embedding(ids), bias), atol=1e-4, rtol=1e-4
    )


def test_an_unknown_head_is_refused(encoder):
    with pytest.raises(ValueError, match="head 8"):
        vectors.first_looks(encoder, "gold", 8)


def test_a_words_vector_is_the_mean_of_its_own_tokens(encoder):
    text = "a zither, an element"
    tokens = encoder.encode(text).tokens[0]
    pieces = [piece for piece, _ in vectors.cut(encoder, text)]
    rows = range(pieces.index(",") - 3, pieces.index(","))
    assert "".join(pieces[row] for row in rows) == "▁zither"
    found = vectors.word_vector(encoder, "zither", text)
    torch.testing.assert_close(found, tokens[list(rows)].mean(0))
    last = vectors.word_vector(encoder, "element", text)
    torch.testing.assert_close(last, tokens[pieces.index("▁element")])
    with pytest.raises(ValueError, match="kettle"):
        vectors.word_vector(encoder, "kettle", text)


def test_means_do_not_depend_on_the_other_texts(encoder):
    texts = ["gold", "lithium, a chemical element", "fish"]
    together = vectors.mean_tokens(encoder, texts)
    for row, text in enumerate(texts):
        alone = encoder.encode(text).tokens[0].mean(0)
        torch.testing.assert_close(together[row], alone, atol=1e-5, rtol=1e-4)
    table = vectors.table_means(encoder, texts)
    pieces = encoder.tokenizer("fish").input_ids
    torch.testing.assert_close(table[2], encoder.model.embedding.weight[pieces].mean(0))


def test_an_untrained_encoder_is_the_same_for_a_seed_and_leaves_chance_alone(encoder):
    before = torch.get_rng_state()
    first, again, other = (vectors.untrained_like(encoder, seed) for seed in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    a, b, c = (blank.encode("gold").tokens for blank in (first, again, other))
    assert torch.equal(a, b) and not torch.equal(a, c)


def test_order_is_in_the_numbers_of_places_only():
    assert asked.likeness() == pytest.approx(1, abs=1e-5)
    assert 0.99 < asked.likeness(True) < 0.9995


def test_mean_tokens_agree_with_the_package():
    tokens, mask = asked.padded_texts()
    real = (tokens * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
    torch.testing.assert_close(asked.mean_token(tokens, mask), real)


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("text-size", 2048, "a row, too"),
        ("text-size", 2304, "Right"),
        ("text-cosine", 24, "both lengths"),
        ("text-cosine", 0.96, "Right"),
        ("text-guess", 8, "base 2"),
        ("text-guess", 5.545, "Right"),
        ("text-mean", asked.over_all, "divide by L"),
        ("text-order", 0.0, "nothing in common"),
        ("text-cut", asked.longest_first, "longest"),
    ],
)
def test_each_mistake_gets_its_own_hint(name, answer, told):
    assert told in check(name, answer).text
