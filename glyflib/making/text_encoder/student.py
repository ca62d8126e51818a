"""A small T5 encoder that learns from a sentence encoder, word by word.

Invariant: the student's vectors live in the teacher's own leading directions, so
that its mean over tokens can be compared with the teacher's without any translation.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import sentencepiece
import torch
from scipy.stats import spearmanr
from torch import Tensor
from torch.nn.functional import cosine_similarity, normalize
from transformers import T5Config, T5EncoderModel, T5Tokenizer

from glyflib.making.text_encoder.teacher import Lesson, Teacher, mean_by_word, word_at

POOL = 64  # batches drawn at once, then sorted by length


@dataclass(frozen=True)
class DistilConfig:
    """How to distil; stored beside the result.

    Attributes:
        steps: number of updates.
        batch_size: texts a step.
        learning_rate: peak, after the warm-up; then half a cosine down to 0.
        warmup: steps of linear rise.
        num_lists: random lists of words among the texts.
        num_pieces: size of the vocabulary.
        width: of the student's vectors.
        num_layers: of attention and feed-forward.
        ffn_dim: width inside the feed-forward layers.
        share_captions: share of each batch that is captions.
        similarity_weight: of the error in the similarities between texts.
        ema_decay: of the averaged weights, which are those that are kept.
        seed: of weights and draws.
    """

    steps: int
    batch_size: int = 128
    learning_rate: float = 1e-3
    warmup: int = 200
    num_lists: int = 40_000
    num_pieces: int = 12_000
    width: int = 256
    num_layers: int = 4
    ffn_dim: int = 768
    share_captions: float = 0.2
    similarity_weight: float = 10.0
    ema_decay: float = 0.998
    seed: int = 0


def train_tokenizer(texts: Sequence[str], num_pieces: int, folder: Path) -> T5Tokenizer:
    """Find a vocabulary of word pieces, case folded, and write it as spiece.model."""
    folder.mkdir(parents=True, exist_ok=True)
    found = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=found,
        vocab_size=num_pieces,
        model_type="unigram",
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        normalization_rule_name="nmt_nfkc_cf",
        num_threads=1,
        minloglevel=1,
    )
    (folder / "spiece.model").write_bytes(found.getvalue())
    return T5Tokenizer.from_pretrained(str(folder), extra_ids=0)


def piece_vectors(teacher: Teacher, tokenizer: T5Tokenizer, basis: Tensor) -> Tensor:
    """What the teacher says of each piece on its own (V, D), of mean square 1."""
    pieces = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    texts = [piece.replace("\u2581", "") or "." for piece in pieces]
    found = [
        teacher.encode(texts[i : i + 256])[0] @ basis for i in range(0, len(texts), 256)
    ]
    return normalize(torch.cat(found), dim=1) * basis.shape[1] ** 0.5


def new_student(embedding: Tensor, config: DistilConfig) -> T5EncoderModel:
    """A T5 encoder that starts near the mean of its pieces' own vectors.

    Each layer adds to what flows past it; what it adds starts small.
    """
    torch.manual_seed(config.seed)
    width = config.width
    shape = T5Config(
        vocab_size=len(embedding),
        d_model=width,
        d_kv=32,
        num_heads=width // 32,
        d_ff=config.ffn_dim,
        num_layers=config.num_layers,
        dropout_rate=0.0,
        tie_word_embeddings=True,
    )
    model = T5EncoderModel(shape)
    with torch.no_grad():
        model.shared.weight.copy_(embedding)
        for name, value in model.named_parameters():
            if name.endswith((".o.weight", ".wo.weight")):
                value.mul_(0.1)
    return model


class Coded(NamedTuple):
    """Texts as pieces, one after the other.

    Attributes:
        pieces: (P,) int64.
        words: (P,) int64 number of each piece's word in its text, -1 for none.
        starts: (N + 1,) int64, where each text begins.
    """

    pieces: np.ndarray
    words: np.ndarray
    starts: np.ndarray


def code_texts(texts: Sequence[str], tokenizer: T5Tokenizer, max_tokens: int) -> Coded:
    """Cut texts into pieces, each with the word that it ends in."""
    coded = tokenizer(
        list(texts),
        truncation=True,
        max_length=max_tokens,
        return_offsets_mapping=True,
        return_attention_mask=False,
    )
    words = []
    for text, spans in zip(texts, coded["offset_mapping"], strict=True):
        ends = np.array(spans)[:, 1]
        numbers = word_at(text)[0][ends - 1]
        words.append(np.where(ends > 0, numbers, -1))
    lengths = [len(pieces) for pieces in coded["input_ids"]]
    return Coded(
        np.concatenate(coded["input_ids"]),
        np.concatenate(words),
        np.concatenate([[0], np.cumsum(lengths)]),
    )


def draw_batches(
    lengths: np.ndarray, num_captions: int, config: DistilConfig, first: int
) -> Iterator[np.ndarray]:
    """Rows of each batch from step `first` on; texts of like length come together.

    What a step draws depends on its number and the seed alone, so a run can resume.
    """
    for pool in range(first // POOL, -(-config.steps // POOL)):
        generator = np.random.default_rng((config.seed, pool))
        size = POOL * config.batch_size
        rows = generator.integers(len(lengths), size=size)
        is_caption = generator.random(size) < config.share_captions
        rows[is_caption] = generator.integers(num_captions, size=is_caption.sum())
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        batches = generator.permutation(rows.reshape(POOL, config.batch_size))
        skip = max(0, first - pool * POOL)
        yield from batches[skip : config.steps - pool * POOL]


def pad(rows: Sequence[np.ndarray], value: int) -> Tensor:
    """Stack arrays of different length into one (B, L), filled up with a value."""
    width = max(map(len, rows))
    out = np.full((len(rows), width), value)
    for place, row in zip(out, rows, strict=True):
        place[: len(row)] = row
    return torch.from_numpy(out)


def mean_over_tokens(hidden: Tensor, mask: Tensor) -> Tensor:
    """Mean (B, D) of the token vectors (B, L, D) where the mask (B, L) is set."""
    return (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)


def distil_loss(
    student: T5EncoderModel,
    coded: Coded,
    lesson: Lesson,
    rows: np.ndarray,
    weight: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Errors in the words, in the texts, and in the similarities between texts.

    The first two are 1 minus the cosine with what the teacher says, the third is a
    mean squared difference of cosines, times the weight.
    """
    cuts = [slice(coded.starts[row], coded.starts[row + 1]) for row in rows]
    pieces = pad([coded.pieces[cut] for cut in cuts], 0)
    mask = pad([np.ones(cut.stop - cut.start, bool) for cut in cuts], 0).bool()
    hidden = student(input_ids=pieces, attention_mask=mask).last_hidden_state
    counts = (lesson.starts[rows + 1] - lesson.starts[rows]).numpy()
    firsts = np.cumsum(counts) - counts
    words = [
        np.where(coded.words[cut] < 0, -1, coded.words[cut] + first)
        for cut, first in zip(cuts, firsts, strict=True)
    ]
    said = mean_by_word(
        hidden[mask], torch.from_numpy(np.concatenate(words)), counts.sum()
    )
    told = torch.cat(
        [lesson.words[lesson.starts[r] : lesson.starts[r + 1]] for r in rows]
    )
    is_known = (told.abs().sum(1) > 0) & (said.abs().sum(1) > 0)
    by_word = 1 - cosine_similarity(said[is_known], told[is_known].float()).mean()
    mean, truth = mean_over_tokens(hidden, mask), lesson.sentences[rows].float()
    by_text = 1 - cosine_similarity(mean, truth).mean()
    mine, theirs = normalize(mean, dim=1), normalize(truth, dim=1)
    by_pair = weight * (mine @ mine.T - theirs @ theirs.T).square().mean()
    return by_word, by_text, by_pair


