import json
import math

import pytest
import torch

from glyflib.unet import (
    Attention,
    Block,
    UNet,
    attend,
    group_norm,
    masked_mean,
    timestep_embedding,
)

TINY = {"channels": (8, 16), "attention_levels": (1,)}
TEXT_DIM = 12
TEXT = {
    "cross": {"text_dim": TEXT_DIM, "pool_text": False},
    "pooled": {"text_dim": TEXT_DIM, "cross_attention": False},
    "both": {"text_dim": TEXT_DIM},
}
LEVELS = torch.arange(1001)


def randn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def make(*, seed=0, **config):
    """A tiny network whose zeroed layers are moved, so that all of it takes part."""
    torch.manual_seed(seed)
    net = UNet(**TINY | config)
    for i, parameter in enumerate(net.parameters()):
        if not parameter.any():
            parameter.data = 0.2 * randn(*parameter.shape, seed=i)
    return net


def batch(size=8, rows=2, length=5):
    """xt, t, tokens and a mask under which row i has length - i real tokens."""
    t = torch.tensor([10, 700, 250, 999])[:rows]
    mask = torch.arange(length) < length - torch.arange(rows)[:, None]
    tokens = randn(rows, length, TEXT_DIM, seed=2)
    return randn(rows, 1, size, size, seed=1), t, tokens, mask


def largest_change(a, b):
    return (a - b).abs().max().item()


# Timestep embedding


def test_the_embedding_has_the_published_form():
    """Vaswani et al. 2017, section 3.5, entry by entry in double precision."""
    found = timestep_embedding(torch.tensor([0, 1, 37, 1000]), 8)
    for row, t in enumerate([0, 1, 37, 1000]):
        for i in range(4):
            angle = t / 10_000 ** (2 * i / 8)
            assert found[row, i].item() == pytest.approx(math.sin(angle), abs=1e-4)
            assert found[row, 4 + i].item() == pytest.approx(math.cos(angle), abs=1e-4)


def test_a_later_level_is_a_rotation_of_an_earlier_one():
    """The second road: sines and cosines of t + k by the addition theorems."""
    now, step = timestep_embedding(torch.tensor([400, 53]), 64).chunk(2)
    (sin_a, cos_a), (sin_b, cos_b) = now[0].chunk(2), step[0].chunk(2)
    sin, cos = sin_a * cos_b + cos_a * sin_b, cos_a * cos_b - sin_a * sin_b
    later = timestep_embedding(torch.tensor([453]), 64)[0]
    torch.testing.assert_close(later, torch.cat([sin, cos]), atol=1e-4, rtol=0)


@pytest.mark.parametrize("dim", [8, 64])
def test_all_levels_have_distinct_embeddings(dim):
    emb = timestep_embedding(LEVELS, dim)
    apart = torch.cdist(emb, emb).fill_diagonal_(math.inf).min()
    assert apart > 0.05
    torch.testing.assert_close(emb.norm(dim=1), torch.full((1001,), (dim / 2) ** 0.5))


def test_levels_scaled_to_one_would_look_alike():
    """The published mistake: half of the waves would not move at all on [0, 1]."""
    neighbours = timestep_embedding(LEVELS, 64).diff(dim=0).norm(dim=1)
    scaled = timestep_embedding(LEVELS / 1000, 64).diff(dim=0).norm(dim=1)
    assert neighbours.min() > 500 * scaled.max()


@pytest.mark.parametrize("dim", [0, 7])
def test_an_odd_or_empty_embedding_is_refused(dim):
    with pytest.raises(ValueError, match=f"dim {dim}"):
        timestep_embedding(LEVELS, dim)


# Attention


def test_attention_is_a_softmax_over_the_real_keys():
    q, k, v = randn(2, 3, 6, 4), randn(2, 3, 5, 4, seed=1), randn(2, 3, 5, 4, seed=2)
    mask = torch.tensor([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1]]).bool()
    logits = torch.einsum("bhnd,bhld->bhnl", q, k) / 4**0.5
    weight = logits.exp() * mask[:, None, None]
    weight = weight / weight.sum(dim=-1, keepdim=True)
    expected = torch.einsum("bhnl,bhld->bhnd", weight, v)
    torch.testing.assert_close(attend(q, k, v, mask), expected)


