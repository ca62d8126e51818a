"""Sphinx: old addresses lead to where their subject stands today.

Each old page becomes a small one that forwards at once, from a web server and from a
file, the place in the page included; a page that stayed sends on who asks for a place
that left it. Invariant: a target that does not exist fails the
build's warnings.
"""

import json
from html import escape
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)

# Old page -> new page. A place ("old_page#place") that went elsewhere has its own line,
# also where the page itself stayed.
MOVED = {
    "07_score_functions": "08_score_functions",
    "08_unet": "09_unet",
    "09_training": "10_training",
    "10_sampling": "12_sampling",
    "11_solvers": "13_solvers",
    "12_conditional_distributions": "14_conditional_distributions",
    "13_text_embeddings": "15_text_embeddings",
    "14_text_conditioning": "16_text_conditioning",
    "15_guidance": "17_guidance",
    "16_evaluation": "18_evaluation",
    "17_larger_images": "20_larger_images",
    "10_sampling#fig-sampling-frechet": "18_evaluation#equation-eq-evaluation-frechet",
    "10_sampling#equation-eq-sampling-frechet": (
        "18_evaluation#equation-eq-evaluation-frechet"
    ),
    "10_sampling#fig-sampling-ranges": "12_sampling#fig-sampling-between",
    "10_sampling#equation-eq-sampling-step": (
        "06_reverse_process#equation-eq-reverse-step"
    ),
    "10_sampling#equation-eq-sampling-magnified": (
        "12_sampling#equation-eq-sampling-clip"
    ),
    "10_sampling#ex-sampling-levels": "12_sampling#ex-sampling-stairs",
    "04_forward_noising#equation-eq-noising-posterior": (
        "06_reverse_process#equation-eq-reverse-beta"
    ),
    "07_score_functions#fig-score-factor": "claims#fig-claims-factor",
    "07_score_functions#fig-score-vanishing": "claims#fig-claims-vanishing",
    "07_score_functions#fig-score-recipe": "claims#fig-claims-vanishing",
    "claims#fig-claims-recipe": "claims#fig-claims-vanishing",
    "claims#fig-claims-shares": "16_text_conditioning#fig-words-counts",
    "07_score_functions#fig-score-learned": "07_perfect_denoiser#fig-perfect-floor",
    "07_score_functions#equation-eq-score-loss": (
        "08_score_functions#equation-eq-score-noise"
    ),
    "07_score_functions#equation-eq-score-split": (
        "07_perfect_denoiser#equation-eq-perfect-floor"
    ),
    "07_score_functions#equation-eq-score-tweedie": (
        "08_score_functions#equation-eq-score-noise"
    ),
    "06_reverse_process#ex-reverse-lie": "07_perfect_denoiser#ex-perfect-lie",
    "06_reverse_process#fig-reverse-plane": "07_perfect_denoiser#fig-perfect-plane",
    "06_reverse_process#fig-reverse-glyphs": "07_perfect_denoiser#fig-perfect-glyphs",
    "06_reverse_process#fig-reverse-candidates": (
        "07_perfect_denoiser#fig-perfect-candidates"
    ),
    "06_reverse_process#fig-reverse-floor": "07_perfect_denoiser#fig-perfect-floor",
    "06_reverse_process#fig-reverse-sampling": "07_perfect_denoiser#fig-perfect-film",
    "06_reverse_process#fig-reverse-heldout": "07_perfect_denoiser#fig-perfect-unseen",
    "06_reverse_process#fig-reverse-clouds": "07_perfect_denoiser#fig-perfect-clouds",
    "06_reverse_process#equation-eq-reverse-ideal": (
        "07_perfect_denoiser#equation-eq-perfect-mean"
    ),
    "06_reverse_process#equation-eq-reverse-candidates": (
        "07_perfect_denoiser#equation-eq-perfect-candidates"
    ),
    "08_unet#fig-unet-field": "inside_the_unet#fig-inside-field",
    "08_unet#fig-unet-stem": "inside_the_unet#fig-inside-stem",
    "08_unet#fig-unet-without": "09_unet#fig-unet-cuts",
    "08_unet#fig-unet-norm": "inside_the_unet#fig-inside-norm",
    "08_unet#fig-unet-scales": "inside_the_unet#fig-inside-scales",
    "08_unet#fig-unet-cost": "inside_the_unet#fig-inside-cost",
    "08_unet#equation-eq-unet-field": "inside_the_unet#equation-eq-inside-field",
    "08_unet#equation-eq-unet-norm": "inside_the_unet#equation-eq-inside-norm",
    "08_unet#equation-eq-unet-similarity": "09_unet#fig-unet-embedding",
    "08_unet#ex-unet-patch": "inside_the_unet#ex-inside-patch",
    "08_unet#ex-unet-order": "inside_the_unet#ex-inside-order",
    "11_solvers#fig-solver-walks": "more_solvers#fig-more-walks",
    "11_solvers#fig-solver-order": "exact_solvers#fig-exact-order",
    "11_solvers#fig-solver-film": "more_solvers#fig-more-film",
    "11_solvers#fig-solver-likelihood": "exact_solvers#fig-exact-likelihood",
    "11_solvers#equation-eq-solver-forward": "more_solvers#equation-eq-more-forward",
    "11_solvers#equation-eq-solver-song": "more_solvers#equation-eq-more-sde",
    "11_solvers#equation-eq-solver-back": "more_solvers#equation-eq-more-back",
    "11_solvers#equation-eq-solver-sde": "more_solvers#equation-eq-more-reverse",
    "11_solvers#equation-eq-solver-data": "more_solvers#equation-eq-more-data",
    "11_solvers#equation-eq-solver-constant": "13_solvers#equation-eq-solver-share",
    "11_solvers#equation-eq-solver-sde2m": "more_solvers#equation-eq-more-sde2m",
    "11_solvers#equation-eq-solver-divergence": (
        "exact_solvers#equation-eq-exact-divergence"
    ),
    "11_solvers#ex-solver-zero": "exact_solvers#ex-exact-zero",
    "11_solvers#ex-solver-shake": "more_solvers#ex-more-shake",
    "16_evaluation#equation-eq-evaluation-kernel": (
        "18_evaluation#ex-evaluation-kernel"
    ),
    "16_evaluation#ex-evaluation-moments": "18_evaluation#ex-evaluation-kernel",
    "16_evaluation#ex-evaluation-few": "18_evaluation#ex-evaluation-draws",
    "17_larger_images#fig-larger-named": "20_larger_images#fig-larger-noise",
    "17_larger_images#fig-larger-trust": "20_larger_images#ex-larger-trust",
    "17_larger_images#fig-larger-sheet": "20_larger_images#fig-larger-live",
    "17_larger_images#fig-larger-sizes": "20_larger_images#fig-larger-squeeze",
    "17_larger_images#fig-larger-latents": ("20_larger_images#fig-larger-latent-noise"),
    "17_larger_images#equation-eq-larger-twice": "20_larger_images#ex-larger-mean",
    "bits_and_bounds#what-the-simple-loss-counts": (
        "what_the_loss_counts#what-the-simple-loss-counts"
    ),
    "bits_and_bounds#what-a-new-glyph-costs": (
        "what_the_loss_counts#what-a-new-glyph-costs"
    ),
    "bits_and_bounds#from-greys-to-points": "what_the_loss_counts#from-greys-to-points",
    "bits_and_bounds#the-curve-counts-bits-too": (
        "what_the_loss_counts#the-curve-counts-bits-too"
    ),
    "bits_and_bounds#the-glyffuser-s-price": (
        "what_the_loss_counts#the-glyffuser-s-price"
    ),
    "bits_and_bounds#the-same-loss-in-another-language": (
        "what_the_loss_counts#the-same-loss-in-another-language"
    ),
    "bits_and_bounds#fig-bits-weights": "what_the_loss_counts#fig-loss-weights",
    "bits_and_bounds#fig-bits-costs": "what_the_loss_counts#fig-loss-costs",
    "bits_and_bounds#fig-bits-where": "what_the_loss_counts#fig-loss-where",
    "bits_and_bounds#equation-eq-bits-integral": (
        "what_the_loss_counts#equation-eq-loss-integral"
    ),
    "bits_and_bounds#equation-eq-bits-evenly": (
        "what_the_loss_counts#equation-eq-loss-evenly"
    ),
    "bits_and_bounds#equation-eq-bits-first": (
        "what_the_loss_counts#equation-eq-loss-first"
    ),
    "bits_and_bounds#equation-eq-bits-trace": (
        "what_the_loss_counts#equation-eq-loss-trace"
    ),
    "bits_and_bounds#equation-eq-bits-curve": (
        "what_the_loss_counts#equation-eq-loss-curve"
    ),
    "bits_and_bounds#equation-eq-bits-signs": (
        "what_the_loss_counts#equation-eq-loss-signs"
    ),
    "bits_and_bounds#equation-eq-bits-edm": "what_the_loss_counts#equation-eq-loss-edm",
    "bits_and_bounds#ex-bits-eps": "what_the_loss_counts#ex-loss-eps",
    "bits_and_bounds#ex-bits-share": "what_the_loss_counts#ex-loss-share",
    "bits_and_bounds#ex-bits-paper": "what_the_loss_counts#ex-loss-paper",
    "16_text_conditioning#hearts": "what_words_bring#hearts",
    "16_text_conditioning#two-ideas-at-once": "what_words_bring#two-ideas-at-once",
    "16_text_conditioning#a-word-that-was-not-heard": (
        "what_words_bring#a-word-that-was-not-heard"
    ),
    "16_text_conditioning#fig-words-heart": "what_words_bring#fig-bring-heart",
    "16_text_conditioning#fig-words-two": "what_words_bring#fig-bring-two",
    "more_solvers#how-fast-does-the-error-fall": (
        "exact_solvers#how-fast-does-the-error-fall"
    ),
    "more_solvers#a-trap": "exact_solvers#a-trap",
    "more_solvers#a-race-of-five": "exact_solvers#a-race-of-five",
    "more_solvers#how-likely-is-a-point": "exact_solvers#how-likely-is-a-point",
    "more_solvers#fig-more-order": "exact_solvers#fig-exact-order",
    "more_solvers#fig-more-sheet": "exact_solvers#fig-exact-sheet",
    "more_solvers#fig-more-race": "exact_solvers#fig-exact-race",
    "more_solvers#fig-more-likelihood": "exact_solvers#fig-exact-likelihood",
    "more_solvers#equation-eq-more-divergence": (
        "exact_solvers#equation-eq-exact-divergence"
    ),
    "more_solvers#ex-more-order": "exact_solvers#ex-exact-order",
    "more_solvers#ex-more-stretch": "exact_solvers#ex-exact-stretch",
    "more_solvers#ex-more-zero": "exact_solvers#ex-exact-zero",
    "18_evaluation#what-makes-a-copier": "copiers#five-networks",
    "18_evaluation#fig-evaluation-pairs": "copiers#fig-copier-pairs",
    "18_evaluation#fig-evaluation-sizes": "copiers#fig-copier-sizes",
    "18_evaluation#fig-evaluation-four": "copiers#fig-copier-four",
}

