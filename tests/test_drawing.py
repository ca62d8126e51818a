"""What a page that draws is packed of, and the command that writes it."""

import gzip
import json
import re

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from tiny_models import random_unet, save_encoder, save_glyffuser

import glyflib.interactive.drawing as drawing
from glyflib.__main__ import main
from glyflib.autoencoder import Autoencoder
from glyflib.glyffuser import Glyffuser
from glyflib.interactive.drawing import (
    drawing_page,
    folded,
    packed,
    packed_encoder,
    packed_model,
    quantised,
)
from glyflib.interactive.engine_code import ENGINE, script
from glyflib.student import Student
from glyflib.text import TextEncoder


@pytest.fixture
def glyffuser(tmp_path):
    return Glyffuser.load(save_glyffuser(tmp_path / "model"))


def unpacked(part):
    """Header and numbers of a packed part."""
    whole = gzip.decompress(part)
    length = int.from_bytes(whole[:4], "little")
    assert length % 4 == 0
    return json.loads(whole[4 : 4 + length]), whole[4 + length :]


def test_rows_are_rounded_by_half_a_step_at_most():
    weight = torch.randn(6, 5, 3, 3, generator=torch.Generator().manual_seed(0))
    weight[2] = 0
    whole, factor = quantised(weight)
    assert whole.dtype == torch.int8 and whole.shape == (6, 45)
    found = (whole * factor[:, None]).reshape(weight.shape)
    gap = (found - weight).abs().flatten(1).amax(1)
    assert (gap <= factor / 2 * 1.0001).all()
    assert (found[2] == 0).all()
    assert whole.abs().amax(1).tolist() == [127, 127, 0, 127, 127, 127]


def test_each_weight_is_stored_where_the_header_says():
    state = {
        "a.weight": torch.randn(128, 100),
        "a.bias": torch.randn(3),
        "small.weight": torch.randn(2, 3),
    }
    header, data = unpacked(packed({"size": 7}, state))
    assert header["size"] == 7
    entries = header["tensors"]
    assert [entries[name]["kind"] for name in state] == ["int8", "float", "half"]
    bias = np.frombuffer(data, "<f4", 3, entries["a.bias"]["at"])
    assert bias.tolist() == state["a.bias"].tolist()
    small = np.frombuffer(data, "<f2", 6, entries["small.weight"]["at"])
    assert small.tolist() == state["small.weight"].half().flatten().tolist()
    whole, factor = quantised(state["a.weight"])
    entry = entries["a.weight"]
    stored = np.frombuffer(data, "i1", whole.numel(), entry["at"])
    assert (stored == whole.flatten().numpy()).all()
    scales = np.frombuffer(data, "<f4", 128, entry["scales"])
    assert (scales == factor.numpy()).all()
    assert all(entry["at"] % 4 == 0 for entry in entries.values())


def test_the_same_model_is_packed_into_the_same_bytes(glyffuser):
    assert packed_model(glyffuser) == packed_model(glyffuser)


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="precision 'int4' must be one of"):
        packed({}, {}, precision="int4")


def test_a_model_brings_its_schedule_and_sizes(glyffuser):
    header, _ = unpacked(packed_model(glyffuser))
    assert header["kind"] == "glyffuser" and header["size"] == glyffuser.size
    assert header["alpha_bar"] == glyffuser.alpha_bar.tolist()
    assert header["unet"] == glyffuser.unet.config
    assert set(header["tensors"]) == set(glyffuser.unet.state_dict())
    header, _ = unpacked(packed_model(Student.of(glyffuser)))
    assert header["kind"] == "student" and header["alpha_bar"][-1] == 0
    names = set(glyffuser.unet.state_dict())
    assert set(header["tensors"]) == names | {
        "stride_layer.weight",
        "stride_layer.bias",
    }


def test_an_encoder_brings_its_pieces(glyffuser):
    header, _ = unpacked(packed_encoder(glyffuser.encoder))
    pieces = glyffuser.encoder.tokenizer.pieces
    assert header["pieces"][:3] == ["", "", ""]  # padding, end, unknown: no text
    assert header["pieces"][3:] == [pieces.id_to_piece(i) for i in range(3, 56)]
    assert header["scores"][5] == pieces.get_score(5)
    assert header["tensors"]["embedding.weight"]["is_table"]


def test_characters_that_are_not_merely_written_small_are_listed(glyffuser):
    found = folded(glyffuser.encoder.tokenizer.pieces)
    assert found["\t"] == " " and found["\x07"] == "" and found["\u03c2"] == "\u03c3"
    assert "A" not in found and "a" not in found and len(found) < 2000


