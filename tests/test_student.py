"""A student draws in a few jumps, starts as its teacher, and is stored whole."""

import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from tiny_models import WIDTH, random_unet, save_glyffuser

from glyflib.glyffuser import Glyffuser
from glyflib.sampling import last_of, level_grid, sample
from glyflib.schedule import add_noise, cosine_alpha_bar, predict_x0_from, x0_from_eps
from glyflib.student import (
    COUNTS,
    Student,
    StudentNet,
    ending_in_noise,
    jump,
    sample_few,
)
from glyflib.unet import UNet

ALPHA_BAR = ending_in_noise(cosine_alpha_bar(1000))


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    return Glyffuser.load(save_glyffuser(tmp_path_factory.mktemp("t") / "glyffuser"))


def taught(teacher, seed=1):
    """A student whose layer for the stride is no longer zero."""
    student = Student.of(teacher)
    torch.manual_seed(seed)
    with torch.no_grad():
        student.net.stride_layer.weight.normal_(0, 0.1)
    return student


def noise_like(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def full(level, count):
    return torch.full((count,), level)


def test_a_schedule_that_ends_in_noise_is_the_same_but_for_its_end():
    before = cosine_alpha_bar(1000)
    assert ALPHA_BAR[-1] == 0 and before[-1] > 0
    torch.testing.assert_close(ALPHA_BAR[:-1], before[:-1], rtol=0, atol=0)


@pytest.mark.parametrize(("t", "s"), [(1000, 875), (875, 750), (500, 250), (2, 1)])
def test_a_jump_towards_the_true_data_keeps_the_true_noise(t, s):
    x0, eps = noise_like(4, 1, 8, 8), noise_like(4, 1, 8, 8, seed=1)
    t, s = full(t, 4), full(s, 4)
    xs = jump(add_noise(x0, eps, t, ALPHA_BAR), x0, t, s, ALPHA_BAR)
    torch.testing.assert_close(xs, add_noise(x0, eps, s, ALPHA_BAR))


def test_a_jump_to_the_end_arrives_at_what_was_believed():
    xt, x0_hat = noise_like(3, 2), noise_like(3, 2, seed=1)
    found = jump(xt, x0_hat, full(125, 3), full(0, 3), ALPHA_BAR)
    torch.testing.assert_close(found, x0_hat, rtol=0, atol=0)


def test_jumps_of_one_size_are_the_steps_of_ddim(teacher):
    alpha_bar, xt = cosine_alpha_bar(1000), noise_like(2, 1, 16, 16)
    predict_eps = teacher.denoiser("gold", 2.0)

    def predict_x0(xt, t, s):
        return x0_from_eps(xt, predict_eps(xt, t), t, alpha_bar)

    mine = list(sample_few(predict_x0, xt, alpha_bar, calls=5))
    theirs = list(sample(predict_eps, xt, alpha_bar, num_steps=5))
    for one, other in zip(mine, theirs, strict=True):
        assert one.t == other.t
        torch.testing.assert_close(one.xt, other.xt, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("calls", COUNTS)
def test_it_is_called_as_often_as_asked_and_told_where_to(calls):
    asked = []

    def predict_x0(xt, t, s):
        asked.append((t.unique().item(), s.unique().item()))
        return torch.zeros_like(xt)

    *_, last = sample_few(predict_x0, noise_like(2, 3), ALPHA_BAR, calls=calls)
    grid = level_grid(1000, calls)
    assert asked == list(pairwise(grid))
    assert last.t == 0 and not last.xt.any()


@pytest.mark.parametrize("prediction", ["v", "x0"])
def test_believed_data_is_known_in_noise_alone_from_v_and_x0(prediction):
    xt, output = noise_like(2, 4), noise_like(2, 4, seed=1)
    x0_hat = predict_x0_from(output, xt, full(1000, 2), ALPHA_BAR, prediction)
    wanted = -output if prediction == "v" else output
    torch.testing.assert_close(x0_hat, wanted, rtol=0, atol=0)


def test_a_student_that_has_learnt_nothing_is_its_teacher_whatever_the_stride(teacher):
    net, cond = Student.of(teacher).net, teacher.encoder.encode(["gold", "insect"])
    xt, t = noise_like(2, 1, 16, 16).float(), full(700, 2)
    for stride in (125, 700):
        with torch.no_grad():
            mine = net(xt, t, full(stride, 2), *cond)
        theirs = teacher.unet(xt, t, *cond)
        torch.testing.assert_close(mine, theirs, rtol=0, atol=0)


def test_a_student_that_has_learnt_tells_strides_apart(teacher):
    student, cond = taught(teacher), teacher.encoder.encode(["gold"])
    xt, t = noise_like(1, 1, 16, 16).float(), full(1000, 1)
    with torch.no_grad():
        far, near = (student.net(xt, t, full(n, 1), *cond) for n in (1000, 500))
    assert (far - near).abs().max() > 1e-3


def test_the_stride_reaches_a_network_without_text():
    net = StudentNet(UNet(channels=(8, 16), attention_levels=()))
    with torch.no_grad():
        for value in net.parameters():
            value.add_(0.1 * torch.randn(value.shape))
    xt, t = torch.randn(2, 1, 8, 8), full(1000, 2)
    found = net(xt, t, torch.tensor([1000, 500]))
    assert found.shape == xt.shape
    assert (found - net(xt, t, full(500, 2))).abs().amax((1, 2, 3)).gt(0).tolist() == [
        True,
        False,
    ]


def test_a_picture_does_not_depend_on_its_batch_nor_on_how_it_is_cut(teacher):
    student = taught(teacher)
    prompts = ["gold", "insect", "water; river"]
    together = student.sample(prompts, calls=4, seed=5)
    assert together.shape == (3, 1, 16, 16) and together.abs().max() <= 1
    alone = student.sample(prompts[2], calls=4, seed=7)
    torch.testing.assert_close(together[2:], alone, rtol=0, atol=1e-4)
    parts = student.sample(prompts, calls=4, seed=5, batch_size=2)
    torch.testing.assert_close(together, parts, rtol=0, atol=1e-4)


def test_it_starts_from_the_noise_that_its_teacher_starts_from(teacher):
    student = taught(teacher)
    student.net.stride_layer.weight.data.zero_()
    options = {"num_steps": 8, "scale": 1.0, "sampler": sample, "seed": 3}
    theirs = teacher.sample(["gold", "insect"], **options)
    mine = student.sample(["gold", "insect"], calls=8, seed=3)
    torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-3)


def test_prompt_seed_and_number_of_calls_all_matter(teacher):
    student = taught(teacher)
    first = student.sample("gold", calls=2)
    for other in (
        student.sample("water; river", calls=2),
        student.sample("gold", calls=1),
        student.sample("gold", calls=2, seed=1),
    ):
        assert (other - first).abs().max() > 1e-3


def test_generate_gives_grey_pictures(teacher):
    (picture,) = taught(teacher).generate("gold", calls=1)
    assert (picture.mode, picture.size) == ("L", (16, 16))
    x0 = taught(teacher).sample("gold", calls=1).squeeze()
    assert np.abs(np.asarray(picture) - (x0.numpy() + 1) * 127.5).max() <= 0.51


def test_a_step_is_yielded_a_call(teacher):
    steps = list(taught(teacher).steps("gold", calls=4))
    assert [step.t for step in steps] == [750, 500, 250, 0]
    torch.testing.assert_close(last_of(iter(steps)).xt, steps[-1].x0_hat)


def test_what_is_saved_is_loaded(tmp_path, teacher):
    student = taught(teacher)
    student.training = {"glyphs": 7}
    student.net.half().float()
    student.save(tmp_path / "student")
    again = Student.load(tmp_path / "student", encoder=teacher.encoder)
    assert (again.counts, again.scale, again.size) == (COUNTS, 2.0, 16)
    assert again.training == {"glyphs": 7} and not again.net.training
    for calls in COUNTS:
        one, other = (some.sample("gold", calls=calls) for some in (student, again))
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_its_encoder_is_found_beside_it(tmp_path):
    teacher = Glyffuser.load(save_glyffuser(tmp_path / "glyffuser"))
    Student.of(teacher).save(tmp_path / "student")
    again = Student.load(tmp_path / "student")
    assert again.encoder.width == WIDTH
    torch.testing.assert_close(
        again.sample("gold", calls=1), Student.of(teacher).sample("gold", calls=1)
    )


def change(folder, **values):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | values))


