"""Small things for tests: glyphs, a T5 encoder, a glyffuser, a study's subject."""

import io
import json
from functools import cache

import pyarrow as pa
import pyarrow.parquet as pq
import sentencepiece
import torch
from transformers import T5Config, T5EncoderModel
from transformers.utils import logging

from glyflib.data import GLYPHS, load_glyphs
from glyflib.glyffuser import Glyffuser
from glyflib.studies.common import Subject
from glyflib.text import TextEncoder
from glyflib.unet import UNet

WIDTH = 16
LINES = [
    "gold; metal in general; money",
    "water; river; a current of clear water",
    "a chemical element, lithium",
    "an insect, like a wasp or a bee",
    "to speak; words and language",
    "the heating element of a kettle",
]


def save_glyphs(path, *, num_train=40, num_test=8):
    """Write the first glyphs of each split of the shipped set, as a set of its own."""
    table = pq.read_table(GLYPHS)
    is_test = table["split"].to_numpy() == "test"
    rows = [*(~is_test).nonzero()[0][:num_train], *is_test.nonzero()[0][:num_test]]
    pq.write_table(table.take(pa.array(sorted(rows))), path)
    return path


@cache
def some_glyphs(split):
    """The shipped glyphs of a split at 32x32, read once."""
    return load_glyphs(split, 32)


def subject(glyffuser):
    """What a study of this glyffuser examines: the shipped glyphs beside it."""
    return Subject(glyffuser, some_glyphs("train"), some_glyphs("test"))


def save_encoder(folder, *, seed=0):
    """Write a T5 encoder of the shipped kind, with a vocabulary of its own."""
    folder.mkdir(parents=True)
    found = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES * 3),
        model_writer=found,
        vocab_size=56,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        normalization_rule_name="nmt_nfkc_cf",
        num_threads=1,
        minloglevel=2,
    )
    (folder / "spiece.model").write_bytes(found.getvalue())
    kind = {"tokenizer_class": "T5Tokenizer", "extra_ids": 0}
    (folder / "tokenizer_config.json").write_text(json.dumps(kind))
    torch.manual_seed(seed)
    shape = T5Config(
        vocab_size=56, d_model=WIDTH, d_kv=4, num_heads=4, d_ff=32, num_layers=2
    )
    had_bar = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    T5EncoderModel(shape).half().save_pretrained(folder)
    if had_bar:
        logging.enable_progress_bar()
    return folder


def random_unet(*, text_dim=WIDTH, seed=0, **options):
    """A network whose output is not zero, as it is at first, and reads the text."""
    torch.manual_seed(seed)
    shape = {"channels": (8, 16), "attention_levels": (1,), "text_dim": text_dim}
    unet = UNet(**(shape | options)).eval().requires_grad_(False)
    for value in unet.parameters():
        value.add_(0.1 * torch.randn_like(value))
    return unet


def save_glyffuser(folder, *, seed=0, size=16, **options):
    """Write a glyffuser of 16x16 pixels or more, its encoder beside it."""
    encoder = TextEncoder.load(save_encoder(folder.parent / "text_encoder", seed=seed))
    Glyffuser(random_unet(seed=seed), encoder, size=size, **options).save(folder)
    return folder
