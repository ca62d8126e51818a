import json
import math
import os
import signal
import socket
import subprocess
import sys
from dataclasses import asdict, replace
from itertools import count, islice, pairwise

import pytest
import torch
from accelerate import Accelerator
from torch import nn

import glyflib.files
from glyflib.checkpoint import EMA, load_checkpoint, save_checkpoint
from glyflib.data import x0_from_images
from glyflib.schedule import (
    add_noise,
    cosine_alpha_bar,
    eps_from_v,
    predict_eps_from,
    target_of,
    v_from_x0_eps,
)
from glyflib.training import (
    Batch,
    Data,
    TrainConfig,
    draw_batch,
    errors_by_level,
    learning_rate_at,
    load,
    loss_weight,
    new_run,
    take_step,
    train,
)

ALPHA_BAR = cosine_alpha_bar(100)
PREDICTIONS = ["eps", "v", "x0"]


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def pictures(num=12):
    gen = torch.Generator().manual_seed(1)
    return torch.randint(256, (num, 1, 4, 4), generator=gen, dtype=torch.uint8)


def captions(num=12):
    """Row i is full of i + 1; the empty condition is full of 0."""
    tokens = torch.arange(1.0, num + 1).reshape(-1, 1, 1).expand(-1, 3, 2)
    mask, null_mask = torch.ones(num, 3).bool(), torch.tensor([[True, False, False]])
    return (tokens, mask), (torch.zeros(1, 3, 2), null_mask)


class Conv(nn.Module):
    """Has parameters, running averages, an integer buffer and a shared weight."""

    def __init__(self, seed=0, is_normed=True):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1),
            nn.BatchNorm2d(4) if is_normed else nn.Identity(),
            nn.SiLU(),
            nn.Conv2d(4, 1, 3, padding=1),
        )
        self.twin = self.body[0]
        gen = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for value in self.parameters():
                value.copy_(torch.randn(value.shape, generator=gen) * 0.3)

    def forward(self, xt, t, *condition):
        return self.body(xt + t.reshape(-1, 1, 1, 1) / 100)


class Lines(nn.Module):
    """A straight line for each level: what a Gaussian asks for, in any prediction."""

    def __init__(self, num_levels=100):
        super().__init__()
        self.line = nn.Embedding(num_levels + 1, 2)
        nn.init.zeros_(self.line.weight)

    def forward(self, xt, t):
        slope, height = self.line(t).unsqueeze(1).unbind(-1)
        return slope * xt + height


class Spy(nn.Module):
    """Predicts a constant and remembers what it was shown."""

    def __init__(self):
        super().__init__()
        self.constant, self.seen = nn.Parameter(torch.zeros(())), []

    def forward(self, *shown):
        self.seen.append([x.detach().clone() for x in shown])
        return self.constant.expand_as(shown[0])


def config_of(steps=10, **changes):
    settings = {"batch_size": 4, "warmup": 2, "checkpoint_seconds": 0}
    return TrainConfig(steps, **(settings | changes))


def run(model, config, *, images=None, **options):
    images = pictures() if images is None else images
    cpu = Accelerator(cpu=True)
    return train(model, images, config, ALPHA_BAR, accelerator=cpu, **options)


def losses_of(steps):
    return [step.loss for step in steps]


