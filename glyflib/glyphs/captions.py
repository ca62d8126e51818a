"""Turn Unihan definitions into captions: a short list of named, ordered rules.

Invariant: a caption is plain ASCII English that says what the character means, and
nothing about which other character it is written like.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import NamedTuple

CJK = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3100-\u312f\u31c0-\u31ef"
    "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
# Another character, or several: by itself, by code point, or both.
REF = rf"(?:U\+?[0-9A-Fa-f]{{4,5}}\b|[{CJK}])"
REFS = rf"{REF}(?:(?:\s|,\s?|\s?=\s?|\bor\b|\band\b)*{REF})*"
INNER = r"[^()]*"
KIND = (
    r"(?:archaic|ancient|abbreviated|alternate|accounting|compound|corrupt(?:ed)?|"
    r"incorrect|large seal|non-?\s?classical|non-?standard|old|original|seal type|"
    r"simple|simplified|standard|traditional|variant)"
)
LINK = (
    rf"(?:(?:an?|the)\s+)?(?:{KIND}[\s,]+)*"
    r"(?:(?:form|variant|simplification|ideograph|equivalent|name|synonym)\s+(?:of|for)"
    r"|same as|equivalent to|known as|component in|used \(erroneously\) for|used for"
    r"|not to be confused with|interchangeable(?: with)?)"
)
NOTES = r"(?:form|variant|simplification)"
SMALL = (
    r"(?:a|also|an|another|and|as|by|equivalent|etc\.|for|from|in|of|or|sometimes|"
    r"the|to|used|with)"
)
ASCII = str.maketrans(
    {"“": '"', "”": '"', "‘": "'", "’": "'", "—": "--", "–": "-", "λ": "lambda"}
)


class Rule(NamedTuple):
    """One step of cleaning.

    Attributes:
        name: in one word.
        purpose: what it is for, with an example.
        apply: from a text to the text without what the rule is against.
    """

    name: str
    purpose: str
    apply: Callable[[str], str]


def drop(pattern: str, into: str = "", flags: int = 0) -> Callable[[str], str]:
    """A function that replaces every match of the pattern."""
    regex = re.compile(pattern, flags)
    return lambda text: regex.sub(into, text)


def balance_brackets(text: str) -> str:
    """Remove each round bracket that has no partner."""
    unmatched, open_at = set(), []
    for i, char in enumerate(text):
        if char == "(":
            open_at.append(i)
        elif char == ")" and open_at:
            open_at.pop()
        elif char == ")":
            unmatched.add(i)
    unmatched.update(open_at)
    return "".join(c for i, c in enumerate(text) if i not in unmatched)


def drop_bracketed_references(text: str) -> str:
    """Remove "(same as U+4E18 丘)"; what follows it is a sense of its own."""
    named = r"(?:\b(?:be known as|also called|old translation of)\s+)?"
    text = re.sub(rf"\({INNER}(?:same|form|inter){INNER}{REF}{INNER}\)", ", ", text)
    return re.sub(rf"{named}\({INNER}{REF}{INNER}\)", "", text)


def referred_to(definition: str) -> set[str]:
    """The characters that a definition calls itself "same as" or a "form of".

    Args:
        definition: of Unihan, which names them by themselves or as "U+4E18".
    """
    links = r"(?:same as|form|variant|interchangeable)[^()]*"
    text = " ".join(re.findall(links, definition))
    codes = re.findall(r"U\+([0-9A-F]{4,5})", text)
    return {*re.findall(rf"[{CJK}]", text), *(chr(int(code, 16)) for code in codes)}


def drop_references(text: str) -> str:
    """Remove "same as U+4E18 丘" and its like outside round brackets."""
    text = re.sub(rf"\bused as a synonym for\s+{REFS}[^,;]*", "\0", text)
    linked = rf"(?:\b(?:also|another|sometimes)\s+)*\b{LINK}\s+{REFS}"
    text = re.sub(rf"{linked}(?:,?\s*etc\.|\s*:)?", "\0", text, flags=re.IGNORECASE)
    return re.sub(r"\0\s*\(([^()]+)\)", r"\1", text)


def drop_characters(text: str) -> str:
    """Remove what Chinese is left, and the small words left hanging before it."""
    text = re.sub(rf"{REFS}(?:\s+(?:[a-z]+[1-6]){{2,}})?", "\0", text)
    text = re.sub(rf"(?:\b{SMALL}\s+)+\0(?=\s*(?:[,;(]|$))", "", text)
    return re.sub(r"\0(?:\s+is\b)?", "", text)


def to_ascii(text: str) -> str:
    """Fold accents and typographic marks into plain ASCII."""
    folded = unicodedata.normalize("NFKD", text.translate(ASCII))
    return folded.encode("ascii", "ignore").decode()


def tidy(text: str) -> str:
    """Repair spaces and punctuation that the other rules leave behind."""
    text = re.sub(r"\(\s*[,;.]?\s*\)", "", text)
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s+([,;:)]|\.(?!\.))", r"\1", text)
    text = re.sub(r"\(\s+", "(", text)
    text = re.sub(r"(?<!\.)\.\.(?!\.)", ".", text)
    text = re.sub(r"[,;:](?:\s*[,;:.])+", lambda m: ";" if ";" in m[0] else ",", text)
    text = re.sub(r"((?:^|[,;] )\([^()]*\)),", r"\1", text)
    text = re.sub(r"\( *[,;:]+ *", "(", text)
    return text.strip(" ,;:-").removeprefix(".").strip()


RULES = [
    Rule(
        "radical_number",
        'drop "Kangxi radical 167"',
        drop(
            rf"(?:\ba\s+)?(?:\b{KIND}\s+)*(?:\b(?:form|variant)\s+of\s+(?:the\s+)?)?"
            r"(?:\bsimplified\s+)?(?:\bKangxi\s+)?\bradical\s+(?:number\s+)?\d+",
        ),
    ),
    Rule(
        "square_brackets",
        'drop editors\' notes such as "[kokuji]" and readings',
        drop(r"\[[^\[\]]*\]"),
    ),
    Rule("unmatched_brackets", "remove a bracket without a partner", balance_brackets),
    Rule(
        "bracketed_reference",
        'drop "(same as U+4E18 丘)": a bracket that names another character',
        drop_bracketed_references,
    ),
    Rule(
        "bracketed_form",
        'drop "(corrupted form)": a bracket about the writing, not the meaning',
        drop(
            rf"\((?:an?\s+)?(?:old translated\s+|{KIND}[\s,]*(?:and\s+)?)*{NOTES}s?\)",
            flags=re.IGNORECASE,
        ),
    ),
    Rule("reference", 'drop "variant of 暑 U+6691" outside brackets', drop_references),
    Rule("characters", "drop Chinese characters quoted as examples", drop_characters),
    Rule("ascii", 'fold accents and curly quotes: "Hénán" to "Henan"', to_ascii),
    Rule("tidy", "repair spaces and punctuation", tidy),
]


def clean(definition: str, rules: Iterable[Rule] = RULES) -> str:
    """The caption of a definition; empty when nothing but references stood there.

    Args:
        definition: of Unihan.
        rules: applied one after the other.

    Returns:
        A caption in ASCII.
    """
    for rule in rules:
        definition = rule.apply(definition)
    return definition


def count_changes(definitions: Iterable[str]) -> list[dict[str, str | int]]:
    """How many definitions each rule changes, and how many it leaves empty.

    Args:
        definitions: of Unihan, as they are before the first rule.

    Returns:
        One row a rule, in their order, with "rule", "purpose", "changed" and "emptied".
    """
    texts, report = list(definitions), []
    for rule in RULES:
        after = [rule.apply(text) for text in texts]
        changed = sum(a != b for a, b in zip(texts, after, strict=True))
        emptied = sum(
            bool(tidy(a)) and not tidy(b.replace("\0", ""))
            for a, b in zip(texts, after, strict=True)
        )
        report.append(
            {
                "rule": rule.name,
                "purpose": rule.purpose,
                "changed": changed,
                "emptied": emptied,
            }
        )
        texts = after
    return report
