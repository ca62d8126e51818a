"""Every page of the built site against the rules of axe-core, in light and in dark.

axe-core (Deque Systems, Mozilla Public License 2.0) comes inside of the package
axe-playwright-python; nothing of it is copied here. Rules about colours are asked of one
text for each pair of colours and size that a page has, in both schemes; all other rules
of the whole page once.
"""

from importlib.resources import files

import pytest
from test_site import read_pages, serve

# Folds are opened, so that what they hold is looked at; nothing moves meanwhile.
PREPARE = """() => {
  document.querySelectorAll("details").forEach((fold) => { fold.open = true; });
  const still = document.createElement("style");
  still.textContent = "* { transition: none !important; animation: none !important; }";
  document.head.append(still);
}"""
ASK = """async ([element, rules]) => {
  const options = { resultTypes: ["violations"], preload: false, rules };
  const told = await axe.run(element ?? document, options);
  return told.violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => ({ rule: id, place: node.target.join(" "), html: node.html })));
}"""
# One element for each kind of text: what it looks like, and on which ground.
ASK_COLOURS = """async (scheme) => {
  Object.assign(document.documentElement.dataset, { theme: scheme, mode: scheme });
  const ground = (e) => {
    const found = [];
    for (; e; e = e.parentElement) {
      const { backgroundColor, backgroundImage, opacity } = getComputedStyle(e);
      found.push(opacity, backgroundImage);
      if (backgroundColor === "rgba(0, 0, 0, 0)") continue;
      found.push(backgroundColor);
      if (!backgroundColor.startsWith("rgba")) break;
    }
    return found.filter((x) => x !== "1" && x !== "none").join();
  };
  const kinds = new Map();
  for (const e of document.body.querySelectorAll("*")) {
    const has = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!has || !e.checkVisibility({ visibilityProperty: true })) continue;
    const { color, fontSize, fontWeight } = getComputedStyle(e);
    const kind = [color, fontSize, fontWeight, ground(e)].join("|");
    if (!kinds.has(kind)) kinds.set(kind, e);
  }
  const options = { runOnly: ["color-contrast"], preload: false };
  const told = await axe.run({ include: [...kinds.values()] }, options);
  return [...told.violations].flatMap(({ id, nodes }) => nodes.map((node) =>
    ({ rule: id, place: node.target.join(" "), html: node.html,
       why: node.any[0]?.message })));
}"""


def axe_source():
    """The text of axe-core."""
    return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")


def told_of(page, source):
    """What axe-core tells of an open page."""
    page.evaluate(PREPARE)
    page.evaluate(source)
    found = page.evaluate(ASK, [None, {"color-contrast": {"enabled": False}}])
    for scheme in ("light", "dark"):
        told = page.evaluate(ASK_COLOURS, scheme)
        found += [{**one, "rule": f"{one['rule']} {scheme}"} for one in told]
    return found
