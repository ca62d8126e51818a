"""Sphinx: which entries the API pages have, their text, and links from Markdown.

Invariant: an entry's address is its full name, `api.md#glyflib.schedule.add_noise`,
so that a link to a function that is gone fails the build.
"""

import re
from inspect import isdatadescriptor

from sphinx.application import Sphinx


def is_left_out(
    app: Sphinx, what: str, name: str, found: object, skip: bool, options: dict
) -> bool | None:
    """Whether autodoc passes over a member; None leaves it to autodoc.

    Checks of arguments (`check_…`) are left out. So are the fields of named tuples,
    which their class describes.
    """
    is_field = isdatadescriptor(found) and type(found).__name__ == "_tuplegetter"
    return True if is_field or name.startswith("check_") else None


def keep_signs(
    app: Sphinx, what: str, name: str, found: object, options: dict, lines: list[str]
) -> None:
    """Let |x| and (B, *shape) stand in a docstring as they are, not as markup."""
    lines[:] = [re.sub(r"[|*]", r"\\\g<0>", line) for line in lines]


def give_addresses(app: Sphinx, env) -> None:
    """Let Markdown links reach Python objects as they reach headings."""
    for name, entry in env.get_domain("py").objects.items():
        slugs = env.metadata[entry.docname].setdefault("myst_slugs", {})
        slugs[name] = (0, entry.node_id, name)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect them with Sphinx; signs are kept before napoleon adds its markup."""
    app.connect("autodoc-skip-member", is_left_out)
    app.connect("autodoc-process-docstring", keep_signs, priority=400)
    app.connect("env-updated", give_addresses)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
