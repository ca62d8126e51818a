"""Questions of chapter 3: cuts, bells on a map, islands and averages of neighbours.

Invariant: islands are joined by steps of at most STEP, as in the chapter's text.
"""

from functools import cache

import numpy as np
import torch
from scipy.sparse.csgraph import connected_components
from scipy.stats import norm
from sklearn.neighbors import radius_neighbors_graph

from glyflib.data import cheapest_cut, load_glyphs, load_map
from glyflib.lessons.glyph_groups import COMMON_RADICALS, layout_names, layout_score
from glyflib.lessons.question import Mistake, Question

STEP = 0.1
# Ink on a small picture; going down greedily is not the cheapest way.
GRID = np.array([[1, 0, 2, 4], [4, 3, 4, 1], [0, 2, 5, 1], [3, 4, 4, 1]])


def cheapest_way() -> float:
    """Ink on the cheapest cut from the top of the grid to its bottom."""
    return round(4 * 10 * cheapest_cut(GRID[None] / 10, margin=0)[0], 6)


def greedy_way() -> int:
    """Ink on the cut that starts at the least ink and always takes the next least."""
    column = int(GRID[0].argmin())
    total = GRID[0, column]
    for row in GRID[1:]:
        near = range(max(column - 1, 0), min(column + 2, len(row)))
        column = min(near, key=lambda place: row[place])
        total += row[column]
    return int(total)


def straight_way() -> int:
    """Ink on the cheapest cut that never moves sideways."""
    return int(GRID.sum(axis=0).min())


def least_everywhere() -> int:
    """The least ink of each row, wherever it is."""
    return int(GRID.min(axis=1).sum())


def ratio_of_heights(width: float = 1.0) -> float:
    """Density at 0 over that at 3, of bells at 0, 0 and 3."""
    points = np.array([0.0, 0.0, 3.0])
    return (norm.pdf(0, points, width).sum() / norm.pdf(3, points, width).sum()).item()


@cache  # checking an answer asks for it more than once
def islands() -> np.ndarray:
    """The island of each glyph, 0 for the largest."""
    points = load_map(load_glyphs("all", 32).codepoints).numpy()
    _, island = connected_components(radius_neighbors_graph(points, STEP))
    order = np.argsort(-np.bincount(island), kind="stable")
    return np.argsort(order)[island]


def islands_of_metal(at_least: int = 100) -> int:
    """How many islands have many glyphs of the metal radical."""
    number, _ = COMMON_RADICALS["metal"]
    is_metal = load_glyphs("all", 32).radicals.numpy() == number
    return int((np.bincount(islands()[is_metal]) >= at_least).sum())


def strays(island: int, layout: str) -> int:
    """How many glyphs of an island have a layout."""
    names = layout_names(layout_score(load_glyphs("all", 32).images))
    return int((names[islands() == island] == layout).sum())


def grey_share(count: int, char: str = "明") -> float:
    """Share of grey pixels in the average of the glyphs nearest on the map."""
    glyphs = load_glyphs("all")
    points = load_map(glyphs.codepoints)
    place = points[glyphs.find(char)]
    nearest = torch.cdist(place, points)[0].argsort()[:count]
    mean = glyphs.images[nearest].float().mean(dim=0)
    return ((mean > 51) & (mean < 204)).double().mean().item()


def next_row(cost: np.ndarray, ink_row: np.ndarray) -> np.ndarray:
    """The cheapest ways one row further down, by the cheapest ways so far."""
    left = np.append(np.inf, cost[:-1])
    right = np.append(cost[1:], np.inf)
    return ink_row + np.minimum(cost, np.minimum(left, right))


def straight_row(cost: np.ndarray, ink_row: np.ndarray) -> np.ndarray:
    """The same if no cut ever moves sideways."""
    return ink_row + cost


def wrapped_row(cost: np.ndarray, ink_row: np.ndarray) -> np.ndarray:
    """The same on a picture whose left and right side are joined."""
    sides = np.minimum(np.roll(cost, 1), np.roll(cost, -1))
    return ink_row + np.minimum(cost, sides)


def some_rows() -> tuple[np.ndarray, np.ndarray]:
    """A row of costs and one of ink; the ends of both matter."""
    cost = np.array([0.1, 2.0, 3.0, 2.5, 2.2, 1.9])
    return cost, np.array([0.5, 0.0, 1.0, 0.2, 0.3, 0.4])


QUESTIONS = {
    "map-cut": Question(
        right=cheapest_way,
        because=lambda right: (
            f"2 + 1 + 1 + 1 = {right:g}. Starting at the 0 looks cheaper, and ends "
            f"with {greedy_way()}."
        ),
        mistakes=(
            Mistake(
                greedy_way,
                "That is where the cheapest *start* leads. Try to pay more at first.",
            ),
            Mistake(straight_way, "That cut goes straight down. It may move sideways."),
            Mistake(
                least_everywhere,
                "Those pixels do not hang together: one pixel sideways a row at most.",
            ),
        ),
        hint="Add the four numbers on the way, one from each row.",
    ),
    "map-heights": Question(
        right=ratio_of_heights,
        because=lambda right: (
            f"two bells against one makes 2; the tails of the others make it "
            f"{right:.2f}."
        ),
        tolerance=0.04,
        mistakes=(
            Mistake(
                lambda: 1 / ratio_of_heights(),
                "That is the height at 3 over that at 0.",
            ),
            Mistake(lambda: 4, "The heights of bells add up, they do not multiply."),
        ),
        hint="How many bells have their top at 0, and how many at 3?",
    ),
    "map-metal": Question(
        right=islands_of_metal,
        because=lambda right: (
            f"{right} islands hold most of them: one has the traditional form of the "
            "radical, the other the simplified one."
        ),
        mistakes=(
            Mistake(lambda: 1, "Look once more: is all of it in one place?"),
            Mistake(lambda: 3, "Count large patches only, not scattered dots."),
        ),
        hint="Colour the map by radical, and press *metal* below it.",
    ),
    "map-strays": Question(
        right=lambda: strays(1, "left-right"),
        because=lambda right: (
            f"{right} glyphs on the island of the top-bottom glyphs fall apart more "
            "easily into left and right."
        ),
        mistakes=(
            Mistake(
                lambda: strays(1, "top-bottom"),
                "Those are at home there. The others are asked for.",
            ),
            Mistake(
                lambda: strays(0, "top-bottom"),
                "Those are the strays on the *largest* island.",
            ),
        ),
        hint="Both must hold: the island is the second largest, and the layout is "
        "`left-right`. The step of the islands must be 0.1.",
    ),
    "map-grey": Question(
        right=lambda: grey_share(15),
        because=lambda right: (
            f"{right:.0%} of the pixels are grey, where the average of three has "
            f"{grey_share(3):.0%}."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: grey_share(3),
                "That is the average of three. Put 15 in its place, and run both.",
            ),
        ),
        hint="Change `count` to 15, and run its cell: it prints the share.",
    ),
    "map-row": Question(
        right=lambda: next_row,
        because="each pixel takes the cheapest of the three ways that lead to it.",
        tolerance=1e-6,
        mistakes=(
            Mistake(
                lambda: straight_row,
                "That cut goes straight down. It may come from the left or the right.",
            ),
            Mistake(
                lambda: wrapped_row,
                "At the edge, `np.roll` brings in the cost of the other edge.",
            ),
        ),
        hint="New cost = ink + the least of three old costs: left, above, right.",
        given=some_rows,
    ),
}
