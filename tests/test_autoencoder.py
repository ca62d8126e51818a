"""A picture becomes latents and comes back; what that costs is known exactly."""

import json
import math

import pytest
import torch
from tiny_models import some_glyphs
from torch.distributions import Bernoulli, Normal, kl_divergence

from glyflib.autoencoder import (
    Autoencoder,
    AutoencoderNet,
    PlainBlock,
    Posterior,
    kl_to_standard,
    pixel_cost,
)
from glyflib.data import x0_from_images

SMALL = {"channels": (8, 16), "num_blocks": 1}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def random_net(**options):
    """A small network none of whose layers is zero."""
    torch.manual_seed(0)
    net = AutoencoderNet(**(SMALL | options)).eval().requires_grad_(False)
    for value in net.parameters():
        value.add_(0.1 * torch.randn_like(value))
    return net


def pictures(count, side=32):
    return torch.rand(count, 1, side, side, generator=seeded(1)) * 2 - 1


# --- what it costs ----------------------------------------------------------------


def test_the_divergence_of_a_standard_gaussian_is_nothing():
    zero = torch.zeros(2, 4, 3, 3)
    assert kl_to_standard(zero, zero).tolist() == [0, 0]


def test_the_divergence_of_one_number_is_known():
    """Half of 3 squared + 4 - 1 - log 4."""
    found = kl_to_standard(torch.tensor([[3.0]]), torch.tensor([[math.log(4)]]))
    assert found.item() == pytest.approx((9 + 4 - 1 - math.log(4)) / 2)


def test_the_divergence_is_that_of_a_table_of_distributions():
    mean, log_variance = torch.randn(2, 3, 4, 5, 5, generator=seeded()).double()
    given = Normal(mean, (log_variance / 2).exp())
    expected = kl_divergence(given, Normal(0.0, 1.0)).flatten(1).sum(1)
    torch.testing.assert_close(kl_to_standard(mean, log_variance), expected)
    torch.testing.assert_close(Posterior(mean, log_variance).kl(), expected)


def test_the_divergence_is_the_mean_of_log_ratios_of_what_is_drawn():
    mean, log_variance = torch.tensor([[0.5, -1.0]]), torch.tensor([[-1.0, 0.3]])
    posterior = Posterior(mean.expand(200_000, 2), log_variance.expand(200_000, 2))
    z = posterior.draw(torch.randn(200_000, 2, generator=seeded()))
    own = Normal(mean, (log_variance / 2).exp()).log_prob(z).sum(1)
    ratio = own - Normal(0.0, 1.0).log_prob(z).sum(1)
    expected = kl_to_standard(mean, log_variance).item()
    assert ratio.mean().item() == pytest.approx(expected, abs=0.01)


def test_drawn_latents_have_the_mean_and_the_spread_that_they_are_drawn_with():
    size = 100_000
    posterior = Posterior(torch.full((size,), 2.0), torch.full((size,), math.log(9)))
    z = posterior.draw(torch.randn(size, generator=seeded()))
    assert z.mean().item() == pytest.approx(2, abs=0.04)
    assert z.std().item() == pytest.approx(3, abs=0.03)


def test_gradients_pass_through_what_is_drawn():
    mean = torch.zeros(5, requires_grad=True)
    log_variance = torch.zeros(5, requires_grad=True)
    eps = torch.randn(5, generator=seeded())
    Posterior(mean, log_variance).draw(eps).sum().backward()
    assert mean.grad.tolist() == [1] * 5
    torch.testing.assert_close(log_variance.grad, eps / 2)


def test_pixels_that_are_guessed_rightly_cost_nothing():
    x0 = pictures(3, 8).double() * 0.99
    logits = 2 * x0.atanh()
    assert pixel_cost(logits, x0).abs().max() < 1e-9


def test_a_pixel_costs_the_divergence_of_its_guess_from_its_grey():
    x0, logits = pictures(3, 8).double(), torch.randn(3, 1, 8, 8, generator=seeded())
    paper = Bernoulli((x0 + 1) / 2)
    expected = kl_divergence(paper, Bernoulli(logits=logits.double()))
    found = pixel_cost(logits.double(), x0)
    torch.testing.assert_close(found, expected.flatten(1).sum(1))


def test_black_and_white_pixels_cost_minus_the_log_of_their_chance():
    x0 = torch.tensor([[1.0, -1.0]])
    logits = torch.tensor([[math.log(3.0), math.log(3.0)]])  # paper with chance 3/4
    expected = -math.log(3 / 4) - math.log(1 / 4)
    assert pixel_cost(logits, x0).item() == pytest.approx(expected)


