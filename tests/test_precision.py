"""bfloat16 on a CPU: products are rounded, nothing else is, and only when asked for."""

import pytest
import torch
import torch.nn.functional as F

from glyflib.precision import ProductsInBfloat16, products_in_bf16
from glyflib.schedule import cosine_alpha_bar
from glyflib.training import TrainConfig, train
from glyflib.unet import UNet

ROUNDING = 2**-8  # bfloat16 keeps 8 bits: it rounds by at most this share


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def small_unet():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = UNet(channels=(16, 32), attention_levels=(1,))
        for value in net.parameters():  # the head starts at zero, which hides all
            value.data += 0.05 * torch.randn(value.shape)
    return net


PRODUCTS = {
    "conv2d": lambda x, w: F.conv2d(x, w[:, :, None, None], stride=2),
    "linear": lambda x, w: F.linear(x.flatten(2).transpose(1, 2), w),
    "linear, by name": lambda x, w: F.linear(
        input=x.flatten(2).transpose(1, 2), weight=w
    ),
}


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS)
def test_a_product_is_that_of_rounded_numbers(product):
    x, w = random(2, 8, 6, 6), random(5, 8, seed=1)
    with ProductsInBfloat16():
        found = product(x, w)
    exact = product(x.bfloat16().double(), w.bfloat16().double())
    assert found.dtype == torch.float32
    most = 1.001 * ROUNDING * product(x.abs(), w.abs()).double()
    assert (found - exact).abs().le(most).all()
    assert (found - product(x, w)).abs().max() > 1e-4


def test_all_but_products_stay_as_they_are():
    x, q = random(2, 8, 6, 6), random(2, 1, 5, 4)
    calls = (
        lambda: F.silu(x),
        lambda: F.group_norm(x, 2),
        lambda: F.scaled_dot_product_attention(q, q, q),
        lambda: x @ x,
        lambda: torch.cat([x, x], dim=1),
    )
    for call in calls:
        with ProductsInBfloat16():
            found = call()
        assert found.equal(call())


def test_gradients_come_back_in_float32_and_near_the_exact_ones():
    net, x, t = small_unet(), random(4, 1, 8, 8), torch.tensor([1, 30, 60, 90])
    gradients = []
    for on_cpu in (False, True):
        net.zero_grad()
        with products_in_bf16("cpu", on_gpu=True, on_cpu=on_cpu):
            net(x, t).square().mean().backward()
        assert all(value.grad.dtype == torch.float32 for value in net.parameters())
        gradients.append(
            torch.cat([value.grad.flatten() for value in net.parameters()])
        )
    exact, rounded = gradients
    assert 1e-4 < (exact - rounded).norm() / exact.norm() < 0.03


def test_a_cpu_computes_in_float32_unless_told():
    net, x, t = small_unet(), random(2, 1, 8, 8), torch.tensor([10, 20])
    with products_in_bf16("cpu", on_gpu=True, on_cpu=False):
        assert net(x, t).equal(net(x, t))
    inside = net(x, t)
    with products_in_bf16("cpu", on_gpu=True, on_cpu=False):
        assert net(x, t).equal(inside)
    assert TrainConfig(10, warmup=0).cpu_bf16 is False


def steps_of(config, directory=None, resume=False):
    gen = torch.Generator().manual_seed(1)
    images = torch.randint(256, (12, 1, 8, 8), generator=gen, dtype=torch.uint8)
    options = {"directory": directory, "resume": resume}
    return train(small_unet(), images, config, cosine_alpha_bar(100), **options)


def config_of(**changes):
    settings = {"batch_size": 4, "warmup": 2, "checkpoint_seconds": 0}
    return TrainConfig(8, **(settings | changes))


def test_training_in_bfloat16_follows_training_in_float32():
    exact, rounded = (
        torch.tensor([step.loss for step in steps_of(config_of(cpu_bf16=is_bf16))])
        for is_bf16 in (False, True)
    )
    assert not exact.equal(rounded)
    assert (exact / rounded - 1).abs().max() < 0.02


def test_resuming_in_bfloat16_gives_the_same_steps_bit_by_bit(tmp_path):
    config = config_of(cpu_bf16=True)
    whole = [step.loss for step in steps_of(config, tmp_path / "a")]
    steps = steps_of(config, tmp_path / "b")
    first = [next(steps).loss for _ in range(3)]
    steps.close()
    rest = [step.loss for step in steps_of(config, tmp_path / "b", resume=True)]
    assert first + rest == whole