def weights_of(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


# Learning a case with a known answer


M, S = 0.2, 0.25
FEW = cosine_alpha_bar(20)
LEVELS = [1, 5, 10, 15, 19]


def gaussian_rows(num, seed=5):
    x0 = M + S * random(num, 1, seed=seed)
    return ((x0.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def exact_eps(xt, t):
    """Mean noise given xt for data N(M, S^2)."""
    a = FEW[t].to(xt)[:, None]
    return (1 - a).sqrt() * (xt - a.sqrt() * M) / (a * S**2 + 1 - a)


def measure(model, prediction, num=40_000):
    """Mean loss of eps_hat at each level, over many rows of known data."""

    def predict_eps(xt, t):
        return predict_eps_from(model(xt, t), xt, t, FEW, prediction)

    gen = torch.Generator().manual_seed(3)
    x0 = x0_from_images(gaussian_rows(num, 6))
    return errors_by_level(predict_eps, x0, LEVELS, FEW, gen).mean(1)


def test_the_exact_denoiser_has_the_exact_loss():
    a = FEW[LEVELS]
    exact = a * S**2 / (a * S**2 + 1 - a)  # variance of eps given xt
    torch.testing.assert_close(measure(exact_eps, "eps"), exact, rtol=0.03, atol=0)


def test_errors_come_for_each_picture_and_repeat_with_their_generator():
    def found(x0):
        gen = torch.Generator().manual_seed(0)
        return errors_by_level(exact_eps, x0, [1, 9, 19], FEW, gen)

    x0 = x0_from_images(gaussian_rows(7, 6))
    assert found(x0).shape == (3, 7) and found(x0).dtype == torch.float64
    assert torch.equal(found(x0), found(x0))
    assert not torch.equal(found(x0)[0], found(-x0)[0])


def test_the_error_in_v_is_that_in_eps_over_alpha_bar():
    """Salimans and Ho 2022, section 4, by both roads."""
    x0, gen = x0_from_images(gaussian_rows(5, 6)).double(), torch.Generator()
    errors = errors_by_level(exact_eps, x0, [12], FEW, gen.manual_seed(0))
    eps = torch.randn(x0.shape, generator=gen.manual_seed(0)).double()
    t = torch.full((5,), 12)
    eps_hat = exact_eps(add_noise(x0, eps, t, FEW), t)
    xt = add_noise(x0, eps, t, FEW)
    x0_hat = (xt - (1 - FEW[12]).sqrt() * eps_hat) / FEW[12].sqrt()
    gap = v_from_x0_eps(x0_hat, eps_hat, t, FEW) - v_from_x0_eps(x0, eps, t, FEW)
    expected = gap.square().mean(1)
    torch.testing.assert_close(errors[0] / FEW[12], expected, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("gamma", [None, 5.0])
def test_training_on_a_gaussian_comes_to_the_least_possible_loss(prediction, gamma):
    config = TrainConfig(
        600,
        batch_size=512,
        learning_rate=0.1,
        weight_decay=0.0,
        prediction=prediction,
        min_snr_gamma=gamma,
    )
    model, cpu = Lines(20), Accelerator(cpu=True)
    *_, last = train(model, gaussian_rows(20_000), config, FEW, accelerator=cpu)
    least = measure(exact_eps, "eps")
    for network in (model, last.ema_model):
        found = measure(network, prediction)
        torch.testing.assert_close(found, least, rtol=0.02, atol=0)


# Objective


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("shape", [(4, 2), (4, 1, 8, 8)])
def test_a_perfect_prediction_has_no_loss_and_gives_back_the_noise(prediction, shape):
    x0, eps = random(2, *shape).double()
    t = torch.tensor([1, 20, 50, 100])
    xt = add_noise(x0, eps, t, ALPHA_BAR)
    output = target_of(prediction, x0, eps, t, ALPHA_BAR)
    found = predict_eps_from(output, xt, t, ALPHA_BAR, prediction)
    torch.testing.assert_close(found, eps, rtol=0, atol=1e-9)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_a_network_that_is_right_trains_at_zero_loss(prediction):
    """One image only, x0 = 1: the noise can be read off xt."""

    class Right(Spy):
        def forward(self, xt, t):
            x0, a = torch.ones_like(xt), ALPHA_BAR[t].to(xt).reshape(-1, 1, 1, 1)
            eps = (xt - a.sqrt() * x0) / (1 - a).sqrt()
            target = {"eps": eps, "x0": x0, "v": a.sqrt() * eps - (1 - a).sqrt() * x0}
            return target[prediction] + 0 * self.constant

    images = torch.full((4, 1, 4, 4), 255, dtype=torch.uint8)
    config = config_of(5, prediction=prediction)
    assert max(losses_of(run(Right(), config, images=images))) < 1e-8


def test_min_snr_weighs_the_error_of_x0_alike_for_every_prediction():
    """One belief about x0, written as eps, v or x0: one weighted loss."""
    x0, eps, wrong = random(3, 4, 2).double()
    t = torch.tensor([1, 20, 50, 100])
    xt = add_noise(x0, eps, t, ALPHA_BAR)
    snr = ALPHA_BAR[t] / (1 - ALPHA_BAR[t])
    expected = snr.clamp(max=5) * (wrong - x0).square().mean(1)
    eps_hat = predict_eps_from(wrong, xt, t, ALPHA_BAR, "x0")
    v_hat = v_from_x0_eps(wrong, eps_hat, t, ALPHA_BAR)
    torch.testing.assert_close(eps_from_v(xt, v_hat, t, ALPHA_BAR), eps_hat)
    for prediction, output in (("eps", eps_hat), ("v", v_hat), ("x0", wrong)):
        config = config_of(prediction=prediction, min_snr_gamma=5)
        error = output - target_of(prediction, x0, eps, t, ALPHA_BAR)
        found = loss_weight(t, ALPHA_BAR, config) * error.square().mean(1)
        torch.testing.assert_close(found, expected)


def test_without_min_snr_every_level_weighs_one():
    weight = loss_weight(torch.tensor([1, 50, 100]), ALPHA_BAR, config_of())
    assert (weight == 1).all()


def test_the_rate_rises_to_its_peak_and_falls_to_almost_nothing():
    config = config_of(100, warmup=9, learning_rate=0.5)
    rates = [learning_rate_at(step, config) for step in range(100)]
    assert rates[0] == pytest.approx(0.05)
    assert rates[9] == 0.5 == max(rates)
    assert rates[9 + 45] == pytest.approx(0.5 * (1 + math.cos(math.pi * 45 / 91)) / 2)
    assert rates[99] == pytest.approx(0.5 * math.sin(math.pi / 182) ** 2)
    assert all(a > b for a, b in pairwise(rates[9:]))
    assert learning_rate_at(0, config_of(warmup=0)) == 5e-4


def test_training_uses_that_rate():
    config = config_of(6)
    steps = list(run(Conv(), config))
    assert [step.step for step in steps] == [1, 2, 3, 4, 5, 6]
    expected = [learning_rate_at(step, config) for step in range(6)]
    assert [step.learning_rate for step in steps] == expected


# Draws


def test_what_the_network_sees_is_the_noised_image_with_its_own_caption():
    spy, (cond, null) = Spy(), captions()
    config = config_of(1, warmup=0, caption_dropout=0)
    list(run(spy, config, cond=cond, null=null))
    images, gen = pictures(), torch.Generator().manual_seed(config.seed)
    rows = torch.randint(12, (4,), generator=gen)
    t = torch.randint(1, 101, (4,), generator=gen)
    torch.rand(4, generator=gen)
    eps = torch.randn(4, 1, 4, 4, generator=gen)
    ((seen_xt, seen_t, seen_tokens, seen_mask),) = spy.seen
    xt = add_noise(images[rows] / 127.5 - 1, eps, t, ALPHA_BAR)
    torch.testing.assert_close(seen_xt, xt)
    assert seen_t.equal(t) and seen_t.dtype == torch.int64
    assert seen_tokens.equal(cond[0][rows]) and seen_mask.equal(cond[1][rows])


def test_batches_can_be_drawn_in_another_way():
    drawn = []

    def only_the_first(data, config, num_levels, generator, mine):
        batch = draw_batch(data, config, num_levels, generator, mine)
        drawn.append(
            batch._replace(x0=x0_from_images(data.images[:1]).expand_as(batch.x0))
        )
        return drawn[-1]

    images = torch.stack([torch.zeros(1, 8, 8), torch.ones(1, 8, 8)])
    seen = []

    class Look(torch.nn.Linear):
        def forward(self, xt, t):
            seen.append(xt)
            return super().forward(xt)

    config = TrainConfig(2, 2, warmup=0)
    list(train(Look(8, 8), images, config, ALPHA_BAR, draw=only_the_first))
    for xt, batch in zip(seen, drawn, strict=True):
        torch.testing.assert_close(
            xt, add_noise(batch.x0, batch.eps, batch.t, ALPHA_BAR)
        )


def test_levels_run_from_one_to_the_last_evenly():
    data = Data(pictures(), None, None)
    config = config_of(batch_size=20_000)
    t = draw_batch(data, config, 10, torch.Generator().manual_seed(0)).t
    counts = t.bincount()
    assert len(counts) == 11 and counts[0] == 0
    assert (counts[1:] / 2000 - 1).abs().max() < 0.1


def test_processes_share_out_one_batch_among_them():
    (cond, null), config = captions(), config_of(caption_dropout=0.5)
    data = Data(pictures(), cond, null)

    def draw(mine):
        gen = torch.Generator().manual_seed(0)
        batch = draw_batch(data, config, 100, gen, mine)
        return [batch.x0, batch.eps, batch.t, *batch.condition], gen.get_state()

    whole, state = draw(slice(None))
    (first, state_0), (second, state_1) = draw(slice(0, 2)), draw(slice(2, 4))
    for all_rows, a, b in zip(whole, first, second, strict=True):
        assert all_rows.equal(torch.cat([a, b]))
    assert state.equal(state_0) and state.equal(state_1)
    assert not first[1].equal(second[1])


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_captions_are_dropped_sample_by_sample(share):
    cond, null = captions()
    data = Data(pictures(), cond, null)
    gen, config = torch.Generator().manual_seed(0), config_of(batch_size=64)
    config = replace(config, caption_dropout=share)
    batches = [draw_batch(data, config, 100, gen).condition for _ in range(50)]
    is_null = torch.stack([(tokens == 0).all((1, 2)) for tokens, _ in batches])
    mask_is_null = torch.stack([~mask[:, 1] for _, mask in batches])
    assert is_null.equal(mask_is_null)
    found, error = is_null.float().mean().item(), math.sqrt(share * (1 - share) / 3200)
    assert abs(found - share) <= 4 * error
    if 0 < share < 1:  # a share for the whole batch would be 0 or 1 in each
        mixed = is_null.any(1) & ~is_null.all(1)
        assert mixed.float().mean() > 0.95


def test_dropout_of_captions_does_not_change_the_images_and_noise():
    cond, null = captions()
    seen = []
    for share in (0.0, 1.0):
        spy = Spy()
        list(run(spy, config_of(3, caption_dropout=share), cond=cond, null=null))
        seen.append([shown[0] for shown in spy.seen])
    assert all(a.equal(b) for a, b in zip(*seen, strict=True))


def some_choices(num=12, K=3):
    """Which rows of 20 conditions each picture may be told: its own K."""
    return (torch.arange(num)[:, None] + torch.arange(K)) % 20


def test_each_picture_is_told_its_own_choices_and_each_of_them_as_often():
    cond, null = captions(20)
    data = Data(pictures(), cond, null, some_choices())
    config, gen = config_of(batch_size=6000), torch.Generator().manual_seed(0)
    batch = draw_batch(data, config, 100, gen)
    told = batch.condition[0][:, 0, 0].long() - 1  # -1 where it is dropped
    images = batch.x0.flatten(1)
    for row, x0 in enumerate(x0_from_images(pictures()).flatten(1)):
        of_row = told[(images == x0).all(1)]
        counts = of_row[of_row >= 0].bincount(minlength=20)
        assert counts.nonzero().flatten().tolist() == sorted(some_choices()[row])
        assert counts.max() < 1.5 * counts[counts > 0].min()
    assert (told < 0).float().mean() == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_choices_do_not_change_pictures_levels_noise_and_what_is_dropped(share):
    (cond, null), config = captions(20), config_of(64, caption_dropout=share)
    own = tuple(rows[:12] for rows in cond)
    batches = []
    for some, choices in ((own, None), (cond, some_choices())):
        gen = torch.Generator().manual_seed(0)
        data = Data(pictures(), some, null, choices)
        batches.append(draw_batch(data, config, 100, gen))
    for name in ("x0", "eps", "t"):
        assert getattr(batches[0], name).equal(getattr(batches[1], name)), name
    dropped = [batch.condition[0].eq(0).all((1, 2)) for batch in batches]
    assert dropped[0].equal(dropped[1])


def test_a_picture_that_weighs_nothing_teaches_nothing():
    weights = torch.ones(12)
    weights[::2] = 0
    found = []
    for shade in (0, 255):
        images = pictures()
        images[::2] = shade
        model = Conv(is_normed=False)
        config = config_of(6, batch_size=8)
        losses = losses_of(run(model, config, images=images, weights=weights))
        found.append((losses, model.body[0].weight.detach().clone()))
    assert found[0][0] == found[1][0] and found[0][1].equal(found[1][1])
    plain = losses_of(run(Conv(is_normed=False), config))
    alike = run(Conv(is_normed=False), config, weights=torch.ones(12))
    assert losses_of(alike) == plain != found[0][0]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"weights": torch.ones(11)}, r"weights \(11,\) must be \(12,\)"),
        ({"weights": torch.zeros(12)}, "not all of them 0"),
        ({"weights": torch.full((12,), -1.0)}, "none below 0"),
        ({"weights": torch.full((12,), math.nan)}, "none below 0"),
        ({"choices": torch.zeros(12, 2).long()}, "give it as well"),
    ],
)
def test_weights_and_choices_that_do_not_fit_are_refused(options, match):
    with pytest.raises(ValueError, match=match):
        run(Conv(), config_of(), **options)


