"""Small inputs for each drawing function of glyflib.plotting.

EXAMPLES maps "module.function" to what it is called with; the contract in
test_plotting.py draws them all, and fails where a function has none.
"""

import numpy as np

from glyflib.plotting import schedules, solvers

RNG = np.random.default_rng(0)
X = np.linspace(-3, 3, 61)
BELL = np.exp(-(X**2) / 2) / np.sqrt(2 * np.pi)
T = np.arange(1001)
ALPHA_BAR = np.cos(np.pi / 2 * T / 1000).clip(1e-3) ** 2
LEVELS = np.array([1, 10, 100, 1000])
FALLING = np.array([1.0, 0.6, 0.3, 0.1])
SPAN = (0.4, 0.3, 0.5)  # value, low, high
SPANS = {1: (0.2, 0.1, 0.3), 10: SPAN, 100: (0.9, 0.8, 1.0)}
INTERVALS = np.array([SPAN] * 4)
CURVES = {name: FALLING + k / 9 for k, name in enumerate("abcd")}
TWO = {name: CURVES[name] for name in "ab"}
GLYPH = np.where(np.add.outer(range(8), range(8)) % 3 == 0, -1.0, 1.0)
X0 = np.stack([GLYPH, -GLYPH, GLYPH.T, np.roll(GLYPH, 1)])[:, None]
XT = X0 + RNG.normal(size=X0.shape)
SHEET = (127.5 * (X0 + 1)).astype(np.uint8)
POINTS = RNG.normal(size=(40, 2))
CLOUDS = {"left": POINTS / 3, "right": POINTS / 2}
SIDE = np.linspace(-2, 2, 5)
PLACES = np.stack(np.meshgrid(SIDE, SIDE, indexing="ij"), -1).reshape(-1, 2)
MAPS = {"8 x 8": RNG.normal(size=(3, 8, 8)), "4 x 4": RNG.normal(size=(3, 4, 4))}
PIECES = ["\u2581gold", ",", "\u2581element", "</s>"]
WEIGHTS = np.full((4, 4), 0.25)
HILL = np.outer([1, 3, 4, 2], [1, 4, 3, 1]) / 100
LOG = [
    {"glyphs": 32 * (i + 1), "loss": 1 / (i + 1), "learning_rate": rate}
    for i, rate in enumerate((1, 3, 2, 0.5, 2, 3, 1))
]


def call(*args, **kwargs):
    """What a drawing function is called with."""
    return args, kwargs


