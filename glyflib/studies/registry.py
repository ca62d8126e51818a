"""The studies behind data/results/, by name; `glyflib data results` runs them.

Invariant: a study is a function of its subject and seed that returns its parts in
order; it computes nothing before a part is called.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Tensor

from glyflib.files import CONFIG, provenance
from glyflib.glyffuser import SHIPPED
from glyflib.lessons.stored import RESULTS, Results, load_results, save_results
from glyflib.studies.bits import bits
from glyflib.studies.common import Part, Subject
from glyflib.studies.guidance import guidance
from glyflib.studies.memorisation import memorisation
from glyflib.studies.own import own
from glyflib.studies.published import Settings, clear, published
from glyflib.studies.races import recipes, texts
from glyflib.studies.sampling import sampling
from glyflib.studies.solvers import solvers
from glyflib.studies.training import training
from glyflib.studies.words import words

Study = Callable[[Subject, int], Mapping[str, Part]]

STUDIES: dict[str, Study] = {
    "solvers": solvers,
    "sampling": sampling,
    "training": training,
    "bits": bits,
    "guidance": guidance,
    "words": words,
    "recipes": recipes,
    "texts": texts,
    "memorisation": memorisation,
    "own": own,
}


@dataclass(frozen=True)
class LongStudy:
    """A study of many hours, which is run when it is asked for by name.

    What is stored of it may be its first parts only.

    Attributes:
        parts: of a subject, a seed, the settings, the folder of the results, and one
            for what a killed part would lose.
        settings: how long it is, and by how much it is judged.
    """

    parts: Callable[[Subject, int, Settings, Path, Path], Mapping[str, Part]]
    settings: Settings


LONG = {"published": LongStudy(published, Settings())}
# New weights do not make these stale.
WITHOUT_GLYFFUSER = {"recipes", "texts", "memorisation", "published"}


def parts_of(
    name: str, subject: Subject, seed: int, folder: Path, work: Path
) -> Mapping[str, Part]:
    """The parts of a study, none of them computed yet.

    Args:
        name: of the study.
        subject: what it examines.
        seed: of all draws.
        folder: where its files lie.
        work: for what a killed part would lose.
    """
    if name in LONG:
        study = LONG[name]
        return study.parts(subject, seed, study.settings, folder, work / name)
    return STUDIES[name](subject, seed)


def forget(name: str, work: Path) -> None:
    """Remove what a study keeps for a killed part, and folders that are empty then."""
    if name not in LONG:
        return
    clear(work / name)
    for folder in (work / name, work):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def study_facts(name: str, seed: int) -> dict:
    """What makes a study: command, seed, weights of the shipped glyffuser, machine."""
    weights = None
    if name not in WITHOUT_GLYFFUSER:
        weights = json.loads((SHIPPED / CONFIG).read_text("utf-8"))["sha256"]
    facts = {
        "name": name,
        "command": f"glyflib data results {name} --seed {seed}",
        "seed": seed,
        "model": weights,
    }
    if name in LONG:  # as JSON gives them back
        facts["settings"] = json.loads(json.dumps(asdict(LONG[name].settings)))
    return facts | provenance()


def run_study(
    name: str, study: Mapping[str, Part], facts: dict, folder: Path | str = RESULTS
) -> Iterator[str]:
    """Compute the parts of a study that are missing, and keep each as it is found.

    Args:
        name: of the study.
        study: by name, in order, functions that return numbers and tensors by name.
        facts: what makes it; "seed", "model" and, where there are any, "settings"
            decide what may be gone on with.
        folder: where its files lie.

    Yields:
        the name of each part, once it is there.

    Raises:
        ValueError: If the files there are of another seed, model or settings, or
            damaged.
    """
    results = Results(dict(facts))
    if (Path(folder) / f"{name}.json").is_file():
        results = load_results(name, folder)
        check_same(name, results.facts, facts)
        results.facts.update(facts)
    for part, compute in study.items():
        if part not in results.parts:
            found = compute()
            is_tensor = {key: isinstance(value, Tensor) for key, value in found.items()}
            for key, value in found.items():
                if is_tensor[key]:
                    results.tensors[f"{part}/{key}"] = value.contiguous()
            numbers = {key: found[key] for key in found if not is_tensor[key]}
            results.parts[part] = numbers
            save_results(name, results, folder)
        yield part


def check_same(name: str, before: dict, now: dict) -> None:
    """Raise a ValueError if seed, model or settings differ: parts do not mix."""
    for key in ("seed", "model", "settings"):
        was, is_now = before.get(key), now.get(key)
        if was != is_now:
            raise ValueError(
                f"{name} was made with {key} {was}, now it is {is_now}: "
                "begin with --anew or an empty folder, or write elsewhere with --out"
            )