def test_a_single_key_gives_its_value():
    """A softmax over the wrong axis would give the value over the queries' number."""
    q, k, v = randn(2, 1, 6, 4), randn(2, 1, 3, 4, seed=1), randn(2, 1, 3, 4, seed=2)
    only = torch.tensor([[False, True, False]]).expand(2, 3)
    expected = v[:, :, 1:2].expand(2, 1, 6, 4)
    torch.testing.assert_close(attend(q, k, v, only), expected)
    torch.testing.assert_close(attend(q, k[:, :, 1:2], v[:, :, 1:2]), expected)


def test_equal_keys_give_the_mean_of_the_values():
    q, k, v = randn(2, 1, 6, 4), torch.ones(2, 1, 3, 4), randn(2, 1, 3, 4, seed=2)
    torch.testing.assert_close(attend(q, k, v), v.mean(2, True).expand(2, 1, 6, 4))


def test_a_row_without_real_keys_gets_zero_and_finite_gradients():
    q, k, v = (randn(2, 1, 3, 4, seed=i).requires_grad_() for i in range(3))
    mask = torch.tensor([[True, False, True], [False, False, False]])
    out = attend(q, k, v, mask)
    out.sum().backward()
    assert (out[1] == 0).all() and (out[0] != 0).all()
    assert all(x.grad.isfinite().all() and (x.grad[1] == 0).all() for x in (q, k, v))


def test_self_attention_moves_with_the_picture():
    """Heads and positions go back where they came from: permute in, permute out."""
    layer = Attention(128).eval()
    torch.nn.init.normal_(layer.out.weight, generator=torch.Generator().manual_seed(0))
    x, order = randn(2, 128, 3, 4), torch.arange(12).flip(0)
    moved = layer(x.flatten(2)[:, :, order].view_as(x), None, None)
    expected = layer(x, None, None).flatten(2)[:, :, order].view_as(x)
    assert layer.num_heads == 2
    torch.testing.assert_close(moved, expected)


def test_the_masked_mean_leaves_padding_out():
    tokens, mask = randn(2, 3, 4), torch.tensor([[1, 1, 0], [0, 0, 0]]).bool()
    found = masked_mean(tokens, mask)
    torch.testing.assert_close(found[0], tokens[0, :2].mean(0))
    assert (found[1] == 0).all()


# The network


@pytest.mark.parametrize("patch", [1, 2, 4])
@pytest.mark.parametrize("size", [8, 16, 24])
@pytest.mark.parametrize("text", [None, *TEXT])
def test_the_output_has_the_shape_of_the_input(patch, size, text):
    xt, t, *condition = batch(size)
    net = make(patch=patch, **TEXT.get(text, {}))
    out = net(xt, t, *condition) if text else net(xt, t)
    assert out.shape == xt.shape
    assert out.isfinite().all() and out.std() > 0


@pytest.mark.parametrize(
    ("channels", "attention_levels", "num_blocks", "in_channels"),
    [
        ((8,), (), 1, 1),
        ((8,), (0,), 2, 3),
        ((8, 12, 20), (), 1, 2),
        ((16, 8, 8), (0, 2), 2, 1),
        ((4, 128), (1,), 3, 1),
    ],
)
def test_any_levels_make_a_network(channels, attention_levels, num_blocks, in_channels):
    net = make(
        channels=channels,
        attention_levels=attention_levels,
        num_blocks=num_blocks,
        in_channels=in_channels,
        text_dim=TEXT_DIM,
    )
    _, t, *condition = batch()
    xt = randn(2, in_channels, 8, 8)
    assert net(xt, t, *condition).shape == xt.shape


def test_more_channels_may_go_in_than_come_out():
    unet = UNet(in_channels=3, out_channels=1, channels=(8, 16), attention_levels=())
    assert unet(randn(2, 3, 8, 8), torch.tensor([1, 2])).shape == (2, 1, 8, 8)
    same = UNet(in_channels=3, channels=(8, 16), attention_levels=())
    assert same.config["out_channels"] == 3


def test_a_fresh_network_says_zero():
    xt, t, *_ = batch()
    assert (UNet(**TINY)(xt, t) == 0).all()