EXAMPLES = {
    "bugs.plot_seen": call(TWO),
    "bugs.plot_similarity": call({"bug": WEIGHTS, "mended": np.eye(4)}, label="time"),
    "conditional_distributions.plot_counts": call(
        (np.arange(5), np.arange(4)),
        np.arange(12.0).reshape(3, 4),
        {1: WEIGHTS[0], 2: FALLING},
        ("ink", "y"),
    ),
    "conditional_distributions.plot_beliefs": call(
        POINTS, (0, 1), {"told": (1, 1), "not told": (0, 0)}, title="level 9"
    ),
    "conditional_distributions.plot_judges": call(
        {"a": HILL * 25, "b": HILL}, {"a": POINTS, "b": POINTS}, reach=3
    ),
    "conditional_distributions.plot_parts": call(
        {"sun": CLOUDS, "moon": CLOUDS}, POINTS / 2
    ),
    "conditional_distributions.plot_slice": call(POINTS, X, 0.5, BELL / 3, X / 3),
    "dataset_map.plot_density": call(HILL, (0, 4, 1, 6), [(1, 2), (3, 4)]),
    "dataset_map.plot_maps": call(
        {"PCA": (POINTS, ["a", "b"] * 20), "UMAP": (POINTS, [""] * 40)},
        images=SHEET,
        rows=[1, 3],
    ),
    "dataset_map.plot_scores": call({"stacked": (np.array([-0.2, 0.1]), SHEET[:2])}),
    "editing.plot_answers": call(
        {"replacement": POINTS[:, 0], "push": POINTS[:, 1]}, X, BELL
    ),
    "editing.plot_repeats": call([1, 2, 5, 10], INTERVALS, 0.9),
    "editing.plot_two_pixels": call(X, np.outer(BELL, BELL), -1.0, BELL),
    "estimates.plot_estimates": call(
        {"precision": {"floor": SPAN, "copies": SPAN}}, marked=["copies"], bands=True
    ),
    "estimates.plot_hits": call(
        {"one": {"a": SPAN, "b": SPAN}, "two": {"c": SPAN}}, label="share"
    ),
    "evaluation.plot_balls": call(
        {
            name: (POINTS[:9], np.full(9, 0.3), POINTS[9:], POINTS[9:, 0] > 0)
            for name in ("real", "drawn")
        }
    ),
    "evaluation.plot_bells": call({"all": FALLING, "some": [1.0, 3.0]}, label="of 96"),
    "evaluation.plot_floors": call(SPANS, label="Fréchet distance"),
    "evaluation.plot_ratios": call(
        {"held out": FALLING, "copies": [0.1]}, {"copies": 0.5}
    ),
    "evaluation.plot_sizes": call(
        {"ratio": {"a": SPANS}, "loss": {"a": SPANS, "b": SPANS}}
    ),
    "evaluation.plot_twins": call({"10": (X0, X0), "all": (X0, X0)}, notes="abcd"),
    "few_steps.plot_by_calls": call(
        {
            measure: {"student": SPANS, "teacher, hurried": SPANS}
            for measure in ("radical", "recall", "precision")
        },
        dict.fromkeys(("radical", "recall", "precision"), SPAN),
    ),
    "few_steps.plot_jumps": call(
        np.linspace(POINTS[:9], POINTS[9:18], 5),
        {
            name: np.linspace(POINTS[:9], POINTS[9:18], 3)
            for name in ("teacher", "student")
        },
        POINTS,
    ),
    "few_steps.plot_landings": call(
        {
            name: {"2 calls": POINTS, "1 call": POINTS / 2}
            for name in ("teacher", "student")
        },
        POINTS,
        far=0.3,
    ),
    "few_steps.plot_maps": call(X, X, {f"{n} calls": X / n for n in (8, 4, 2, 1)}),
    "flow_matching.plot_clocks": call(
        (LEVELS, np.outer(FALLING, SIDE)),
        (SIDE / 4 + 0.5, np.outer(SIDE, SIDE)),
        (SIDE[::2] / 4 + 0.5, np.outer(SIDE, SIDE)[::2]),
    ),
    "flow_matching.plot_courses": call(
        {
            "lines": (SIDE / 4 + 0.5, np.outer(SIDE, SIDE)),
            "flow": (SIDE[::-1] / 4 + 0.5, np.outer(SIDE, SIDE)),
        },
        pairs=["lines"],
    ),
    "flow_matching.plot_curves": call(
        {
            "times": {"even": (X, BELL), "logit-normal": (X, BELL / 2)},
            "errors": {"even": (SIDE, SIDE + 3), "cosine": (SIDE, SIDE + 4)},
        },
        {"times": ("flow time", "density"), "errors": ("flow time", "error")},
        is_ratio=True,
    ),
    "flow_matching.plot_ends": call(
        {"before": {"1 step": POINTS, "2 steps": POINTS / 2}}
        | {"after": {"1 step": POINTS, "2 steps": POINTS / 2}}
    ),
    "flow_matching.plot_ways": call(
        {
            name: np.linspace(POINTS[:9], POINTS[9:18], 5)
            for name in ("before", "after")
        },
        POINTS,
    ),
    "forward_noising.plot_arrivals": call(
        {900: X, 500: X}, {900: X, 500: X}, ALPHA_BAR
    ),
    "forward_noising.plot_chain": call(
        {t: XT[0] for t in (0, 299, 300, 1000)}, ALPHA_BAR
    ),
    "forward_noising.plot_forgetting": call(
        [0, 300, 600, 1000], {"a": FALLING, "b": FALLING / 2}, {300: XT[0]}
    ),
    "forward_noising.plot_given_and_marginal": call(
        np.array([-1.0] * 30 + [1.0] * 70), dict.fromkeys((60, 250, 900), X), ALPHA_BAR
    ),
    "forward_noising.plot_pixel_noise": call(*RNG.normal(size=(2, 50, 8, 8)), GLYPH),
    "forward_noising.plot_step": call(POINTS, POINTS[:2], 0.3, [POINTS, -POINTS]),
    "forward_noising.plot_walks": call(
        RNG.normal(size=(1001, 3)), ALPHA_BAR - 1, 1 - ALPHA_BAR
    ),
    "gaussians.plot_box_muller": call(RNG.uniform(size=(40, 2)), POINTS),
    "gaussians.plot_densities": call(
        X, {"fit": (X, BELL), "two": (X, 2 * BELL)}, xlabel="x"
    ),
    "gaussians.plot_likelihood": call(
        X, X + 4, -np.add.outer(X**2, X**2), (0, 4), (1, 5)
    ),
    "gaussians.plot_line_up": call([0.5, 0.9], [0.0, 1.28]),
    "gaussians.plot_linear_map": call(
        POINTS, POINTS, POINTS, np.array([15, 0.25]), np.diag([9.0, 0.01])
    ),
    "gaussians.plot_pushforward": call(
        X, (X + 3) / 6, (0.5, 0.2), label="x", one=(0.6, 0.6), picture=SHEET[0]
    ),
    "gaussians.plot_two_jobs": call(X, (X, BELL), X, xlabel="x"),
    "guidance.plot_by_scale": call(
        {"bird": SPANS, "captions": {0: SPAN, 10: SPAN}},
        ylabel="share",
        top=1,
        real={"bird": 0.9, "all": 0.5},
    ),
    "guidance.plot_sharpened": call(X, BELL, X, told=BELL / 2, title="scale 3"),
    "guidance.plot_worth": call(
        X, {"it deserves": BELL, "it gets": BELL**3}, title="level 150"
    ),
    "larger_images.plot_costs": call(
        [32, 64, 128, 256],
        {"one": [1, 4, 16, 64], "two": [1, 16, 256, 4096]},
        ylabel="operations",
        num_measured=2,
    ),
    "larger_images.plot_walks": call({"pixels": SPANS, "noise": SPANS}),
    "pictures.plot_images": call(SHEET, labels="abcd", cols=3),
    "pictures.plot_pair": call({"real": X0, "made": X0}, "abcd"),
    "pictures.plot_table": call(
        {"sees": XT, "answers": X0}, "abcd", clean=["answers"], under="1234"
    ),
    "perfect_denoiser.plot_answers": call(
        POINTS,
        {"points": (POINTS, POINTS / 2), "ink": (POINTS, POINTS / 3)},
        grey=["ink"],
    ),
    "perfect_denoiser.plot_draws": call(CLOUDS),
    "pixel_space.plot_mean_and_std": call(GLYPH, np.abs(GLYPH) / 2),
    "pixel_space.plot_ranges": call({"distance": CURVES, "ink": TWO}),
    "pixel_space.plot_shift": call(
        [0, 1, 2, 3], np.outer(FALLING[::-1], FALLING), {"near": 0.5, "far": 0.9}
    ),
    "pixel_space.plot_square": call([-1, 0, 1]),
    "pixel_space.plot_two_pixels": call({"glyphs": POINTS.clip(-1, 1)}),
    "pixel_space.plot_value_histogram": call({"glyphs": X0, "noise": XT}),
    "pixel_space.plot_values": call(SHEET[0], span=(0, 255)),
    "pixel_space.plot_variance_share": call({"glyphs": FALLING, "noise": np.ones(4)}),
    "reverse_process.plot_by_level": call(LEVELS, {"error": CURVES, "loss": TWO}),
    "reverse_process.plot_clouds": call(CLOUDS),
    "reverse_process.plot_downhill": call(
        X, X**2, {"short": ([-2.0, -1.0], [4.0, 1.0]), "long": ([-2.0, 2.0], [4.0] * 2)}
    ),
    "reverse_process.plot_fit": call(
        POINTS.T, X, {"network": X / 2, "exact": X / 3}, title="after 3 steps"
    ),
    "reverse_process.plot_heldout": call(
        {"sees": XT[0], "truth": X0[0]}, LEVELS, CURVES
    ),
    "reverse_process.plot_products": call(
        {"a": ((0, 1), (3, 0.5), (2, 1 / 3)), "b": ((0, 1), (1, 1), (0.5, 0.5))},
        POINTS[:, 0],
    ),
    "reverse_process.plot_reverse": call(
        X, {s: (BELL, BELL / 2) for s in (290, 200, 50)}, 300, {1: 0.001, 100: 0.17}
    ),
    "sampling.plot_errors": call(
        {"a": {1: FALLING, 10: FALLING / 9}, "b": {1: FALLING, 5: FALLING / 4}},
        {"far": 1.5, "near": 0.2},
    ),
    "sampling.plot_ladders": call({"a": {1: X0, 10: X0}, "b": {1: X0}}, num=3),
    "schedules.plot_boxes": call(
        np.linspace(0, 1, 101),
        10 - 10 * np.linspace(0, 1, 101),
        {"two": [1.0, 0.5, 0.2], "three": [1.0, 0.5, 0.2, 0.1]},
    ),
    "schedules.plot_clouds": call(
        [
            (name, POINTS, WEIGHTS, (-3.0, 3.0, -2.0, 2.0))
            for name in ("t = 0", "t = 9")
        ],
        {"grass": [0, 2], "water": [3, 5]},
        ("x", "y"),
    ),
    "schedules.plot_ends": call(
        {"no offset": FALLING / 99, "offset": FALLING / 50},
        {"raw": (LEVELS, [50, 90, 900, np.inf]), "clipped": (LEVELS, [40, 80, 90, 99])},
        1 / 127.5,
    ),
    "schedules.plot_forgetting_rate": call({"linear": FALLING, "cosine": FALLING / 2}),
    "schedules.plot_information": call(
        LEVELS,
        (FALLING, FALLING / 9),
        (FALLING, FALLING / 9),
        {"glyphs": FALLING, "Gaussian": 2 * FALLING},
        4.0,
    ),
    "schedules.plot_loss_weights": call(
        {"even": ([-3, 0, 3], [1, 1, 1]), "less": ([-3, 0, 3], [1, 2, 0])}
    ),
    "schedules.plot_costs_per_pixel": call(
        {"a byte": (8.0, 8.0, 8.0), "glyffuser": (1.6, 1.5, 1.7)}
    ),
    "schedules.plot_paid_rates": call(
        {name: (X, BELL + k) for k, name in enumerate("abc")}, ring=(0.0, 1.0)
    ),
    "schedules.plot_prices": call(
        {"linear": {5: 40.0, 50: 2.0}, "even waste": {5: 30.0, 50: 0.5}}
    ),
    "schedules.plot_quarter_circles": call(
        {"linear": ALPHA_BAR, "cosine": ALPHA_BAR**2}, every=1
    ),
    "schedules.plot_schedules": call(
        {name: ALPHA_BAR ** (k + 1) for k, name in enumerate([*schedules.LOOKS][:3])}
    ),
    "schedules.plot_timetable": call(
        {"linear": ALPHA_BAR, "cosine": ALPHA_BAR**2},
        [1.0, -2.0, -4.0],
        [1.0, 0.5, 0.0],
        band=(-1, -3),
        every=1,
    ),
    "score_functions.plot_directions": call(
        {"left": PLACES, "right": 1 - PLACES}, PLACES, POINTS
    ),
    "score_functions.plot_factor": call(
        [1, 3], [(0.5, 0.01), (0.9, 0.02)], np.sqrt([0.0, 0.25, 0.5, 1.0])
    ),
    "score_functions.plot_fields": call(
        {name: (POINTS, k * PLACES + 0.1) for k, name in enumerate("abcd", 1)}, PLACES
    ),
    "score_functions.plot_learned": call(
        PLACES, POINTS, 1 - 3 * PLACES, 1 - 3 * PLACES.round()
    ),
    "score_functions.plot_mean_noise": call(
        {
            name: (X, BELL, {0.1: 0.3, 0.2: -0.1}, X, X / 2)
            for name in ("t = 50", "t = 200")
        }
    ),
    "score_functions.plot_shares": call(
        ["x", "y", "z", "w"], FALLING / 2, {"a": FALLING, "b": FALLING / 3}
    ),
    "score_functions.plot_slopes": call(
        X, {"a": (BELL, -(X**2), -2 * X), "b": (2 * BELL, -X, -X)}
    ),
    "score_functions.plot_vanishing": call(LEVELS, TWO, TWO),
    "score_functions.plot_walkers": call(CLOUDS, POINTS),
    "solvers.plot_likelihood": call(
        {"by the ODE": np.eye(4), "exact": 3 * np.eye(4)}, reach=2.6
    ),
    "solvers.plot_line": call((X, BELL), (SIDE, SIDE / 9), at=2),
    "solvers.plot_order": call(
        {name: (LEVELS, {"Heun": FALLING, "2M": FALLING / 2}) for name in ("a", "b")},
        {"Heun": 2, "2M": 2},
    ),
    "solvers.plot_paths": call(
        {name: np.outer(FALLING, SIDE) for name in ("ODE", "SDE")},
        {name: X for name in ("ODE", "SDE")},
        X,
        BELL,
    ),
    "solvers.plot_plane": call(
        (SIDE + 2, np.outer(SIDE, SIDE)),
        aims=[(1.0, 2.0, 0.5), (2.0, 1.0, -1.0)],
        walks={"Heun": (SIDE + 2, np.outer(SIDE, [1, -1]))},
    ),
    "solvers.plot_race": call(
        LEVELS,
        {
            "distance": {
                name: np.outer(FALLING, [1, 1.1]) for name in [*solvers.LOOKS][:3]
            },
            "kernel distance": {
                name: np.outer(FALLING, [1, 1.1]) - 0.2 for name in solvers.LOOKS
            },
        },
        differences=["kernel distance"],
    ),
    "solvers.plot_walks": call(
        {2: np.outer([0, 1, 2], SIDE), 5: np.outer(range(6), SIDE) / 2},
        (np.ones(9), np.zeros(9)),
    ),
    "text_conditioning.plot_word": call(
        {"t = 1": X0[0], "t = 9": X0[1]},
        {"t = 1": RNG.uniform(size=(4, 4)), "t = 9": RNG.uniform(size=(4, 4))},
    ),
    "text_embeddings.plot_array": call(
        PIECES, [930, 4, 1413, 1], RNG.normal(size=(4, 256)), RNG.normal(size=(6, 256))
    ),
    "text_embeddings.plot_attention": call(
        {"a": (PIECES, WEIGHTS), "b": (PIECES, np.eye(4))}, row="element"
    ),
    "text_embeddings.plot_matches": call(
        {"before": WEIGHTS, "after": np.eye(4)}, SHEET[:, 0], ["ox", "sun", "to", "be"]
    ),
    "text_embeddings.plot_pieces": call(
        {"gold": [("\u2581gold", 930), ("</s>", 1)], "a": [("\u2581a", 5)]}
    ),
    "text_embeddings.plot_senses": call("wxyz", TWO, {"a": SPAN, "b": SPAN}),
    "training.plot_average": call(
        {"raw": FALLING, "mean": FALLING / 2, "late": FALLING / 3}
    ),
    "training.plot_by_heart": call(
        LOG, [1, 3], {"low": [1.2, 1], "high": [1, 1.1]}, window=2
    ),
    "training.plot_floors": call(LEVELS, CURVES),
    "training.plot_held_out": call(
        [
            {"glyphs": g, "level": t, "captions": 0.1 + g / 1e3, "no_captions": 0.2}
            for g in (0, 100, 200)
            for t in (10, 100, 400, 700, 990)
        ]
    ),
    "training.plot_history": call(
        np.stack([SHEET, SHEET]), ["0", "3,200"], ["gold", "fish", "tree", "bird"]
    ),
    "training.plot_progress": call(
        LEVELS * 100, {"one": CURVES, "two": {"c": INTERVALS}}, marks={"one": 1.0}
    ),
    "training.plot_rewind": call(
        {"bad": X**2, "good": X**2 + 1}, {"bad": 5, "good": 3}, 2.5, window=2
    ),
    "training.plot_run": call(LOG, window=2),
    "training.plot_savings": call(
        [10, 500], {"unseen": {"then": [(0.1, 0, 0.2), (-0.1, -0.2, 0)]}}
    ),
    "training_on_a_gpu.plot_formats": call({"wide": (1, 8, 23), "short": (1, 5, 10)}),
    "training_on_a_gpu.plot_hours": call({"small": 1e15, "large": 1e17}, 2e11),
    "training_on_a_gpu.plot_memory": call(
        {
            "small": {"weights": 1e8, "activations": 3e8},
            "large": {"weights": 2e8, "activations": 9e8},
        }
    ),
    "training_on_a_gpu.plot_walks": call({"a": FALLING, "b": [1, 1, 1, 1]}),
    "unet.plot_attention": call(
        GLYPH, RNG.uniform(size=(2, 4, 4, 4, 4)), [(0, 3), (2, 1)]
    ),
    "unet.plot_channels": call(
        LEVELS, {"scale": np.stack([FALLING] * 6, 1)}, [*"abcdef"]
    ),
    "unet.plot_costs": call({"a": (30, 5), "b": (10, 15)}),
    "unet.plot_embedding": call(
        LEVELS, RNG.uniform(-1, 1, (4, 8)), {name: np.eye(4) for name in "abc"}
    ),
    "unet.plot_kernels": call(
        GLYPH, RNG.normal(size=(3, 3, 3)), RNG.normal(size=(3, 8, 8)), "abc"
    ),
    "unet.plot_norm": call(MAPS | {"8 x 8": MAPS["4 x 4"]}, 3),
    "unet.plot_pulls": call({"a": GLYPH**2, "b": np.eye(8)}, squares=[5, 3]),
    "unet.plot_u": call(
        {"in": GLYPH, "out": GLYPH}, MAPS, {"2 x 2": MAPS["4 x 4"]}, MAPS
    ),
    "when_training_fails.plot_cloud_table": call(
        {"told 0": CLOUDS, "told 1": CLOUDS}, reach=2
    ),
    "when_training_fails.plot_losses": call(
        {"good": FALLING, "wild": [1, 50, 900, 2]}, 0.25, window=2
    ),
    "whole_thing.plot_data": call(SHEET[0], POINTS),
    "whole_thing.plot_errors": call(np.linspace(1, 0.6, 400), best=0.55),
    "whole_thing.plot_drawn": call(POINTS, np.stack([POINTS[:3] * 2, POINTS[:3]])),
    "whole_thing.plot_side_by_side": call(
        dict.fromkeys("abc", POINTS), data=2 * POINTS
    ),
    "whole_thing.plot_spoilt": call(POINTS, POINTS[::-1], (0.8, 0.6), one=3),
    "whole_thing.plot_ways_home": call(
        {t: (POINTS * t / 90, -PLACES) for t in (90, 50, 10)}, PLACES
    ),
    "your_own.plot_lesson": call(
        FALLING,
        [0, 2, 4],
        {"shown": [1, 0.5, 0.2], "held back": [1, 0.6, 0.5]},
        {"shown": SPANS, "held back": SPANS},
        label="share of hits",
        chance=0.1,
    ),
}