@pytest.mark.parametrize(
    ("choices", "match"),
    [
        (torch.zeros(11, 2).long(), r"\(11, 2\) must be \(12, K\)"),
        (torch.zeros(12, 0).long(), r"\(12, 0\) must be \(12, K\)"),
        (torch.full((12, 2), 20), "rows of cond, from 0 to 19"),
        (torch.full((12, 2), -1), "rows of cond, from 0 to 19"),
    ],
)
def test_choices_among_conditions_that_are_not_there_are_refused(choices, match):
    cond, null = captions(20)
    options = {"cond": cond, "null": null, "choices": choices}
    with pytest.raises(ValueError, match=match):
        run(Conv(), config_of(), **options)


class Dropping(Conv):
    """Draws for itself, from torch's global generator."""

    def forward(self, xt, t, *condition):
        return nn.functional.dropout(super().forward(xt, t), 0.5, self.training)


def test_a_network_that_drops_values_resumes_exactly(tmp_path):
    config, options = config_of(8, checkpoint_seconds=0), {"directory": tmp_path}
    whole = losses_of(run(Dropping(), config))
    first = losses_of(islice(run(Dropping(), config, **options), 3))
    torch.manual_seed(99)
    rest = losses_of(run(Dropping(), config, **options, resume=True))
    assert first + rest == whole
    assert losses_of(run(Conv(), config)) != whole