def test_a_fresh_block_passes_the_picture_on():
    x, (_, _, tokens, mask) = randn(2, 16, 4, 4), batch()
    block = Block((16, 16), 32, True, TEXT_DIM)
    torch.testing.assert_close(block(x, randn(2, 32), tokens, mask), x)


@pytest.mark.parametrize("channels", [8, 12, 64, 192])
def test_a_norm_leaves_something_of_a_single_position(channels):
    """A group of one channel at one position is its own mean: the norm gives 0."""
    assert group_norm(channels)(randn(2, channels, 1, 1)).std() > 0.5


def test_detail_reaches_the_output_past_the_bottleneck():
    xt, t, *_ = batch()
    net = make()
    for layer in net.up:
        if not isinstance(layer, Block):
            torch.nn.init.zeros_(layer[1].weight)
    assert largest_change(net(xt.flip(2), t), net(xt, t)) > 1e-2


def test_the_default_network_has_the_stated_size():
    def count(**config):
        with torch.device("meta"):
            return sum(p.numel() for p in UNet(**config).parameters())

    assert count() == 7_942_084
    assert count(text_dim=256) == 9_233_284


def test_the_default_network_takes_glyphs():
    xt, t, _, mask = batch(32)
    net = UNet(text_dim=256)
    assert net(xt, t, randn(2, 5, 256), mask).shape == (2, 1, 32, 32)


@pytest.mark.parametrize("text", TEXT)
def test_padding_never_changes_the_output(text):
    xt, t, tokens, mask = batch()
    net = make(**TEXT[text])
    out = net(xt, t, tokens, mask)
    junk = 100 * randn(2, 7, TEXT_DIM, seed=9)
    junk[:, 0] = math.nan
    longer = torch.cat([tokens, junk], dim=1)
    padded = torch.cat([mask, torch.zeros(2, 7).bool()], dim=1)
    torch.testing.assert_close(net(xt, t, longer, padded), out, atol=1e-5, rtol=0)
    alone = net(xt[1:], t[1:], tokens[1:, :4])
    torch.testing.assert_close(alone, out[1:], atol=1e-5, rtol=0)


@pytest.mark.parametrize("text", TEXT)
def test_text_that_is_all_padding_is_finite_and_all_one(text):
    xt, t, tokens, mask = batch()
    net = make(**TEXT[text])
    out = net(xt, t, tokens, torch.zeros_like(mask))
    out.sum().backward()
    assert out.isfinite().all()
    assert all(p.grad is None or p.grad.isfinite().all() for p in net.parameters())
    other = net(xt, t, 5 * tokens[:, :2], torch.zeros(2, 2).bool())
    torch.testing.assert_close(other, out, atol=1e-5, rtol=0)
    none = net(xt, t, tokens[:, :0])
    torch.testing.assert_close(none, out, atol=1e-5, rtol=0)


@pytest.mark.parametrize("text", TEXT)
def test_the_output_depends_on_text_and_level_and_picture(text):
    xt, t, tokens, mask = batch()
    net = make(**TEXT[text])
    out = net(xt, t, tokens, mask)
    assert largest_change(net(xt, t, tokens.flip(2), mask), out) > 1e-2
    assert largest_change(net(xt, t + 1, tokens, mask), out) > 1e-3
    assert largest_change(net(xt.flip(2), t, tokens, mask), out) > 1e-2


def test_what_is_added_to_the_embedding_is_read_and_zeros_change_nothing():
    net, (xt, t, *_) = make(), batch()
    plain = net(xt, t)
    zeros = torch.zeros(2, 4 * TINY["channels"][0])
    assert torch.equal(net(xt, t, extra=zeros), plain)
    assert largest_change(net(xt, t, extra=zeros + 1), plain) > 1e-3


@pytest.mark.parametrize("text", TEXT)
def test_rows_do_not_leak_into_one_another(text):
    xt, t, tokens, mask = batch()
    net = make(**TEXT[text])
    changed = [x.clone() for x in (xt, t, tokens, mask)]
    changed[0][1], changed[1][1] = randn(1, 8, 8, seed=5), 3
    changed[2][1], changed[3][1] = randn(5, TEXT_DIM, seed=6), True
    out, other = net(xt, t, tokens, mask), net(*changed)
    torch.testing.assert_close(other[0], out[0], atol=1e-6, rtol=0)
    assert largest_change(other[1], out[1]) > 1e-2


