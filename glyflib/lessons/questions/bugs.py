"""Questions of the museum of bugs: what is left of the signal."""

from glyflib.lessons.question import Mistake, Question


def signal_left(*betas: float) -> float:
    """The factor by which steps of such variances multiply the signal."""
    kept = 1.0
    for beta in betas:
        kept *= 1 - beta
    return kept**0.5


QUESTIONS = {
    "bugs-end": Question(
        right=lambda: signal_left(0.5, 0.02),
        because=lambda right: (
            f"the shares of variance multiply, and the factor of the signal is the "
            f"root of the product, {right:g}."
        ),
        tolerance=5e-3,
        mistakes=(
            Mistake(
                lambda: signal_left(0.5, 0.02) ** 2,
                "That is the share of the *variance*. The root is missing, as in the "
                "first exhibit.",
            ),
            Mistake(
                lambda: 0.5 * 0.02,
                "These are the shares of noise. What is *left* of the signal?",
            ),
        ),
    ),
}
