"""Make the text encoder that the book ships: corpus, teacher, student, report.

Invariant: no held-out caption is learnt from. A killed build goes on where it was:
what the teacher said and the student's state are kept in a working folder.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor
from torch.nn.functional import normalize
from transformers import T5EncoderModel, T5Tokenizer

from glyflib.checkpoint import EMA, RECORD, Run, load_checkpoint, save_checkpoint
from glyflib.data import Glyphs
from glyflib.evaluation.senses import sense_margins
from glyflib.files import provenance, replace_file, write_text
from glyflib.making.text_encoder.corpus import build_corpus, read_wordnet
from glyflib.making.text_encoder.student import (
    Coded,
    DistilConfig,
    agreement,
    code_texts,
    distil_loss,
    draw_batches,
    encode_means,
    new_student,
    piece_vectors,
    train_tokenizer,
)
from glyflib.making.text_encoder.teacher import (
    Lesson,
    Teacher,
    mean_by_word,
    take_lesson,
    word_at,
)
from glyflib.training import learning_rate_at

MAX_TOKENS = 64
TEACHER = "teacher.safetensors"
Progress = Callable[[Sequence], Sequence]


def distil_steps(
    run: Run,
    coded: Coded,
    lesson: Lesson,
    num_captions: int,
    config: DistilConfig,
    save: Callable[[], None],
    save_every: int = 500,
) -> Iterator[tuple[int, list[float]]]:
    """Draw, update, save when it is time; yields the step and the three errors."""
    lengths = np.diff(coded.starts)
    for rows in draw_batches(lengths, num_captions, config, run.step):
        for group in run.optimizer.param_groups:
            group["lr"] = learning_rate_at(run.step, config)
        parts = distil_loss(run.model, coded, lesson, rows, config.similarity_weight)
        run.optimizer.zero_grad()
        sum(parts).backward()
        torch.nn.utils.clip_grad_norm_(run.model.parameters(), 1.0)
        run.optimizer.step()
        run.ema.update(run.model)
        run.step += 1
        if run.step % save_every == 0 or run.step == config.steps:
            save()
        yield run.step, [part.item() for part in parts]


def cached_lesson(
    teacher: Teacher, texts: Sequence[str], width: int, path: Path, progress: Progress
) -> Lesson:
    """What the teacher says of the texts, from the file if it holds these texts."""
    key = sha256(json.dumps([width, *texts]).encode()).hexdigest()
    note = path.with_suffix(".sha256")
    if path.is_file() and note.is_file() and note.read_text() == key:
        return Lesson(**safetensors.torch.load_file(path))
    lesson = take_lesson(teacher, texts, width, progress=progress)
    tensors = {name: value.contiguous() for name, value in lesson._asdict().items()}
    replace_file(path, lambda file: safetensors.torch.save_file(tensors, file))
    write_text(note, key)
    return lesson


def rows_of(coded: Coded, lesson: Lesson, rows: slice) -> tuple[Coded, Lesson]:
    """The part of texts and lesson that lies in a slice with both ends."""
    first, last = coded.starts[rows.start], coded.starts[rows.stop]
    texts = Coded(
        coded.pieces[first:last],
        coded.words[first:last],
        coded.starts[rows.start : rows.stop + 1] - first,
    )
    first, last = lesson.starts[rows.start], lesson.starts[rows.stop]
    starts = lesson.starts[rows.start : rows.stop + 1] - first
    said = Lesson(
        lesson.sentences[rows], lesson.words[first:last], starts, lesson.basis
    )
    return texts, said


@torch.no_grad()
def word_vector(
    student: T5EncoderModel, tokenizer: T5Tokenizer, word: str, text: str
) -> Tensor:
    """Mean vector (D,) of the pieces of a word, where it first stands in a text."""
    coded = code_texts([text], tokenizer, MAX_TOKENS)
    number = word_at(text)[0][text.index(word)]
    pieces = torch.from_numpy(coded.pieces)[None]
    hidden = student(input_ids=pieces).last_hidden_state[0]
    words = torch.from_numpy(coded.words)
    return mean_by_word(hidden[words == number], words[words == number] * 0, 1)[0]


def report_on(
    student: T5EncoderModel, tokenizer: T5Tokenizer, coded: Coded, lesson: Lesson
) -> dict[str, float]:
    """How well a student agrees with its teacher on texts, and tells senses apart.

    Returns:
        spearman, nearest: see `agreement`.
        senses: share of `SENSES` nearer to their own meaning than to the other.
        margin: mean difference of those cosines.
    """
    mine = encode_means(student, coded, range(len(coded.starts) - 1))
    theirs = normalize(lesson.sentences.float(), dim=1)
    margins = sense_margins(
        lambda word, text: word_vector(student, tokenizer, word, text)
    )
    return agreement(mine, theirs) | {
        "senses": (margins > 1e-6).double().mean().item(),
        "margin": margins.mean().item(),
    }


def save_encoder(
    student: T5EncoderModel,
    tokenizer_file: Path,
    facts: dict,
    told: Tensor,
    out: Path,
) -> None:
    """Write a folder as Hugging Face does, weights in half precision.

    Beside them lie the facts, and what the teacher told (N, D) of the held-out
    captions, so that the report can be checked without the teacher. The folder is
    filled under another name and then moved; its README.md is kept.
    """
    temporary = out.with_name(f"{out.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    student.half().save_pretrained(temporary)
    student.float()
    shutil.copy(tokenizer_file, temporary / "spiece.model")
    kind = {"tokenizer_class": "T5Tokenizer", "extra_ids": 0}
    for name, values in {"tokenizer_config.json": kind, "training.json": facts}.items():
        (temporary / name).write_text(json.dumps(values, indent=2) + "\n", "utf-8")
    safetensors.torch.save_file({"sentences": told}, temporary / TEACHER)
    if (out / "README.md").is_file():
        shutil.copy(out / "README.md", temporary)
    shutil.rmtree(out, ignore_errors=True)
    temporary.rename(out)


def build_text_encoder(
    glyphs: Glyphs,
    out: Path,
    teacher_path: Path | str,
    wordnet: Path,
    config: DistilConfig,
    *,
    work: Path,
    progress: Progress = lambda rows: rows,
) -> Iterator[tuple[int, list[float]]]:
    """Distil the encoder, step by step; the last step writes it.

    Args:
        glyphs: of both splits, for their captions.
        out: folder to write, in the Hugging Face format, with `training.json`.
        teacher_path: sentence encoder, a folder or hub name.
        wordnet: folder of WordNet's data files.
        config: how to distil.
        work: folder for what a killed build would lose: 1.5 GB and a checkpoint.
        progress: wraps the teacher's batches, as tqdm does.

    Yields:
        step and its three errors; see `distil_loss`.

    Raises:
        FileNotFoundError: If WordNet is not there.
        OSError: If the teacher is not there.
        ValueError: If the checkpoint in `work` is another's.
    """
    teacher = Teacher(teacher_path)
    train = glyphs.take(~glyphs.is_test).captions
    captions = list(dict.fromkeys(train))
    held_out = list(dict.fromkeys(glyphs.take(glyphs.is_test).captions))
    synsets, lists = read_wordnet(wordnet), config.num_lists
    texts = build_corpus(list(train), held_out, synsets, num_lists=lists)
    tokenizer = train_tokenizer(
        [*train, *train, *train, *train, *texts], config.num_pieces, work / "tokenizer"
    )
    lesson = cached_lesson(
        teacher, held_out + texts, config.width, work / "lesson.safetensors", progress
    )
    coded = code_texts(held_out + texts, tokenizer, MAX_TOKENS)
    num = len(held_out)
    exam = rows_of(coded, lesson, slice(0, num))
    task = rows_of(coded, lesson, slice(num, num + len(texts)))
    with torch.no_grad():
        pieces = piece_vectors(teacher, tokenizer, lesson.basis)
    run = start_run(new_student(pieces, config), config, work / "checkpoint")

    def save() -> None:
        facts = {"config": asdict(config), "shapes": []}
        save_checkpoint(work / "checkpoint", run.to_checkpoint(facts))

    num_captions = len(set(captions) & set(texts))
    yield from distil_steps(run, *task, num_captions, config, save)
    student = run.ema.model.half().float()  # judged as it is shipped
    facts = {"texts": len(texts), "held_out": num} | asdict(config)
    facts |= {"report": report_on(student, tokenizer, *exam)} | provenance()
    told = exam[1].sentences.clone()
    save_encoder(student, work / "tokenizer" / "spiece.model", facts, told, out)


def start_run(student: T5EncoderModel, config: DistilConfig, folder: Path) -> Run:
    """A new run, or the one whose checkpoint lies in the folder.

    Raises:
        ValueError: If the checkpoint was made with another configuration.
    """
    ema = EMA(student, config.ema_decay)
    optimizer = torch.optim.AdamW(student.parameters(), weight_decay=0.01)
    run = Run(student, ema, optimizer, torch.Generator().manual_seed(config.seed))
    if (folder / RECORD).is_file():
        stored = load_checkpoint(folder)
        if stored.facts["config"] != asdict(config):
            raise ValueError(
                f"{folder} holds a run with {stored.facts['config']}, not with "
                f"{asdict(config)}: remove it, or give another work folder"
            )
        run.restore(stored)
    return run