@pytest.mark.parametrize("text", [None, *TEXT])
def test_the_gradient_reaches_every_parameter(text):
    xt, t, *condition = batch()
    net = make(**TEXT.get(text, {}))
    out = net(xt, t, *condition) if text else net(xt, t)
    (out * randn(*out.shape, seed=3)).sum().backward()
    idle = [name for name, p in net.named_parameters() if not p.grad.any()]
    assert idle == []


def test_the_network_overfits_one_batch():
    """Noise at one level on 8 pictures: the loss falls tenfold in 60 steps."""
    torch.manual_seed(0)
    net = UNet(**TINY, patch=1)
    x0, eps = randn(8, 1, 8, 8, seed=1).sign(), randn(8, 1, 8, 8, seed=2)
    xt, t = 0.5**0.5 * (x0 + eps), torch.arange(8) * 100
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    losses = []
    for _ in range(60):
        loss = (net(xt, t) - eps).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(eps.square().mean().item())
    assert losses[-1] < losses[0] / 10


def test_text_alone_can_tell_pictures_apart():
    """The same xt and t for all rows: only the tokens can explain the targets."""
    torch.manual_seed(0)
    net = UNet(**TINY, patch=1, text_dim=TEXT_DIM, pool_text=False)
    _, _, tokens, mask = batch(rows=4)
    xt, t, target = torch.zeros(4, 1, 8, 8), torch.full((4,), 9), randn(4, 1, 8, 8)
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    for _ in range(60):
        loss = (net(xt, t, tokens, mask) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1 * (target - target.mean(0)).square().mean()


def test_the_same_seed_gives_the_same_weights():
    def weights(seed):
        torch.manual_seed(seed)
        return UNet(**TINY).state_dict()

    first, again, other = weights(0), weights(0), weights(1)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["stem.weight"], other["stem.weight"])


def test_the_config_survives_json_and_rebuilds_the_network():
    net = make(text_dim=TEXT_DIM)
    twin = UNet(**json.loads(json.dumps(net.config)))
    twin.load_state_dict(net.state_dict())
    inputs = batch()
    torch.testing.assert_close(twin(*inputs), net(*inputs), rtol=0, atol=0)
    assert twin.config == net.config


def test_the_network_has_no_buffers_for_an_average_to_corrupt():
    assert list(UNet(**TINY).buffers()) == []


def test_channels_last_gives_the_same_picture():
    xt, t, *condition = batch()
    net = make(text_dim=TEXT_DIM)
    out = net(xt, t, *condition)
    net = net.to(memory_format=torch.channels_last)
    other = net(xt.to(memory_format=torch.channels_last), t, *condition)
    torch.testing.assert_close(other, out, atol=1e-5, rtol=0)


def test_half_precision_stays_near():
    xt, t, tokens, mask = batch()
    net = make(text_dim=TEXT_DIM)
    out = net(xt, t, tokens, mask)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = net(xt, t, tokens, mask).float()
    half = net.bfloat16()(xt.bfloat16(), t, tokens.bfloat16(), mask)
    assert half.dtype == torch.bfloat16
    for found in (mixed, half.float()):
        assert largest_change(found, out) < 0.1 * out.abs().max()


def test_the_network_compiles_to_one_graph():
    inputs = batch()
    net = make(text_dim=TEXT_DIM)
    compiled = torch.compile(net, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(*inputs), net(*inputs))


# What is refused


@pytest.mark.parametrize(
    ("config", "match"),
    [
        ({"in_channels": 0}, "in_channels.*: 0"),
        ({"out_channels": -1}, "out_channels.*: -1"),
        ({"patch": 3}, "'patch': 3"),
        ({"channels": ()}, r"channels \[\]"),
        ({"channels": (8, 18)}, r"channels \[8, 18\]"),
        ({"num_blocks": 0}, "num_blocks.*: 0"),
        ({"attention_levels": (2,)}, r"attention_levels \[2\]"),
        ({"attention_levels": (-1,)}, r"attention_levels \[-1\]"),
        ({"channels": (8, 212)}, r"channels \[212\]"),
        ({"text_dim": 0}, "text_dim 0"),
        ({"text_dim": 4, "pool_text": False, "cross_attention": False}, "text_dim 4"),
        ({"text_dim": 4, "pool_text": False, "attention_levels": ()}, "text_dim 4"),
    ],
)
def test_a_senseless_network_is_refused(config, match):
    with pytest.raises(ValueError, match=match):
        UNet(**TINY | config)


