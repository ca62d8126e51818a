"""The command that measures speed compares like with like, and tells all of it."""

import re
import shutil

import browser as engine
import clock
import measure
import networks
import operators
import pytest
import torch
from conftest import skip_or_fail
from tried import TRIED

from glyflib.unet import UNet

HARDLY = measure.Amount(rounds=1, batches=(1,), batch=1)


def test_all_are_timed_once_before_any_is_timed_again():
    called = []
    calls = {name: lambda name=name: called.append(name) for name in "abc"}
    found = clock.in_turn(calls, 2)
    assert "".join(called) == "abcabcabc"
    assert {name: len(times) for name, times in found.items()} == {
        "a": 2,
        "b": 2,
        "c": 2,
    }
    clock.in_turn(calls, 1, warm_up=False)
    assert "".join(called) == 4 * "abc"


def test_time_is_that_of_the_call():
    size = torch.randn(200, 200)

    def work(count):
        for _ in range(count):
            size @ size

    found = clock.in_turn({"one": lambda: work(5), "ten": lambda: work(50)}, 3)
    assert min(found["ten"]) > 3 * min(found["one"]) > 0


def test_a_spread_is_the_median_the_least_and_the_most():
    assert clock.spread([3.0, 1.0, 2.0]) == "2 (1 to 3)"
    assert clock.spread([1234.5, 999.9, 0.12345]) == "1,000 (0.123 to 1,234)"
    assert clock.ratios([4.0, 9.0], [2.0, 3.0]) == [2.0, 3.0]


def test_a_table_is_markdown():
    lines = clock.table(["a", "bb"], [["ccc", "1"]]).splitlines()
    assert lines == ["| a   | bb |", "| --- | -- |", "| ccc | 1  |"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("aten.convolution.default", "convolution, forward"),
        ("aten.convolution_backward.default", "convolution, backward"),
        (
            "aten._scaled_dot_product_flash_attention_for_cpu_backward.default",
            "attention",
        ),
        ("aten.mm.default", "linear layers"),
        ("aten.mul.Tensor", "sums, products, joins"),
        ("aten.native_group_norm_backward.default", "group and layer norm"),
        ("aten.linalg_vector_norm.default", "optimizer, clipping, average"),
        ("aten._fused_adamw_.default", "optimizer, clipping, average"),
        ("aten.lerp_.Scalar", "optimizer, clipping, average"),
        ("aten._to_copy.default", "casts and copies"),
        ("aten.silu_backward.default", "SiLU"),
        ("aten.normal_.default", "drawing the batch"),
        ("aten.empty_strided.default", operators.REST),
    ],
)
def test_an_operator_belongs_to_one_kind(name, kind):
    assert operators.kind_of(name) == kind


def test_the_kinds_of_a_step_hold_all_of_its_time():
    net = small_unet()
    found = operators.milliseconds_by_kind(measure.step(net, 2))
    assert set(found) == {*operators.KINDS, operators.REST}
    for kind in ("convolution, forward", "convolution, backward", "linear layers"):
        assert found[kind] > 0
    assert found["optimizer, clipping, average"] > 0 < found["attention"]


def small_unet():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = UNet(channels=(64, 128), attention_levels=(1,), text_dim=8)
        for value in net.parameters():  # what starts at zero hides all
            value.data += 0.02 * torch.randn(value.shape)
    net.width = 8
    return measure.last(net)


def gradient(context):
    net, gen = small_unet(), torch.Generator().manual_seed(1)
    xt = torch.randn(3, 1, 16, 16, generator=gen)
    tokens = torch.randn(3, 5, 8, generator=gen)
    mask = torch.arange(5) < torch.tensor([1, 3, 5])[:, None]
    with context():
        net(xt, torch.tensor([10, 400, 900]), tokens, mask).square().mean().backward()
    return torch.cat([value.grad.flatten() for value in net.parameters()])