def test_a_sure_wrong_guess_has_a_finite_cost_and_slope():
    logits = torch.full((1, 4), 200.0, requires_grad=True)
    cost = pixel_cost(logits, -torch.ones(1, 4))
    cost.sum().backward()
    assert cost.item() == pytest.approx(800)
    assert logits.grad.tolist() == [[1.0] * 4]


@pytest.mark.parametrize("function", [kl_to_standard, pixel_cost])
def test_shapes_that_differ_are_named(function):
    with pytest.raises(ValueError, match=r"\(2, 3\) and .*\(2, 1\) must match"):
        function(torch.zeros(2, 3), torch.zeros(2, 1))


# --- the network ------------------------------------------------------------------


def test_the_shipped_form_makes_1024_numbers_of_16384_pixels():
    net = AutoencoderNet()
    assert (net.factor, net.latent_shape((128, 128))) == (8, (4, 16, 16))
    count = sum(value.numel() for value in net.parameters())
    assert 2 * count < 6e6  # bytes, in half precision


@pytest.mark.parametrize(
    ("options", "factor"),
    [
        ({"patch": 1, "channels": (8,)}, 1),
        ({"patch": 2, "channels": (8, 16)}, 4),
        ({"patch": 4, "channels": (8, 8, 16), "latent_channels": 3}, 16),
        ({"num_blocks": 3}, 8),
    ],
)
def test_shapes_go_there_and_back(options, factor):
    net, x0 = random_net(**options), pictures(2, 32)
    assert net.factor == factor
    posterior = net.encode(x0)
    shape = (2, *net.latent_shape((32, 32)))
    assert posterior.mean.shape == posterior.log_variance.shape == shape
    logits, again = net(x0, torch.zeros(shape))
    assert logits.shape == x0.shape
    torch.testing.assert_close(logits, net.decode(posterior.mean))
    torch.testing.assert_close(again.mean, posterior.mean)


def test_a_picture_need_not_be_square():
    net = random_net()
    mean = net.encode(torch.zeros(1, 1, 16, 40)).mean
    assert mean.shape[1:] == net.latent_shape((16, 40)) == (4, 2, 5)
    assert net.decode(mean).shape == (1, 1, 16, 40)


def test_what_a_row_becomes_does_not_depend_on_the_others():
    net, x0 = random_net(), pictures(3)
    z = net.encode(x0).mean
    torch.testing.assert_close(net.encode(x0[1:2]).mean, z[1:2])
    torch.testing.assert_close(net.decode(z[1:2]), net.decode(z)[1:2])


def test_a_block_starts_as_its_shortcut():
    x = torch.randn(2, 8, 6, 6, generator=seeded())
    block = PlainBlock(8, 8)
    torch.testing.assert_close(block(x), x)
    other = PlainBlock(8, 12)
    torch.testing.assert_close(other(x), other.shortcut(x))


def test_log_variances_stay_within_their_bounds():
    net = random_net()
    net.encoder[-1].bias.add_(1000)
    assert net.encode(pictures(1)).log_variance.unique().tolist() == [4]
    net.encoder[-1].bias.sub_(2000)
    assert net.encode(pictures(1)).log_variance.unique().tolist() == [-14]


def test_a_small_network_learns_a_few_glyphs():
    """Its error is half of that of their mean, the best answer without latents."""
    torch.manual_seed(0)
    net = AutoencoderNet(channels=(32, 32), num_blocks=1)
    x0 = x0_from_images(some_glyphs("test").images[::300])
    optimizer, generator = torch.optim.Adam(net.parameters(), lr=1e-2), seeded()
    for _ in range(80):
        eps = torch.randn(len(x0), *net.latent_shape((32, 32)), generator=generator)
        logits, posterior = net(x0, eps)
        optimizer.zero_grad()
        (pixel_cost(logits, x0) + 0.1 * posterior.kl()).mean().backward()
        optimizer.step()
    found = Autoencoder(net.eval()).reconstruct(x0)
    error, blind = (found - x0).square().mean(), (x0.mean(0) - x0).square().mean()
    assert error < blind / 4


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"channels": ()}, r"channels \[\]"),
        ({"channels": (8, 10)}, r"channels \[8, 10\]"),
        ({"patch": 0}, "below 1 in .*'patch': 0"),
        ({"num_blocks": 0}, "'num_blocks': 0"),
        ({"latent_channels": 0}, "'latent_channels': 0"),
    ],
)
def test_a_network_that_cannot_be_built_is_refused(options, match):
    with pytest.raises(ValueError, match=match):
        AutoencoderNet(**options)