def test_a_step_leaves_torchs_global_generator_as_it_was():
    model, before = Dropping(), torch.random.get_rng_state()
    list(run(model, config_of(3)))
    assert torch.random.get_rng_state().equal(before)


def test_a_run_goes_on_with_its_own_weights_and_choices_alone(tmp_path):
    (cond, null), config = captions(20), config_of(6, checkpoint_seconds=0)
    options = {"cond": cond, "null": null, "directory": tmp_path}

    def train_on(**others):
        return losses_of(run(Conv(), config, **options, **others))

    shown = {"choices": some_choices(), "weights": torch.linspace(0, 1, 12)}
    whole = train_on(**shown)
    assert len(whole) == 6 and train_on(**shown, resume=True) == []
    for other in (
        {"choices": some_choices()},
        {"choices": some_choices().flip(1), "weights": shown["weights"]},
        {"choices": some_choices(), "weights": torch.ones(12)},
    ):
        with pytest.raises(ValueError, match="give the choices and weights"):
            train_on(**other, resume=True)


def test_a_checkpoint_of_before_there_were_weights_and_choices_is_gone_on_with(
    tmp_path,
):
    config = config_of(6, checkpoint_seconds=0)
    whole = losses_of(run(Conv(), config))
    losses_of(islice(run(Conv(), config, directory=tmp_path), 3))
    stored = load_checkpoint(tmp_path)
    facts = {name: value for name, value in stored.facts.items() if name != "shown"}
    save_checkpoint(tmp_path, stored._replace(facts=facts))
    assert losses_of(run(Conv(), config, directory=tmp_path, resume=True)) == whole[3:]


