"""The studies behind data/results/, by name; `glyflib data results` runs them.

Invariant: a study is a function of its seed that returns its parts in order; it
computes nothing before a part is called.
"""

import json
from collections.abc import Callable, Mapping

from glyflib.build.provenance import provenance
from glyflib.build.study_guidance import guidance
from glyflib.build.study_memorisation import memorisation
from glyflib.build.study_races import recipes, texts
from glyflib.build.study_sampling import sampling
from glyflib.build.study_solvers import solvers
from glyflib.build.study_training import training
from glyflib.build.study_words import words
from glyflib.glyffuser_files import CONFIG, SHIPPED
from glyflib.results import Part

Study = Callable[[int], Mapping[str, Part]]

STUDIES: dict[str, Study] = {
    "solvers": solvers,
    "sampling": sampling,
    "training": training,
    "guidance": guidance,
    "words": words,
    "recipes": recipes,
    "texts": texts,
    "memorisation": memorisation,
}
# New weights do not make these stale.
WITHOUT_GLYFFUSER = {"recipes", "texts", "memorisation"}


def study_facts(name: str, seed: int) -> dict:
    """What makes a study: command, seed, weights of the shipped glyffuser, machine."""
    weights = None
    if name not in WITHOUT_GLYFFUSER:
        weights = json.loads((SHIPPED / CONFIG).read_text("utf-8"))["sha256"]
    return {
        "name": name,
        "command": f"glyflib data results {name} --seed {seed}",
        "seed": seed,
        "model": weights,
        **provenance(),
    }
