"""Three islands of the map of glyphs, and walkers who look for them.

Chapter 8 takes each island for one Gaussian, so that every arrow is known exactly.
Invariant: the whole map is shifted and scaled as one, to mean 0 and spread 1.
"""

from collections.abc import Callable, Iterable, Iterator

import torch
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from torch import Tensor

from glyflib.data import Glyphs, load_map
from glyflib.exact import GaussianMixture

STEP = 0.1  # how far apart neighbours on an island may lie, on the map as it is stored
MEMBERS = {"stacked": "草", "mouth": "呢", "water": "油"}  # one glyph of each island

Score = Callable[[Tensor, Tensor], Tensor]


def reachable(places: Tensor, step: float) -> Tensor:
    """Number the islands (N,) on which places (N, 2) lie: as far as steps lead."""
    first, second = cKDTree(places.numpy()).query_pairs(step, output_type="ndarray").T
    graph = coo_matrix((first >= 0, (first, second)), shape=(len(places),) * 2)
    return torch.from_numpy(connected_components(graph, directed=False)[1])


def scaled_map(glyphs: Glyphs) -> Tensor:
    """Places (N, 2) of glyphs on the map, float64, of mean 0 and spread 1."""
    places = load_map(glyphs.codepoints).double()
    places = places - places.mean(0)
    return places / places.std()


def find_islands(glyphs: Glyphs) -> dict[str, Tensor]:
    """Rows of the glyphs on each of three islands of the map.

    Args:
        glyphs: all glyphs of the map.

    Returns:
        "stacked", "mouth", "water" -> rows (n,), rising.
    """
    island = reachable(load_map(glyphs.codepoints), STEP)
    return {
        name: (island == island[glyphs.find(char)[0]]).nonzero()[:, 0]
        for name, char in MEMBERS.items()
    }


def as_gaussians(islands: Iterable[Tensor], alpha_bar: Tensor) -> GaussianMixture:
    """A mixture with one Gaussian for each island, by its share of the places.

    Args:
        islands: places (n, 2) of each island, floating.
        alpha_bar: (T + 1,) schedule.
    """
    islands = list(islands)
    shares = torch.tensor([len(places) for places in islands], dtype=torch.float64)
    means = torch.stack([places.mean(0) for places in islands])
    covs = torch.stack([torch.cov(places.T) for places in islands])
    return GaussianMixture(shares, means, covs, alpha_bar)


def walk(
    x: Tensor,
    levels: Iterable[int],
    score: Score,
    alpha_bar: Tensor,
    *,
    generator: torch.Generator,
    length: float = 0.2,
) -> Iterator[Tensor]:
    """Let walkers take Langevin steps, one at each of the levels.

    Args:
        x: (B, D) where they start.
        levels: of the arrows that they follow, in [1, T].
        score: arrows (B, D) at places (B, D), given one level.
        alpha_bar: (T + 1,) schedule.
        generator: CPU source of the shaking.
        length: of a step, in units of the level's noise variance.

    Yields:
        (B, D) where they are after each step.

    References:
        Song and Ermon 2019, Eq. 4; with falling levels, Algorithm 1.
    """
    for t in levels:
        h = length * (1 - alpha_bar[t]).item()
        z = torch.randn(x.shape, generator=generator, dtype=x.dtype)
        x = x + h * score(x, torch.tensor(t)) + (2 * h) ** 0.5 * z
        yield x