@pytest.mark.parametrize(
    ("break_it", "error", "match"),
    [
        (lambda d: (d / "config.json").unlink(), FileNotFoundError, "no student in"),
        (lambda d: (d / "model.safetensors").unlink(), FileNotFoundError, "no student"),
        (lambda d: (d / "model.safetensors").write_bytes(b"x"), ValueError, "sha256"),
        (lambda d: change(d, factor=4), ValueError, "it has 'factor'"),
        (lambda d: change(d, counts=[8, 3]), ValueError, r"counts \[8, 3\]"),
        (lambda d: change(d, counts=[]), ValueError, r"counts \[\]"),
        (lambda d: change(d, prediction="eps"), ValueError, "says nothing"),
        (lambda d: change(d, scale=1e9), ValueError, r"scale 1000000000\.0"),
    ],
)
def test_a_damaged_folder_says_how_to_get_a_whole_one(
    tmp_path, teacher, break_it, error, match
):
    Student.of(teacher).save(tmp_path)
    break_it(tmp_path)
    with pytest.raises(error, match=match) as caught:
        Student.load(tmp_path, encoder=teacher.encoder)
    assert "glyflib data student" in str(caught.value)


def test_a_glyffuser_is_not_taken_for_a_student(tmp_path):
    folder = save_glyffuser(tmp_path / "glyffuser")
    with pytest.raises(ValueError, match=r"not that of a student \(it lacks 'counts'"):
        Student.load(folder)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"calls": 3}, "calls 3 must be one of 8, 4, 2, 1"),
        ({"calls": 16}, "calls 16"),
        ({"seed": [1, 2, 3]}, "3 seeds"),
        ({"seed": -1}, "seed -1"),
        ({"batch_size": 0}, "batch_size 0"),
    ],
)
def test_settings_out_of_range_are_named(teacher, options, match):
    with pytest.raises(ValueError, match=match):
        taught(teacher).sample(["gold", "insect"], **options)


def test_a_student_of_some_counts_says_which(teacher):
    student = Student.of(teacher, counts=(8, 4))
    with pytest.raises(ValueError, match="calls 2 must be one of 8, 4"):
        student.sample("gold", calls=2)


def test_a_schedule_with_too_few_levels_for_its_jumps_is_refused(teacher):
    short = Glyffuser(
        random_unet(),
        teacher.encoder,
        size=16,
        schedule={"name": "cosine", "num_levels": 12},
    )
    with pytest.raises(ValueError, match="12 levels are too few for 8 calls"):
        Student.of(short)
    assert Student.of(short, counts=(4, 2, 1)).sample("gold", calls=4).isfinite().all()


def test_a_teacher_that_predicts_eps_is_refused(teacher):
    other = Glyffuser(random_unet(), teacher.encoder, size=16, prediction="eps")
    with pytest.raises(ValueError, match="needs a teacher that predicts v or x0"):
        Student.of(other)