def test_a_preview_that_seeds_torch_does_not_change_the_training():
    """The bug of diffusers#7991: a sampler's seed rewound the order of the data."""
    straight = losses_of(run(Conv(), config_of()))
    disturbed = []
    for step in run(Conv(), config_of()):
        torch.manual_seed(0)
        step.ema_model(torch.randn(2, 1, 4, 4), torch.tensor([1, 2]))
        disturbed.append(step.loss)
    assert straight == disturbed
    assert len(set(straight)) == len(straight)


def test_a_preview_in_evaluation_mode_does_not_stay_in_it():
    model = Conv()
    straight = losses_of(run(Conv(), config_of()))
    found = []
    for step in run(model, config_of()):
        found.append(step.loss)
        model.eval()
    assert found == straight


# Averaged weights


def test_an_average_of_decay_zero_is_a_copy():
    model, other = Conv(0), Conv(1)
    ema = EMA(model, 0.0)
    ema.update(other)
    for name, value in other.state_dict().items():
        assert ema.model.state_dict()[name].equal(value), name


def test_the_average_is_the_exact_weighted_sum():
    values = random(6).double()
    model = nn.Linear(1, 1, bias=False).double()
    model.weight.data.fill_(values[0])
    plain, warm = EMA(model, 0.9, is_warmed_up=False), EMA(model, 0.3)
    for value in values[1:]:
        model.weight.data.fill_(value)
        plain.update(model)
        warm.update(model)
    expected = 0.9**5 * values[0]
    expected = expected + sum(0.1 * 0.9 ** (5 - k) * values[k] for k in range(1, 6))
    torch.testing.assert_close(plain.model.weight.squeeze(), expected)
    average, decays = values[0], [2 / 11, 3 / 12, 0.3, 0.3, 0.3]
    for decay, value in zip(decays, values[1:], strict=True):
        average = decay * average + (1 - decay) * value
    torch.testing.assert_close(warm.model.weight.squeeze(), average)


def test_buffers_are_copied_not_averaged():
    model = Conv()
    ema = EMA(model, 0.999)
    model.body[1].running_mean.fill_(7.0)
    model.body[1].num_batches_tracked.fill_(3)
    ema.update(model)
    assert (ema.model.body[1].running_mean == 7).all()
    assert ema.model.body[1].num_batches_tracked == 3
    assert not ema.model.training and model.training


@pytest.mark.parametrize("decay", [-0.1, 1.0])
def test_a_decay_outside_zero_and_one_is_refused(decay):
    with pytest.raises(ValueError, match=f"decay {decay} must lie"):
        EMA(Conv(), decay)


