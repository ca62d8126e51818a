"""Distilling a text encoder, on a teacher and a dictionary made up here."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from tokenizers import BertWordPieceTokenizer
from torch.nn.functional import cosine_similarity, normalize
from transformers import BertConfig, BertModel, BertTokenizerFast

from glyflib.__main__ import main
from glyflib.data import load_glyphs
from glyflib.making.text_encoder import distil as text_encoder
from glyflib.making.text_encoder.student import (
    DistilConfig,
    agreement,
    code_texts,
    distil_loss,
    draw_batches,
    encode_means,
    mean_over_tokens,
    new_student,
    pad,
    piece_vectors,
    train_tokenizer,
)
from glyflib.making.text_encoder.teacher import (
    Teacher,
    leading_directions,
    mean_by_word,
    take_lesson,
    word_at,
)
from glyflib.text import TextEncoder

WORDS = [
    "water",
    "river",
    "gold",
    "metal",
    "tree",
    "wood",
    "fire",
    "stone",
    "bird",
    "fish",
    "to",
    "cut",
    "eat",
]
TEXTS = [f"{a} {b}, {c}" for a in WORDS for b in WORDS[:4] for c in WORDS[4:7]]
CONFIG = DistilConfig(
    steps=30,
    batch_size=8,
    learning_rate=3e-3,
    warmup=2,
    num_pieces=25,
    width=32,
    num_layers=1,
    ffn_dim=48,
    num_lists=20,
)


@pytest.fixture(scope="module")
def teacher_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("teacher")
    pieces = BertWordPieceTokenizer()
    pieces.train_from_iterator(TEXTS, vocab_size=80, show_progress=False)
    BertTokenizerFast(tokenizer_object=pieces._tokenizer).save_pretrained(folder)
    torch.manual_seed(0)
    shape = BertConfig(
        vocab_size=80,
        hidden_size=48,
        num_hidden_layers=1,
        num_attention_heads=4,
        intermediate_size=64,
        initializer_range=0.3,
    )
    BertModel(shape).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def teacher(teacher_folder):
    return Teacher(teacher_folder)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return train_tokenizer(TEXTS, CONFIG.num_pieces, tmp_path_factory.mktemp("pieces"))


@pytest.fixture(scope="module")
def lesson(teacher):
    return take_lesson(teacher, TEXTS, CONFIG.width, batch_size=16)


@pytest.fixture(scope="module")
def coded(tokenizer):
    return code_texts(TEXTS, tokenizer, 64)


def test_words_are_runs_of_letters_and_single_marks():
    numbers, count = word_at("to cut; a fish")
    assert count == 5
    assert numbers.tolist() == [0, 0, -1, 1, 1, 1, 2, -1, 3, -1, 4, 4, 4, 4, -1]
    assert word_at("")[1] == 0


def test_mean_by_word_averages_its_tokens_only():
    hidden = torch.tensor([[1.0], [3.0], [10.0], [99.0]])
    mean = mean_by_word(hidden, torch.tensor([0, 0, 2, -1]), 3)
    assert mean.tolist() == [[2.0], [0.0], [10.0]]


def test_leading_directions_keep_cosines_when_nothing_is_cut():
    vectors = torch.randn(50, 8, generator=torch.Generator().manual_seed(0))
    basis = leading_directions(vectors, 8)
    torch.testing.assert_close(basis.T @ basis, torch.eye(8), atol=1e-5, rtol=0)
    cut = vectors @ basis
    torch.testing.assert_close(cut @ cut.T, vectors @ vectors.T, atol=1e-4, rtol=0)
    assert (cut.square().mean(0).diff() <= 1e-6).all()


def test_the_lesson_is_the_same_whatever_the_batch(teacher, lesson):
    other = take_lesson(teacher, TEXTS, CONFIG.width, batch_size=5)
    assert torch.equal(lesson.starts, other.starts)
    products = [
        some.sentences.float() @ some.sentences.float().T for some in (lesson, other)
    ]
    torch.testing.assert_close(*products, atol=5e-3, rtol=0)


def test_a_sentence_is_the_mean_of_the_teachers_tokens(teacher):
    sentences, words = teacher.encode(["water river", "gold"])
    coded = teacher.tokenizer("gold", return_tensors="pt")
    hidden = teacher.model(**coded).last_hidden_state[0]
    torch.testing.assert_close(sentences[1], normalize(hidden.mean(0), dim=0))
    torch.testing.assert_close(words[1][0], hidden[1], atol=1e-5, rtol=0)
    assert [len(some) for some in words] == [2, 1]


def test_each_piece_is_tied_to_the_word_it_ends_in(tokenizer):
    coded = code_texts(["gold, river", "fish"], tokenizer, 64)
    for number, text in enumerate(["gold, river", "fish"]):
        cut = slice(coded.starts[number], coded.starts[number + 1])
        words = coded.words[cut]
        assert words[-1] == -1 and coded.pieces[cut][-1] == tokenizer.eos_token_id
        assert sorted(set(words[:-1].tolist())) == list(range(word_at(text)[1]))
        assert (np.diff(words[:-1]) >= 0).all()


def test_draws_depend_on_seed_and_step_alone_so_that_a_run_resumes():
    lengths = np.arange(300) % 17
    config = DistilConfig(steps=150, batch_size=4)
    every = list(draw_batches(lengths, 10, config, 0))
    late = list(draw_batches(lengths, 10, config, 70))
    assert len(every) == 150
    np.testing.assert_array_equal(every[70:], late)
    spread = np.mean([np.ptp(lengths[rows]) for rows in every])
    assert spread < 3, "texts of a batch must have like lengths"
    share = np.mean(np.concatenate(every) < 10)
    assert share == pytest.approx(0.2 + 0.8 * 10 / 300, abs=0.06)


def test_padding_does_not_change_a_mean():
    hidden = torch.randn(1, 3, 4, generator=torch.Generator().manual_seed(0))
    mask = torch.tensor([[True, True, False]])
    torch.testing.assert_close(
        mean_over_tokens(hidden, mask), hidden[:, :2].mean(1), atol=1e-6, rtol=0
    )
    assert pad([np.array([1]), np.array([2, 3])], 9).tolist() == [[1, 9], [2, 3]]


def test_a_student_that_repeats_the_teacher_has_no_loss(
    teacher, tokenizer, coded, lesson
):
    rows = np.arange(6)
    student = new_student(piece_vectors(teacher, tokenizer, lesson.basis), CONFIG)
    parts = distil_loss(student, coded, lesson, rows, 10.0)
    assert all(part.item() > 1e-3 for part in parts)
    mine = encode_means(student, coded, rows).half()
    own = lesson._replace(sentences=lesson.sentences.clone())
    own.sentences[rows] = mine.detach()
    _, by_text, by_pair = distil_loss(student, coded, own, rows, 10.0)
    assert by_text.item() < 1e-3 and by_pair.item() < 1e-4


def test_agreement_is_whole_for_turned_vectors_and_none_for_strangers():
    gen = torch.Generator().manual_seed(0)
    vectors = normalize(torch.randn(200, 16, generator=gen), dim=1)
    turn, _ = torch.linalg.qr(torch.randn(16, 16, generator=gen))
    same = agreement(vectors, vectors @ turn)
    assert same["spearman"] == pytest.approx(1, abs=1e-4) and same["nearest"] == 1
    stranger = normalize(torch.randn(200, 16, generator=gen), dim=1)
    other = agreement(vectors, stranger)
    assert abs(other["spearman"]) < 0.03 and other["nearest"] < 0.05


@pytest.fixture
def build(tmp_path, teacher_folder):
    """Runs the whole build with few captions and a dictionary of two meanings."""
    glyphs = replace(
        load_glyphs("all", 32).take(slice(70)),
        captions=tuple(TEXTS[:70]),
        is_test=torch.arange(70) >= 60,
    )
    for part in ("noun", "verb", "adj", "adv"):
        line = "1 05 n 02 water 0 river 0 000 | gold fire stone  \n"
        (tmp_path / f"data.{part}").write_text(line, "utf-8")

    def run(config=CONFIG, stop=None):
        steps = text_encoder.build_text_encoder(
            glyphs,
            tmp_path / "encoder",
            teacher_folder,
            tmp_path,
            config,
            work=tmp_path / "work",
        )
        seen = []
        for step in steps:
            seen.append(step)
            if step[0] == stop:
                break
        return seen, tmp_path

    return run


def test_a_build_learns_and_what_it_writes_can_be_loaded(build):
    seen, folder = build()
    first, last = (
        np.mean([parts for _, parts in some], 0) for some in (seen[:5], seen[-5:])
    )
    assert len(seen) == CONFIG.steps and (last < first)[:2].all()
    encoder = TextEncoder.load(folder / "encoder")
    assert encoder.width == CONFIG.width
    tokens, mask = encoder.encode(["water river", "gold"])
    assert tokens.isfinite().all() and mask.sum(1).tolist()[0] >= 3
    report = (folder / "encoder" / "training.json").read_text("utf-8")
    assert '"spearman"' in report and '"senses"' in report


def test_a_killed_build_goes_on_to_the_same_weights(build, monkeypatch):
    original = text_encoder.distil_steps
    monkeypatch.setattr(
        text_encoder, "distil_steps", lambda *rest: original(*rest, save_every=10)
    )
    build(stop=17)
    seen, folder = build()
    assert [step for step, _ in seen] == list(range(11, 31))
    resumed = (folder / "encoder" / "model.safetensors").read_bytes()
    for path in (folder / "work" / "checkpoint").iterdir():
        path.unlink()
    build()
    assert resumed == (folder / "encoder" / "model.safetensors").read_bytes()


def test_another_runs_checkpoint_is_refused(build):
    build(stop=None)
    with pytest.raises(ValueError, match="remove it, or give another"):
        build(replace(CONFIG, seed=1))


def test_a_word_is_read_in_its_context(teacher, tokenizer, lesson):
    student = new_student(piece_vectors(teacher, tokenizer, lesson.basis), CONFIG)
    vectors = [
        text_encoder.word_vector(student, tokenizer, "gold", text)
        for text in ("gold river", "gold river", "gold tree fire")
    ]
    assert torch.equal(vectors[0], vectors[1])
    assert cosine_similarity(vectors[0], vectors[2], dim=0) < 1 - 1e-6


def test_a_missing_teacher_or_dictionary_is_told_in_a_line(tmp_path, teacher_folder):
    def invoke(teacher):
        words = f"data text-encoder --teacher {teacher} --wordnet {tmp_path} "
        words += f"--work {tmp_path}/work --out {tmp_path}/encoder"
        return CliRunner().invoke(main, words.split())

    for teacher, said in ((tmp_path / "none", "none"), (teacher_folder, "data.noun")):
        result = invoke(teacher)
        assert result.exit_code == 1 and said in result.output
        assert "Traceback" not in result.output and not (tmp_path / "encoder").exists()