@pytest.mark.parametrize(
    ("shape", "match"),
    [
        ((2, 1, 10, 10), r"size \(10, 10\) must be multiples of 4"),
        ((2, 1, 8, 6), r"size \(8, 6\)"),
        ((2, 3, 8, 8), r"xt \(2, 3, 8, 8\)"),
        ((1, 8, 8), r"xt \(1, 8, 8\)"),
        ((3, 1, 8, 8), r"t \(2,\)"),
    ],
)
def test_a_picture_that_does_not_fit_is_refused(shape, match):
    with pytest.raises(ValueError, match=match):
        make()(randn(*shape), torch.tensor([1, 2]))


@pytest.mark.parametrize(
    ("text_dim", "tokens", "mask", "match"),
    [
        (12, None, None, r"tokens \(\)"),
        (12, torch.zeros(2, 5, 11), None, r"tokens \(2, 5, 11\)"),
        (12, torch.zeros(3, 5, 12), None, r"tokens \(3, 5, 12\)"),
        (12, torch.zeros(2, 12), None, r"tokens \(2, 12\)"),
        (None, torch.zeros(2, 5, 12), None, r"tokens \(2, 5, 12\)"),
        (None, None, torch.ones(2, 5).bool(), r"mask \(2, 5\)"),
        (12, torch.zeros(2, 5, 12), torch.ones(2, 4).bool(), r"mask \(2, 4\)"),
        (
            12,
            torch.zeros(2, 5, 12),
            torch.ones(2, 5).long(),
            r"mask \(2, 5\) torch.int64",
        ),
    ],
)
def test_text_that_does_not_fit_is_refused(text_dim, tokens, mask, match):
    xt, t, *_ = batch()
    with pytest.raises(ValueError, match=match):
        make(text_dim=text_dim)(xt, t, tokens, mask)


def test_dropout_is_on_in_training_alone():
    net, (xt, t, _, _) = make(dropout=0.5), batch()
    one, two = net.train()(xt, t), net(xt, t)
    assert largest_change(one, two) > 1e-3
    drawn = net.eval()(xt, t)
    assert drawn.equal(net(xt, t))
    plain = make()
    plain.load_state_dict(net.state_dict())
    assert drawn.equal(plain.eval()(xt, t)), "it has no weights of its own"


def test_dropout_leaves_the_shortcut_whole():
    torch.manual_seed(0)
    block = Block((8, 8), 4, False, None, dropout=0.999).train()
    block.res.conv2.weight.data.normal_()
    x, emb = randn(2, 8, 4, 4), randn(2, 4, seed=1)
    assert largest_change(block(x, emb, None, None), block.eval()(x, emb, None, None))
    block.res.dropout.p = 1.0  # all that goes into the last convolution is zero
    bias = block.res.conv2.bias[:, None, None]
    torch.testing.assert_close(block.train()(x, emb, None, None), x + bias)


def test_dropout_is_kept_in_the_config_and_an_older_config_has_none():
    net = make(dropout=0.25)
    assert net.config["dropout"] == 0.25
    net.set_dropout(0.5)
    again = UNet(**json.loads(json.dumps(net.config)))
    shares = [m.p for m in again.modules() if isinstance(m, torch.nn.Dropout)]
    assert len(shares) == 8 and set(shares) == {0.5}
    older = {name: value for name, value in net.config.items() if name != "dropout"}
    assert UNet(**older).config["dropout"] == 0.0


@pytest.mark.parametrize("dropout", [-0.1, 1.0, float("nan")])
def test_a_dropout_that_leaves_nothing_is_refused(dropout):
    with pytest.raises(ValueError, match=r"dropout .* must lie in"):
        make(dropout=dropout)
    with pytest.raises(ValueError, match=r"dropout .* must lie in"):
        make().set_dropout(dropout)