@pytest.mark.parametrize(
    ("x0", "match"),
    [
        (torch.zeros(1, 32, 32), "must be"),
        (torch.zeros(1, 3, 32, 32), "must be"),
        (torch.zeros(0, 1, 32, 32), "must be"),
        (torch.zeros(1, 1, 32, 32).byte(), "uint8 must be"),
        (torch.zeros(1, 1, 32, 36), r"size \(32, 36\) must be multiples of 8"),
    ],
)
def test_pictures_of_a_wrong_kind_are_refused(x0, match):
    for function in (random_net().encode, Autoencoder(random_net()).encode):
        with pytest.raises(ValueError, match=match):
            function(x0)


@pytest.mark.parametrize(
    "z",
    [
        torch.zeros(4, 2, 2),
        torch.zeros(1, 3, 2, 2),
        torch.zeros(0, 4, 2, 2),
        torch.zeros(1, 4, 2, 2).long(),
    ],
)
def test_latents_of_a_wrong_kind_are_refused(z):
    for function in (random_net().decode, Autoencoder(random_net()).decode):
        with pytest.raises(ValueError, match=r"must be \(B, 4, h, w\)"):
            function(z)


# --- the autoencoder --------------------------------------------------------------


def test_the_scale_multiplies_latents_and_changes_no_picture():
    net, x0 = random_net(), pictures(3)
    plain, scaled = Autoencoder(net), Autoencoder(net, scale=2.5)
    torch.testing.assert_close(scaled.encode(x0), 2.5 * plain.encode(x0))
    torch.testing.assert_close(scaled.reconstruct(x0), plain.reconstruct(x0))


def test_pictures_are_the_chances_that_the_network_tells():
    net, x0 = random_net(), pictures(2)
    found = Autoencoder(net, scale=0.5).decode(net.encode(x0).mean * 0.5)
    chance = net.decode(net.encode(x0).mean).sigmoid()
    torch.testing.assert_close(found, 2 * chance - 1)


@pytest.mark.parametrize("batch_size", [1, 2, 7])
def test_the_size_of_batches_changes_nothing(batch_size):
    autoencoder, x0 = Autoencoder(random_net()), pictures(5)
    found = autoencoder.reconstruct(x0, batch_size=batch_size)
    torch.testing.assert_close(found, autoencoder.reconstruct(x0))


def test_no_batch_can_be_empty():
    with pytest.raises(ValueError, match="batch_size 0"):
        Autoencoder(random_net()).encode(pictures(1), batch_size=0)


@pytest.mark.parametrize("scale", [0.0, -1.0, math.inf, math.nan])
def test_a_scale_that_cannot_be_undone_is_refused(scale):
    with pytest.raises(ValueError, match=f"scale {scale}"):
        Autoencoder(random_net(), scale=scale)


def test_what_is_saved_is_loaded(tmp_path):
    autoencoder = Autoencoder(random_net().half().float(), 1.5, {"glyphs": 3})
    autoencoder.save(tmp_path)
    again = Autoencoder.load(tmp_path)
    assert (again.scale, again.training) == (1.5, {"glyphs": 3})
    assert (again.channels, again.factor) == (4, 8)
    x0 = pictures(2)
    torch.testing.assert_close(again.reconstruct(x0), autoencoder.reconstruct(x0))


def change(folder, **values):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | values))


@pytest.mark.parametrize(
    ("break_it", "error", "match"),
    [
        (lambda d: (d / "config.json").unlink(), FileNotFoundError, "no autoenc"),
        (lambda d: (d / "model.safetensors").unlink(), FileNotFoundError, "no autoenc"),
        (lambda d: (d / "model.safetensors").write_bytes(b"x"), ValueError, "sha256"),
        (lambda d: change(d, size=3), ValueError, "it has 'size'"),
        (lambda d: change(d, scale=0), ValueError, "scale 0"),
        (lambda d: change(d, scale="a"), ValueError, "do not fit"),
        (lambda d: change(d, network={"patch": 2}), ValueError, "do not fit"),
        (lambda d: change(d, network={"depth": 2}), ValueError, "do not fit"),
    ],
)
def test_a_damaged_folder_says_how_to_get_a_whole_one(tmp_path, break_it, error, match):
    Autoencoder(random_net()).save(tmp_path)
    break_it(tmp_path)
    with pytest.raises(error, match=match) as caught:
        Autoencoder.load(tmp_path)
    assert "glyflib data autoencoder" in str(caught.value)