# Checkpoints


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_resuming_gives_the_same_steps_bit_by_bit(tmp_path, layout):
    model = Conv().to(memory_format=layout)
    straight = list(run(model, config_of(), directory=tmp_path / "a"))
    first = run(Conv().to(memory_format=layout), config_of(), directory=tmp_path / "b")
    losses = losses_of(islice(first, 5))
    first.close()
    again = Conv(seed=9).to(memory_format=layout)
    rest = list(run(again, config_of(), directory=tmp_path / "b", resume=True))
    assert losses + losses_of(rest) == losses_of(straight)
    assert [step.step for step in rest] == [6, 7, 8, 9, 10]
    for one, two in ((model, again), (straight[-1].ema_model, rest[-1].ema_model)):
        for name, value in one.state_dict().items():
            assert two.state_dict()[name].equal(value), name
    one, two = (load_checkpoint(tmp_path / name) for name in "ab")
    assert one.facts == two.facts and one.tensors.keys() == two.tensors.keys()
    assert all(value.equal(two.tensors[name]) for name, value in one.tensors.items())


def test_a_finished_run_has_nothing_left(tmp_path):
    list(run(Conv(), config_of(3), directory=tmp_path))
    assert list(run(Conv(), config_of(3), directory=tmp_path, resume=True)) == []


