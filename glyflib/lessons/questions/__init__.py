"""The questions of each chapter's exercises: a module a chapter, its QUESTIONS by name.

    QUESTIONS = {
        "whole-landing": Question(
            right=lambda: landing(level=50),  # computed, never a literal
            because="the point shrinks, then the push is added.",
            tolerance=0.02,
            mistakes=(Mistake(lambda: unshrunk(level=50), "Shrink the point first."),),
        ),
    }

What it takes to compute the right value comes from the root of the package, or is a
small function beside the questions; nothing is computed until an answer is checked.
"""