def test_a_glyffuser_of_latents_is_refused(tmp_path):
    encoder = TextEncoder.load(save_encoder(tmp_path / "text_encoder"))
    autoencoder = Autoencoder.load()
    unet = random_unet(in_channels=autoencoder.channels)
    latent = Glyffuser(unet, encoder, size=16, autoencoder=autoencoder)
    with pytest.raises(ValueError, match="this glyffuser draws latents"):
        packed_model(latent)


def test_an_encoder_of_transformers_is_refused(tmp_path):
    folder = save_encoder(tmp_path / "text_encoder")
    encoder = TextEncoder.load(folder, with_transformers=True)
    with pytest.raises(ValueError, match="encoders of the shipped kind"):
        packed_encoder(encoder)


def test_a_model_too_heavy_for_a_page_is_refused(glyffuser, monkeypatch):
    monkeypatch.setattr(drawing, "MAX_BYTES", 1000)
    with pytest.raises(ValueError, match=r"the network has .* train a smaller one"):
        drawing_page({"mine": glyffuser})


def test_a_page_is_whole_and_asks_for_nothing(glyffuser):
    page = drawing_page({"mine": glyffuser}, title="<b>Mine</b>", words="</script>&")
    assert "@@" not in page
    assert "<title>&lt;b&gt;Mine&lt;/b&gt;</title>" in page
    assert page.count("</script>") == 3 and '"<\\/script>&"' in page
    assert not re.search(r"(?:src|href)=\"(?!data:)", page)
    assert "default-src 'none'" in page
    assert "eight bits each" in page
    half = drawing_page({"mine": glyffuser}, precision="half")
    assert "sixteen bits each" in half and "eight bits each" not in half


def test_every_function_of_the_engine_says_what_it_does():
    for name in (*ENGINE, "worker.js", "film.js", "panel.js", "sketch.js"):
        text = script(name)
        assert text.startswith("// "), name
        assert max(map(len, text.splitlines())) <= 120 or name in (
            "panel.js",
            "sketch.js",
        )


def run(*args):
    return CliRunner().invoke(main, ["web", *map(str, args)])


def test_the_command_writes_a_page(tmp_path, glyffuser):
    out = tmp_path / "page.html"
    done = run(tmp_path / "model", "--out", out, "--title", "Mine", "--words", "gold")
    assert done.exit_code == 0, done.output
    assert "draws in a browser" in done.output
    assert "<h1>Mine</h1>" in out.read_text("utf-8")


def test_the_command_knows_a_student(tmp_path, glyffuser):
    Student.of(glyffuser).save(tmp_path / "taught")
    out = tmp_path / "page.html"
    assert run(tmp_path / "taught", "--out", out).exit_code == 0
    assert '"kind": "student"' in out.read_text("utf-8")


def test_a_page_of_two_models_has_their_encoder_once(tmp_path, glyffuser):
    Student.of(glyffuser).save(tmp_path / "run" / "model")
    encoder = tmp_path / "run" / "text_encoder"
    encoder.symlink_to(tmp_path / "text_encoder", target_is_directory=True)
    out, last = tmp_path / "page.html", tmp_path / "glyffuser"
    (tmp_path / "model").rename(last)
    assert run(tmp_path / "run" / "model", last, "--out", out).exit_code == 0
    page = out.read_text("utf-8")
    assert len(re.findall('data-glyf-part="network-', page)) == 2
    assert len(re.findall('data-glyf-part="encoder-', page)) == 1
    assert re.findall('"label": "(.*?)"', page) == ["run", "glyffuser"]


def test_an_encoder_that_two_models_share_is_packed_once(glyffuser, monkeypatch):
    packed_ones = []

    def pack(encoder, **options):
        packed_ones.append(encoder)
        return packed_encoder(encoder, **options)

    monkeypatch.setattr(drawing, "packed_encoder", pack)
    both = {"glyffuser": glyffuser, "student": Student.of(glyffuser)}
    models, parts = drawing.packed_parts(both)
    assert packed_ones == [glyffuser.encoder]
    assert models[0]["encoder"] == models[1]["encoder"] in parts
    assert len(parts) == 3


def test_two_models_of_one_name_are_refused(tmp_path, glyffuser):
    done = run(tmp_path / "model", tmp_path / "model", "--out", tmp_path / "p.html")
    assert done.exit_code == 1 and "rename a folder" in done.output


def test_a_page_without_a_model_is_refused():
    with pytest.raises(ValueError, match="a page needs a glyffuser"):
        drawing_page({})


def test_the_command_refuses_what_it_cannot_write(tmp_path):
    assert run("--out", tmp_path / "page.png").exit_code == 2
    done = run(tmp_path / "nothing", "--out", tmp_path / "page.html")
    assert done.exit_code == 1 and "no glyffuser in" in done.output
    assert not (tmp_path / "page.html").exists()