@pytest.mark.parametrize("key", TRIED, ids=" ".join)
def test_what_was_tried_computes_the_same_step(key):
    if key[0] == "oneDNN rounds" and not hasattr(torch.backends.mkldnn, "conv"):
        pytest.skip("this torch has no such setting")
    exact, found = gradient(TRIED["as it is", "float32"]), gradient(TRIED[key])
    is_rounded = key[1] == "bfloat16" or key[0] == "oneDNN rounds"
    gap = (found - exact).norm() / exact.norm()
    assert gap < (0.03 if is_rounded else 1e-5)
    assert gap > 1e-4 or key[1] == "float32"


def test_what_was_tried_leaves_nothing_behind():
    before = gradient(TRIED["as it is", "float32"])
    gradient(TRIED["all three", "bfloat16"])
    assert torch.equal(gradient(TRIED["as it is", "float32"]), before)


def test_the_networks_beside_ours_are_what_they_are_called():
    with torch.device("meta"):
        counts = {
            make.__name__: networks.num_parameters(make())
            for make in (networks.ours, networks.equal, networks.published)
        }
    assert counts["equal"] == pytest.approx(counts["ours"], rel=0.02)
    assert counts["published"] == pytest.approx(130.8e6, rel=0.001)


@pytest.mark.parametrize("make", [networks.ours, networks.equal])
def test_a_network_is_called_as_ours_is(make):
    net = make()
    xt, t = torch.randn(2, 1, 32, 32), torch.tensor([1, 999])
    with torch.no_grad():
        assert net(xt, t, *measure.texts(2, net.width)).shape == xt.shape


def test_products_are_counted_as_operations_and_three_times_as_many_in_a_step():
    net = small_unet()
    once = measure.num_products(net, 1, has_backward=False)
    assert measure.num_products(net, 4, has_backward=False) == pytest.approx(
        4 * once, rel=0.01
    )
    step = measure.num_products(net, 1, has_backward=True)
    assert step == pytest.approx(3 * once, rel=0.02)


def test_a_report_has_a_row_for_all_that_it_times(monkeypatch):
    monkeypatch.setattr(measure, "ours", small_unet)
    heading, machine, table = measure.report(["Products"], HARDLY)
    assert heading == "## Products" and "torch" in machine
    rows = [line.split("|")[1:3] for line in table.splitlines()[2:]]
    wanted = ["matrix product", "forward, batch 1", "step, batch 1"]
    assert [[cell.strip() for cell in row] for row in rows] == [
        [what, number] for what in wanted for number in ("float32", "bfloat16")
    ]


def test_a_page_gets_its_sections_anew_and_keeps_the_others():
    page = "# Title\n\nWords.\n\n## One\n\nold\n\n## Two\n\nkept\n"
    found = measure.with_sections(page, {"One": "## One\n\nnew", "Six": "## Six\n\n6"})
    assert found == (
        "# Title\n\nWords.\n\n## One\n\nnew\n\n## Two\n\nkept\n\n## Six\n\n6\n"
    )


def test_the_page_has_a_section_for_each_group_with_machine_and_date():
    text = measure.README.read_text("utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert {part.partition("\n")[0] for part in sections} == set(measure.GROUPS)
    for part in sections:
        told = part.split("\n\n")[1]
        assert re.search(r"CPU cores.*torch \d.*\d{4}-\d\d-\d\d\.$", told)


def test_the_page_draws_within_few_times_what_torch_takes():
    if not any(map(shutil.which, engine.BROWSERS)):
        skip_or_fail("no browser on PATH")
    tasks, threads = engine.torch_tasks(), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with engine.open_engine() as spent:
            for task in engine.TASKS:
                found = [(spent(task), clock.seconds(tasks[task])) for _ in range(6)]
                least, theirs = (min(times) for times in zip(*found, strict=True))
                assert least < 6 * theirs, f"{task}: {least} s, in torch {theirs} s"
    finally:
        torch.set_num_threads(threads)
