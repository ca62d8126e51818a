import re

import pytest
from pyarrow import parquet

from glyflib.data import GLYPHS
from glyflib.glyphs.captions import RULES, clean, count_changes

# Entries of Unihan as they stand, each with what its rule must make of it.
BY_RULE = {
    "radical_number": [
        (
            "gold; metals in general; money; Kangxi radical 167",
            "gold; metals in general; money",
        ),
        ("dog; radical number 94", "dog"),
        (
            "wheat, barley, oats; simplified form of Kangxi radical 199",
            "wheat, barley, oats",
        ),
        (
            "teeth; gears, cogs; age; simplified form of the Kangxi radical 211",
            "teeth; gears, cogs; age",
        ),
    ],
    "square_brackets": [
        ("[kokuji] to pull out hair, etc.", "to pull out hair, etc."),
        ("sell; [NOT casing, shell, husk]", "sell"),
    ],
    "unmatched_brackets": [
        (
            "laths, to plait, (same as 篦) a comb; especially a fine one)",
            "laths, to plait, a comb; especially a fine one",
        ),
        ("to eat, ((non-classical form of 膾) minced meat", "to eat, minced meat"),
    ],
    "bracketed_reference": [
        ("(same as U+6ED9 滙) to remit money", "to remit money"),
        (
            "(Cant., same as 褲) drawers, trousers or pants",
            "drawers, trousers or pants",
        ),
        ("the lapel, (interchangeable 惺) clever", "the lapel, clever"),
        (
            "replete with (interchangeable 韌) soft but tough",
            "replete with, soft but tough",
        ),
        ("with man's face; be known as (禺號)", "with man's face"),
        (
            "used with “ping” (U+4E52 乒) for “ping pong”",
            'used with "ping" for "ping pong"',
        ),
    ],
    "bracketed_form": [
        (
            "(corrupted form) the upright bar for fastening a door",
            "the upright bar for fastening a door",
        ),
        ("(a simplified form) (corrupted form of 偦) all together", "all together"),
    ],
    "reference": [
        (
            "variant of U+801C 耜: a farming instrument; a spade",
            "a farming instrument; a spade",
        ),
        ("same as 冀 U+5180 to hope for; to wish", "to hope for; to wish"),
        (
            "(J) non-standard form of 第 U+7B2C, sequence, number",
            "(J) sequence, number",
        ),
        ("another name for 黃岑 (Scutellaria baikalensis)", "Scutellaria baikalensis"),
        (
            "land, continental; army; an accounting form of U+516D 六 (six)",
            "land, continental; army; six",
        ),
        (
            "a primitive tribe; also known as U+5937 夷; nocturnal hunting",
            "a primitive tribe; nocturnal hunting",
        ),
    ],
    "characters": [
        ("(Cant.) 傢俬, furniture", "(Cant.) furniture"),
        (
            "songs of the people of 楚, a kind of music instrument",
            "songs of the people, a kind of music instrument",
        ),
        (
            "bream; (Cant.) 大嶼山 daai6jyu4saan1 Lantau Island",
            "bream; (Cant.) Lantau Island",
        ),
        (
            "comfortable; 摴蒲 is the name of a traditional play",
            "comfortable; the name of a traditional play",
        ),
    ],
    "ascii": [
        (
            "嵖岈山, a mountain in Suìpíng county, Hénán",
            "a mountain in Suiping county, Henan",
        ),
        ("λ Orionis (Meissa)", "lambda Orionis (Meissa)"),
        ("equal, “and so forth”", 'equal, "and so forth"'),
    ],
    "tidy": [("to eat ; , to chew,", "to eat; to chew")],
}
KEPT = [
    "a beautiful face (of a woman); pretty",
    "(Cant.) contrary, opposing",
    "savings and (or) reserves",
    "lithium (element 3, Li)",
    "light aspirations or ambitions for ...",
    "a form of poetry",
]
EMPTY = [
    "same as U+879A 螚",
    "a variant of 七 (U+4E03)",
    "simplified Kangxi radical 149",
    "old form of 貫; component in 贯,貫,實, etc.; not to be confused with 毋",
    "used as a synonym for U+4F60 你 when referring to deity",
]


@pytest.fixture(scope="module")
def shipped():
    return parquet.read_table(GLYPHS, columns=["definition", "caption"]).to_pydict()


@pytest.mark.parametrize("name", [rule.name for rule in RULES])
def test_each_rule_cleans_its_real_entries_and_is_needed(name):
    (rule,) = [rule for rule in RULES if rule.name == name]
    others = [r for r in RULES if r is not rule]
    assert [clean(d) for d, _ in BY_RULE[name]] == [c for _, c in BY_RULE[name]]
    assert any(clean(d, others) != c for d, c in BY_RULE[name]), "the rule is idle"


@pytest.mark.parametrize("definition", KEPT)
def test_plain_english_is_kept(definition):
    assert clean(definition) == definition


@pytest.mark.parametrize("definition", EMPTY)
def test_an_entry_of_references_alone_becomes_empty(definition):
    assert clean(definition) == ""


def test_all_senses_are_kept():
    definition = (
        "(same as U+5960 奠) to settle; to lay; (same as 墊) to advance (money)"
    )
    assert clean(definition) == "to settle; to lay; to advance (money)"


def test_cleaning_twice_changes_nothing(shipped):
    changed = [c for c in shipped["caption"] if clean(c) != c]
    assert changed == []


def test_shipped_captions_are_the_cleaned_definitions(shipped):
    assert [clean(d) for d in shipped["definition"]] == shipped["caption"]


def test_shipped_captions_are_plain_ascii_without_code_points(shipped):
    bad = [c for c in shipped["caption"] if re.search(r"[^ -~]|U\+|[\[\]]", c)]
    assert bad == []


def test_shipped_captions_hold_no_stumps(shipped):
    stump = re.compile(
        r"(?:^|[,;(] ?)(?:an? )?(?:[\w-]+ )?(?:same as|(?:form|variant) of|variant"
        r"|interchangeable(?: with)?|used for|known as|another name for)(?=$|[,;.)])"
    )
    assert [c for c in shipped["caption"] if stump.search(c)] == []


def test_shipped_captions_are_punctuated_soundly(shipped):
    unsound = re.compile(r"[,;:] ?[,;:]|^[,;:)]|[,;:(]$|\( | \)|\(\)|  | [,;]")
    bad = [c for c in shipped["caption"] if unsound.search(c)]
    unbalanced = [c for c in shipped["caption"] if c.count("(") != c.count(")")]
    assert bad + unbalanced == []


def test_changes_are_counted_in_the_order_of_the_rules():
    report = count_changes(["same as U+879A 螚", "plain (Kangxi radical 3)", "plain"])
    counts = {row["rule"]: (row["changed"], row["emptied"]) for row in report}
    assert list(counts) == [rule.name for rule in RULES]
    assert counts["reference"] == (1, 1)
    assert counts["radical_number"] == (1, 0)