@torch.no_grad()
def encode_means(student: T5EncoderModel, coded: Coded, rows: Sequence[int]) -> Tensor:
    """Mean token vector (N, D) of each text, of norm 1."""
    found = []
    for start in range(0, len(rows), 256):
        cuts = [
            coded.pieces[coded.starts[row] : coded.starts[row + 1]]
            for row in rows[start : start + 256]
        ]
        pieces, mask = pad(cuts, 0), pad([np.ones_like(cut) for cut in cuts], 0)
        hidden = student(input_ids=pieces, attention_mask=mask).last_hidden_state
        found.append(mean_over_tokens(hidden, mask))
    return normalize(torch.cat(found), dim=1)


def agreement(mine: Tensor, theirs: Tensor) -> dict[str, float]:
    """Do two encoders find the same texts alike?

    Args:
        mine: (N, D) vectors of norm 1.
        theirs: (N, E) vectors of norm 1 of the same texts.

    Returns:
        spearman: rank correlation of the cosines of all pairs.
        nearest: share of texts whose nearest other text is the same for both.
    """
    first, second = torch.triu_indices(len(mine), len(mine), 1)
    a, b = (vectors @ vectors.T for vectors in (mine, theirs))
    rank = spearmanr(a[first, second].numpy(), b[first, second].numpy()).statistic
    for cosines in (a, b):
        cosines.fill_diagonal_(-2)
    nearest = (a.argmax(1) == b.argmax(1)).double().mean()
    return {"spearman": float(rank), "nearest": nearest.item()}
