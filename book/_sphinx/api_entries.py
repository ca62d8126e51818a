"""Sphinx: which entries the API pages have, their text, and links from Markdown.

Invariant: an entry's address is its full name, `api.md#glyflib.schedule.add_noise`,
so that a link to a function that is gone fails the build.
"""

import ast
import re
from dataclasses import is_dataclass
from inspect import getsource, isdatadescriptor
from textwrap import dedent

from docutils.nodes import Element, reference
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode


def is_left_out(
    app: Sphinx, what: str, name: str, found: object, skip: bool, options: dict
) -> bool | None:
    """Whether autodoc passes over a member; None leaves it to autodoc.

    Checks of arguments (`check_…`) are left out. So are the fields of named tuples, and
    those of data classes with a type as their default: their class describes them.
    """
    is_field = isdatadescriptor(found) and type(found).__name__ == "_tuplegetter"
    is_default = what == "class" and isinstance(found, type)
    return True if is_field or is_default or name.startswith("check_") else None


class LastParts(ast.NodeTransformer):
    """Types by the last part of their names, without quotes: `nn.Module` is Module."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """A name with dots."""
        return ast.Name(node.attr)

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """A name in quotes; None and ... stay."""
        if not isinstance(node.value, str):
            return node
        return self.visit(ast.parse(node.value, mode="eval").body)


def arguments_of(node: ast.FunctionDef, *, is_bound: bool) -> str:
    """What stands between the brackets of a function, less `self` or `cls`."""
    if is_bound:
        del node.args.args[0]
    for argument in ast.walk(node.args):
        if isinstance(argument, ast.arg) and argument.annotation:
            argument.annotation = LastParts().visit(argument.annotation)
    return ast.unparse(node.args)


def fields_of(node: ast.ClassDef) -> str:
    """The fields of a data class or named tuple as arguments of its constructor.

    A field that is made anew for each object shows the call that makes it; one that
    the constructor does not take is left out.
    """
    shown = []
    for line in node.body:
        if not isinstance(line, ast.AnnAssign):
            continue
        default, options = line.value, {}
        if isinstance(default, ast.Call) and ast.unparse(default.func) == "field":
            options = {option.arg: option.value for option in default.keywords}
            default = options.get("default")
        if "init" in options:
            continue
        text = f"{line.target.id}: {ast.unparse(LastParts().visit(line.annotation))}"
        if "default_factory" in options:
            text += f" = {ast.unparse(options['default_factory'])}()"
        shown.append(f"{text} = {ast.unparse(default)}" if default else text)
    return ", ".join(shown)


def as_written(what: str, found: object) -> tuple[str, str | None]:
    """Arguments and returned type of a function, method or class, as in its source.

    So names of types (`PredictEps`) and of constants (`IMAGE_SIZE`) are seen, not what
    they stand for.
    """
    if what == "class":
        if is_dataclass(found) or hasattr(found, "_fields"):
            return fields_of(ast.parse(dedent(getsource(found))).body[0]), None
        found = found.__init__
    node = ast.parse(dedent(getsource(found))).body[0]
    returns = LastParts().visit(node.returns) if node.returns else None
    arguments = arguments_of(node, is_bound=what in ("class", "method"))
    return arguments, None if what == "class" or not returns else ast.unparse(returns)


def write_signature(
    app: Sphinx,
    what: str,
    name: str,
    found: object,
    options: dict,
    arguments: str | None,
    returns: str | None,
) -> tuple[str, str | None] | None:
    """Show a signature as it is written; None leaves it to autodoc."""
    is_plain = what == "class" and not (
        is_dataclass(found) or hasattr(found, "_fields") or "__init__" in vars(found)
    )
    if what not in ("function", "method", "class") or is_plain:
        return None
    written, returned = as_written(what, found)
    return f"({written})", returned


def keep_signs(
    app: Sphinx, what: str, name: str, found: object, options: dict, lines: list[str]
) -> None:
    """Let |x| and (B, *shape) stand in a docstring as they are, not as markup."""
    lines[:] = [re.sub(r"[|*]", r"\\\g<0>", line) for line in lines]


def link_short_name(
    app: Sphinx, env: BuildEnvironment, node: Element, contnode: Element
) -> reference | None:
    """Link `Glyffuser` or `Glyffuser.load` from another module than its own.

    Only names that begin with a capital, and that one entry alone ends in.
    """
    target = node.get("reftarget", "")
    if node.get("refdomain") != "py" or not target[:1].isupper():
        return None
    entries = env.get_domain("py").objects
    found = [name for name in entries if name.endswith(f".{target}")]
    if len(found) != 1:
        return None
    entry, where = entries[found[0]], node["refdoc"]
    place = entry.docname, entry.node_id
    return make_refnode(app.builder, where, *place, contnode, found[0])


def give_addresses(app: Sphinx, env: BuildEnvironment) -> None:
    """Let Markdown links reach Python objects as they reach headings."""
    for name, entry in env.get_domain("py").objects.items():
        slugs = env.metadata[entry.docname].setdefault("myst_slugs", {})
        slugs[name] = (0, entry.node_id, name)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect them with Sphinx; signs are kept before napoleon adds its markup."""
    app.connect("autodoc-skip-member", is_left_out)
    app.connect("autodoc-process-signature", write_signature)
    app.connect("autodoc-process-docstring", keep_signs, priority=400)
    app.connect("missing-reference", link_short_name)
    app.connect("env-updated", give_addresses)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