# In a page that stayed: leave for the new page if a place is asked for that went there.
LEAVE = """
(() => {{
  const places = {places};
  const leave = () => {{
    const target = places[location.hash.slice(1)];
    if (target) location.replace(target);
  }};
  leave();
  window.addEventListener("hashchange", leave);
}})();
"""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Moved</title>
<meta name="robots" content="noindex">
<noscript><meta http-equiv="refresh" content="0; url={address}"></noscript>
<script>
const places = {places};
const place = location.hash.slice(1);
location.replace(places[place] ?? {quoted} + location.hash);
</script>
<p>This page has moved: <a href="{address}">{address}</a></p>
</html>
"""


def address(target: str) -> str:
    """A page's address, seen from its neighbours: "09_unet#a" -> "09_unet.html#a"."""
    page, mark, place = target.partition("#")
    return f"{page}.html{mark}{place}"


def places_of(page: str) -> dict[str, str]:
    """Where the places of an old page are found today, if not under its own name."""
    return {
        name.partition("#")[2]: address(target)
        for name, target in MOVED.items()
        if name.startswith(f"{page}#")
    }


def leave(app: Sphinx, pagename: str, *_: object) -> None:
    """Give a page that stayed a script for its places that moved.

    Args:
        app: the builder.
        pagename: of the page that is about to be written.
    """
    places = places_of(pagename)
    if places:
        app.add_js_file(None, body=LEAVE.format(places=json.dumps(places)))


def forward(app: Sphinx, error: Exception | None) -> None:
    """Write a page that forwards for each old page of `MOVED`.

    Args:
        app: the builder.
        error: what stopped the build; None if nothing did.
    """
    if error or app.builder.format != "html":
        return
    pages = app.env.found_docs
    for target in MOVED.values():
        if target.partition("#")[0] not in pages:
            logger.warning("moved.py forwards to %s, which does not exist", target)
    for old, new in MOVED.items():
        if "#" in old:
            continue
        if old in pages:
            logger.warning("moved.py forwards from %s, which exists", old)
            continue
        page = PAGE.format(
            address=escape(address(new)),
            quoted=json.dumps(address(new)),
            places=json.dumps(places_of(old)),
        )
        (Path(app.outdir) / f"{old}.html").write_text(page, "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Run when a page is about to be written, and when all are."""
    app.connect("html-page-context", leave)
    app.connect("build-finished", forward)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
