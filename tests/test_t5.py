"""T5 in plain torch says what transformers says, and is read sooner."""

import json
import subprocess
import sys

import pytest
import torch
from tiny_models import save_encoder, save_glyffuser
from transformers.models.t5.modeling_t5 import T5Attention

from glyflib.data import load_glyphs
from glyflib.t5 import T5Config, T5Encoder, distance_buckets, is_plain
from glyflib.text import SHIPPED, TextEncoder

# What no drawing of a glyph needs, and takes long to import.
HEAVY = {
    "IPython",
    "accelerate",
    "diffusers",
    "huggingface_hub",
    "matplotlib",
    "numba",
    "pandas",
    "scipy",
    "sklearn",
    "sympy",
    "torch._dynamo",
    "torch._inductor",
    "torch.distributed.tensor",
    "transformers",
    "umap",
}
DRAW = """if True:
    import sys
    from glyflib.__main__ import main
    main(sys.argv[1:], standalone_mode=False)
    print(*sys.modules, sep="\\n", file=sys.stderr)
"""


@pytest.fixture(scope="module")
def pair():
    """The shipped encoder, read by this package and by transformers."""
    return [TextEncoder.load(with_transformers=which) for which in (False, True)]


def test_the_two_ways_to_read_an_encoder_are_two(pair):
    assert [type(encoder.model).__module__ for encoder in pair] == [
        "glyflib.t5",
        "transformers.models.t5.modeling_t5",
    ]


def test_all_captions_are_cut_into_the_same_pieces(pair):
    texts = [*dict.fromkeys(load_glyphs("all", 32).captions)]
    texts += [
        "",
        "GOLD",
        "  two   spaces\t",
        "a\nb",
        "ﬁne Ünïcode",
        "水 🙂 gold",
        "½ ①",
    ]
    plain, theirs = (encoder.tokenizer(texts).input_ids for encoder in pair)
    assert plain == theirs
    assert pair[0].tokenizer("gold").input_ids == pair[1].tokenizer("gold").input_ids
    pieces = [encoder.tokenizer.tokenize("antidisestablish") for encoder in pair]
    assert pieces[0] == pieces[1] and len(pieces[0]) > 1
    assert len(pair[0].tokenizer) == len(pair[1].tokenizer)


def test_vectors_are_those_of_transformers(pair):
    captions = load_glyphs("test", 32).captions[:60]
    plain, theirs = (encoder.encode(captions, max_tokens=90) for encoder in pair)
    assert torch.equal(plain.mask, theirs.mask)
    torch.testing.assert_close(plain.tokens, theirs.tokens, rtol=1e-4, atol=1e-4)


def test_far_and_near_tokens_are_told_apart_as_in_transformers():
    offsets = torch.arange(-300, 301)
    theirs = T5Attention._relative_position_bucket(offsets)
    shape = T5Config(100, 8, 1, 1, 8, 8)
    assert torch.equal(distance_buckets(offsets, shape), theirs)


def test_a_long_text_has_the_vectors_of_transformers(tmp_path):
    folder = save_encoder(tmp_path / "encoder")
    models = [
        TextEncoder.load(folder, with_transformers=which).model
        for which in (False, True)
    ]
    ids = torch.randint(56, (2, 200), generator=torch.Generator().manual_seed(0))
    mask = torch.arange(200) < torch.tensor([200, 150])[:, None]
    plain, theirs = (
        model(input_ids=ids, attention_mask=mask.long()).last_hidden_state[mask]
        for model in models
    )
    torch.testing.assert_close(plain, theirs, rtol=1e-4, atol=1e-5)


def test_random_weights_start_as_widely_spread_as_those_of_transformers(pair):
    shape = T5Config(600, 64, 2, 4, 16, 128)
    theirs = type(pair[1].model.config)(
        vocab_size=600,
        **{
            name: getattr(shape, name)
            for name in ("d_model", "num_layers", "num_heads", "d_kv", "d_ff")
        },
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        models = T5Encoder(shape), type(pair[1].model)(theirs)
    plain, other = (
        sorted(value.std().item() for value in model.parameters() if value.ndim > 1)
        for model in models
    )
    assert plain == pytest.approx(other, rel=0.15)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("config.json", {"feed_forward_proj": "gated-gelu"}),
        ("config.json", {"model_type": "umt5"}),
        ("tokenizer_config.json", {"extra_ids": 100}),
    ],
)
def test_an_encoder_of_another_form_is_left_to_transformers(tmp_path, name, change):
    folder = save_encoder(tmp_path / "encoder")
    assert is_plain(folder) and is_plain(SHIPPED)
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert not is_plain(folder)
    path.write_text("{")
    assert not is_plain(folder)
    path.unlink()
    assert not is_plain(folder)


def test_a_glyph_is_drawn_without_loading_what_it_does_not_need(tmp_path):
    folder = save_glyffuser(tmp_path / "glyffuser")
    command = [sys.executable, "-c", DRAW, "generate", "gold", "-n", "1"]
    command += ["--steps", "2", "--model", str(folder), "--out", "gold.png"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    loaded = set(run.stderr.split())
    assert {"torch", "glyflib.t5", "glyflib.glyffuser"} <= loaded
    assert loaded & HEAVY == set()
    assert "glyflib.training" not in loaded