def test_the_last_step_is_always_saved_and_one_checkpoint_kept(tmp_path):
    config = config_of(3, checkpoint_seconds=1e9)
    *_, last = run(Conv(), config, directory=tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["checkpoint.json", "state-00000003.safetensors"]
    facts = json.loads((tmp_path / "checkpoint.json").read_text())["facts"]
    assert facts["step"] == last.step == 3
    assert facts["config"] == asdict(config)


def test_the_first_checkpoint_comes_soon_and_each_is_told(tmp_path, monkeypatch):
    now = count(step=10.0)  # ten seconds go by between two looks
    monkeypatch.setattr("glyflib.training.monotonic", lambda: next(now))
    config = config_of(12, checkpoint_seconds=60.0)
    kept = [s.step for s in run(Conv(), config, directory=tmp_path) if s.is_kept]
    assert kept[0] <= 2 and len(kept) >= 3 and kept[-1] == 12
    assert not any(s.is_kept for s in run(Conv(), config_of(3)))


def test_load_gives_the_averaged_weights(tmp_path):
    *_, last = run(Conv(), config_of(), directory=tmp_path)
    loaded = load(tmp_path, Conv(seed=4))
    assert not loaded.training
    for name, value in last.ema_model.state_dict().items():
        assert loaded.state_dict()[name].equal(value), name


def test_weights_go_into_a_network_of_the_same_form_only(tmp_path):
    list(run(Conv(), config_of(1, warmup=0), directory=tmp_path))
    with pytest.raises(ValueError, match=r"has ema\.body.*another network"):
        load(tmp_path, Lines())
    wide = Conv()
    wide.body[3] = nn.Conv2d(4, 2, 3)
    with pytest.raises(
        ValueError, match=r"ema\.body\.3\.weight is \(1, 4, 3, 3\), not"
    ):
        load(tmp_path, wide)


@pytest.mark.parametrize("num_whole", [0, 1])
def test_a_kill_between_writes_leaves_the_old_checkpoint(
    tmp_path, monkeypatch, num_whole
):
    """The tensors move into place first, then the record: stop before either."""
    straight = losses_of(run(Conv(), config_of()))
    steps = run(Conv(), config_of(), directory=tmp_path)
    assert losses_of(islice(steps, 4)) == straight[:4]
    calls, move = [], os.replace

    def killed(*paths):
        calls.append(paths)
        if len(calls) > num_whole:
            raise KeyboardInterrupt
        move(*paths)

    with monkeypatch.context() as patch:
        patch.setattr(glyflib.files.os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            next(steps)
    assert load_checkpoint(tmp_path).facts["step"] == 4
    rest = run(Conv(2), config_of(), directory=tmp_path, resume=True)
    assert losses_of(rest) == straight[4:]
    assert len(list(tmp_path.iterdir())) == 2  # leftovers are cleared away


def test_a_kill_in_the_middle_of_a_file_leaves_the_old_one(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def half(temporary):
        temporary.write_text("ne")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        glyflib.files.replace_file(path, half)
    assert path.read_text() == "old"


@pytest.mark.parametrize(
    "change",
    [
        {"batch_size": 6},
        {"learning_rate": 1e-3},
        {"prediction": "eps"},
        {"min_snr_gamma": 5.0},
        {"steps": 11},
    ],
)
def test_a_changed_setting_is_named(tmp_path, change):
    list(run(Conv(), config_of(), directory=tmp_path))
    ((name, value),) = change.items()
    config = replace(config_of(), **change)
    with pytest.raises(ValueError, match=rf"{name} was .* now {value!r}"):
        run(Conv(), config, directory=tmp_path, resume=True)


def test_changed_data_or_schedule_are_refused(tmp_path):
    list(run(Conv(), config_of(), directory=tmp_path))
    options = {"directory": tmp_path, "resume": True}
    with pytest.raises(ValueError, match=r"the data were .*12.* now .*13"):
        run(Conv(), config_of(), images=pictures(13), **options)
    cpu = Accelerator(cpu=True)
    with pytest.raises(ValueError, match="alpha_bar is not that of the checkpoint"):
        train(
            Conv(),
            pictures(),
            config_of(),
            cosine_alpha_bar(99),
            accelerator=cpu,
            **options,
        )


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no checkpoint in"):
        load_checkpoint(tmp_path)
    with pytest.raises(FileNotFoundError, match="no checkpoint in"):
        run(Conv(), config_of(), directory=tmp_path, resume=True)
    with pytest.raises(ValueError, match="resume needs the directory"):
        run(Conv(), config_of(), resume=True)


def test_a_checkpoint_is_not_overwritten_by_mistake(tmp_path):
    list(run(Conv(), config_of(3), directory=tmp_path))
    with pytest.raises(FileExistsError, match="holds a checkpoint"):
        run(Conv(), config_of(3), directory=tmp_path)


@pytest.mark.parametrize("damage", ["cut", "flip", "gone", "record"])
def test_a_damaged_checkpoint_is_refused(tmp_path, damage):
    list(run(Conv(), config_of(3), directory=tmp_path))
    (path,) = tmp_path.glob("*.safetensors")
    data = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "flip":
        data[-5] ^= 1
        path.write_bytes(data)
    elif damage == "gone":
        path.unlink()
    else:
        (tmp_path / "checkpoint.json").write_text('{"tensors": ')
    with pytest.raises(ValueError, match="is damaged"):
        load_checkpoint(tmp_path)


def test_saved_tensors_own_their_memory(tmp_path):
    """Views and tied weights cannot be written as they are."""
    model = nn.Linear(4, 4)
    model.weight.data = random(4, 8).t()[::2]
    model.tied = model.weight
    state = new_run(model, config_of())
    save_checkpoint(tmp_path, state.to_checkpoint({}, alpha_bar=ALPHA_BAR))
    stored = load_checkpoint(tmp_path).tensors
    torch.testing.assert_close(stored["model.weight"], model.weight.detach())
    assert "model.tied" not in stored


# Whole processes


SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
from test_training import Conv, config_of, pictures, run
model, config = Conv(is_normed={is_normed}), config_of({steps})
for step in run(model, config, directory={directory!r}):
    print(step.step, step.loss, flush=True)
"""


def start(directory, steps, *, is_normed=True, **environment):
    names = {"steps": steps, "is_normed": is_normed, "directory": str(directory)}
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}  # order of sums
    code = SCRIPT.format(tests=os.path.dirname(__file__), **names)
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        env=os.environ | threads | environment,
    )


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_a_process_killed_outright_goes_on_where_it_was(tmp_path):
    with start(tmp_path, 3000) as process:
        for _ in range(20):
            assert process.stdout.readline()
        process.kill()
    step = load_checkpoint(tmp_path).facts["step"]
    assert 20 <= step < 3000
    rest = run(Conv(3), config_of(3000), directory=tmp_path, resume=True)
    found = losses_of(islice(rest, 3))
    straight = run(Conv(), config_of(3000))
    assert found == losses_of(islice(straight, step, step + 3))


@pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="needs gloo")
def test_two_processes_learn_what_one_learns(tmp_path):
    """Statistics of a batch are those of one process: the network here has none."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    shared |= {"ACCELERATE_USE_CPU": "true", "GLOO_SOCKET_IFNAME": "lo"}
    ranks = [
        start(tmp_path, 10, is_normed=False, RANK=rank, LOCAL_RANK=rank, **shared)
        for rank in "01"
    ]
    said = [process.communicate(timeout=60)[0].split() for process in ranks]
    model = Conv(is_normed=False)
    losses = losses_of(run(model, config_of()))
    assert len(said[0]) == 20 and said[0] == said[1]
    torch.testing.assert_close([float(loss) for loss in said[0][1::2]], losses)
    stored = load_checkpoint(tmp_path).tensors
    for name, value in model.named_parameters():
        torch.testing.assert_close(stored[f"model.{name}"], value.detach())


# Errors


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 0),
        ("batch_size", 0),
        ("learning_rate", 0.0),
        ("learning_rate", float("inf")),
        ("warmup", 10),
        ("weight_decay", -1.0),
        ("weight_decay", float("nan")),
        ("clip_norm", 0.0),
        ("ema_decay", 1.0),
        ("caption_dropout", 1.5),
        ("min_snr_gamma", 0.0),
        ("checkpoint_seconds", -1.0),
    ],
)
def test_a_setting_out_of_range_is_named(name, value):
    with pytest.raises(ValueError, match=f"{name} {value} is out of range"):
        config_of(**{name: value})


