"""The engine's functions beside those of the package: names and lines as they are."""

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

from glyflib.interactive import engine_code
from glyflib.interactive.engine_code import (
    ENGINE,
    PAIRS,
    engine_pairs,
    engine_table,
    line_of,
    partner,
    script,
    show_pair,
)

ROOT = Path(__file__).parents[1] / "glyflib"


def test_each_row_leads_to_the_lines_where_both_functions_begin():
    pairs = engine_pairs()
    assert [*pairs] == [here for here, *_ in PAIRS]
    for here, row in pairs.items():
        where, there, that = row.values()
        file, line = where.split(", line ")
        text = script(file).splitlines()[int(line) - 1]
        assert re.match(rf"function\*? {here}\(", text), here
        if that == "PyTorch":
            continue
        file, line = that.split(", line ")
        lines = (ROOT / file).read_text("utf-8").splitlines()[int(line) - 1 :]
        decorators = [text.strip() for text in lines[:6]]
        first = next(text for text in decorators if not text.startswith("@"))
        name = there.rpartition(".")[2]
        assert re.match(rf"(?:def|class) {name}\b", first), here


def test_every_function_of_the_networks_file_has_a_row_or_helps_one():
    names = re.findall(r"^function\*? (\w+)\(", script("unet.js"), re.MULTILINE)
    helpers = {"mlp", "scaleAndShift", "readTexts", "foldedPlaces"}
    helpers |= {"pixelUnshuffle", "pixelShuffle"}
    assert set(names) - helpers == {*engine_pairs(["unet.js"])}


def test_only_the_files_that_are_asked_for_are_listed():
    found = engine_pairs(["unet.js", "layers.js"])
    listed = {row["where"].split(",")[0] for row in found.values()}
    assert listed == {"layers.js", "unet.js"}
    assert len(found) < len(engine_pairs())


def test_each_layer_of_the_package_that_the_unet_runs_is_followed():
    unet = import_module("glyflib.unet")
    followed = {partner(there) for _, _, there in PAIRS}
    for kind in (unet.ResBlock, unet.Attention, unet.Block, unet.UNet):
        assert kind.forward in followed, kind


def test_a_pair_shows_both_sources_whole():
    text = show_pair("resBlock").data
    ours, theirs = re.findall(r"```\w+\n(.*?)\n```", text, re.DOTALL)
    assert ours in script("unet.js") and ours.endswith("\n}")
    assert ours.startswith("function resBlock(block, x, emb) {")
    forward = import_module("glyflib.unet").ResBlock.forward
    assert theirs.split() == inspect.getsource(forward).split()


@pytest.mark.parametrize("name", ["conv2", "torchNoise"])
def test_a_pair_that_is_none_is_refused(name):
    with pytest.raises(ValueError, match=f"name '{name}' must be one of conv, "):
        show_pair(name)


def test_a_function_that_the_engine_lost_is_noticed(monkeypatch):
    with pytest.raises(ValueError, match=r"unet.js has no function 'resBlok'"):
        line_of("resBlok", "unet.js")
    lost = (*PAIRS, ("keeping", "samplers.js", "editing.keping"))
    monkeypatch.setattr(engine_code, "PAIRS", lost)
    with pytest.raises(AttributeError, match="keping"):
        engine_pairs()


def test_the_page_has_the_same_table():
    page = engine_table()
    for here, row in engine_pairs(ENGINE).items():
        where, there, that = row.values()
        row = f"<code>{here}</code></td><td>{where}</td><td><code>{there}</code></td>"
        assert f"{row}<td>{that}</td>" in page