def test_an_unknown_prediction_is_named():
    with pytest.raises(
        ValueError, match="prediction 'score' must be one of eps, v, x0"
    ):
        config_of(prediction="score")
    x = torch.zeros(1, 1)
    with pytest.raises(ValueError, match="prediction 'score' must be one of"):
        predict_eps_from(x, x, torch.tensor([1]), ALPHA_BAR, "score")


def test_data_that_do_not_fit_are_named():
    cond, null = captions()
    with pytest.raises(ValueError, match="none to learn"):
        run(Conv(), config_of(), images=pictures()[:0])
    with pytest.raises(ValueError, match="none to learn"):
        run(Conv(), config_of(), images=pictures().long())
    with pytest.raises(ValueError, match="cond and null must be given together"):
        run(Conv(), config_of(), cond=cond)
    with pytest.raises(ValueError, match=r"cond \(12, 3, 2\) and null \(1, 1, 2\)"):
        run(Conv(), config_of(), cond=cond, null=(null[0][:, :1], null[1][:, :1]))
    with pytest.raises(ValueError, match=r"cond \(12, 3, 2\) .* must be 11 rows"):
        run(Conv(), config_of(), images=pictures(11), cond=cond, null=null)


def test_a_network_that_returns_another_shape_is_refused():
    class Flat(Conv):
        def forward(self, xt, t):
            return super().forward(xt, t)[:, :, 0]

    with pytest.raises(ValueError, match=r"returns \(4, 1, 4\), not \(4, 1, 4, 4\)"):
        next(run(Flat(), config_of()))


def test_a_loss_that_is_not_finite_stops_before_it_spoils_the_weights():
    model, bad = Conv(), torch.full((4, 1, 4, 4), math.nan)
    before = weights_of(model)["body.0.weight"]
    with pytest.raises(FloatingPointError, match="step 1 is not finite: loss nan"):
        next(run(model, config_of(), images=bad))
    assert model.body[0].weight.equal(before)


def test_the_gradient_is_clipped_and_its_norm_told():
    model, config = Conv(), config_of(clip_norm=1e-3)
    step = next(run(model, config))
    norm = math.sqrt(sum(p.grad.square().sum().item() for p in model.parameters()))
    assert step.grad_norm > 0.01 and norm == pytest.approx(1e-3, rel=1e-3)
    free = Conv()
    step = next(run(free, config_of(clip_norm=None)))
    norm = math.sqrt(sum(p.grad.square().sum().item() for p in free.parameters()))
    assert norm == pytest.approx(step.grad_norm, rel=1e-5)


def test_everything_stays_float32_and_finite():
    model = Conv()
    steps = list(run(model, config_of()))
    assert all(math.isfinite(step.loss) for step in steps)
    for network in (model, steps[-1].ema_model):
        assert {value.dtype for value in network.parameters()} == {torch.float32}
        assert all(value.isfinite().all() for value in network.parameters())


def test_one_image_is_learnt_by_heart():
    """At one level of noise the repeated update of one batch has no loss left."""
    model, cpu = Lines(), Accelerator(cpu=True)
    config = config_of(200, learning_rate=0.05, weight_decay=0.0, prediction="x0")
    state, x0 = new_run(model, config), torch.full((8, 1), 0.3)
    batch = Batch(x0, random(8, 1, seed=2), torch.full((8,), 10), ())
    losses = [
        take_step(state, model, batch, config, ALPHA_BAR, cpu).loss for _ in range(200)
    ]
    assert losses[-1] < losses[0] / 1000


def test_a_batch_may_be_larger_than_the_set(tmp_path):
    steps = list(run(Conv(), config_of(2, batch_size=30, warmup=0)))
    assert [step.step for step in steps] == [1, 2]


def test_data_of_another_file_are_refused_even_if_alike(tmp_path):
    options = {"directory": tmp_path, "data_sha256": "a" * 64}
    next(run(Conv(), config_of(3, warmup=0, checkpoint_seconds=0), **options))
    options |= {"data_sha256": "b" * 64, "resume": True}
    with pytest.raises(ValueError, match=r"another file.*was aaaaaaaaaaaa.*now bbbb"):
        run(Conv(), config_of(3, warmup=0, checkpoint_seconds=0), **options)
