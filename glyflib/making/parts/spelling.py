"""What kCangjie, the radical and the count of strokes tell of a character's parts.

Invariant: a part is held or lacked only where that follows. A code of Cangjie spells
shapes from the first to the last, but leaves out those in the middle of long
characters, so what a code does not name is unknown, not absent.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from glyflib.evaluation.radicals import NUM_RADICALS
from glyflib.glyphs.tables import Unihan

FIELDS = ("kCangjie", "kRSUnicode", "kTotalStrokes")
FEWEST, SHARE = 5, 0.1  # characters of a radical that show how it is spelt in them
HIDDEN = "X"  # begins the code of a shape that is no character: 忄 is XP
ENCLOSURE = "囗"  # alone BM, which in 同 is another shape; around others it is W


class Piece(NamedTuple):
    """Radicals that a piece of a character surely holds, and those it surely lacks."""

    holds: frozenset[int]
    lacks: frozenset[int]


class Spelt(NamedTuple):
    """What is known of a character.

    Attributes:
        whole: all of it.
        first: what is spelt first: at the left, on top or around; None if unknown.
        second: what is spelt then: at the right, below or inside; None if unknown.
        radical: the first of kRSUnicode; 0 if it has none.
        is_radical: whether it is the radical and nothing more.
        is_first: whether the radical is what is spelt first.
    """

    whole: Piece
    first: Piece | None = None
    second: Piece | None = None
    radical: int = 0
    is_radical: bool = False
    is_first: bool = False


UNKNOWN = Spelt(Piece(frozenset(), frozenset()))


def as_first(code: str) -> str:
    """How a character is spelt as the first part of another: first and last letter."""
    return code if len(code) < 3 else code[0] + code[-1]


def as_second(code: str) -> str:
    """How it is spelt as the second part: the first two letters and the last."""
    return code if len(code) < 4 else code[:2] + code[-1]


def is_within(letters: str, code: str) -> bool:
    """Whether a code has all these letters, in this order, with or without others."""
    rest = iter(code)
    return all(letter in rest for letter in letters)


class Speller:
    """Tells the parts of characters from three fields of Unihan.

    A character is split in two where that agrees with everything known: one piece is
    spelt as its radical is, and some character is spelt as the other piece and has as
    many strokes as are left. If several characters fit, what all of them hold is held,
    and what all of them lack is lacked. The piece is read in the same way. Shapes that
    are no characters are looked for as radicals alone, since their letters stand for
    many shapes: 旨 is PA, and P is 匕 in it, not 勹.

    Args:
        unihan: the fields kCangjie, kRSUnicode and kTotalStrokes.
    """

    def __init__(self, unihan: Unihan):
        self.codes = {
            char: code.split()[0].removeprefix(HIDDEN)
            for char, code in unihan["kCangjie"].items()
        }
        self.strokes = {
            char: tuple(map(int, counts.split()))
            for char, counts in unihan["kTotalStrokes"].items()
        }
        self.radicals = {
            char: radical_of(value) for char, value in unihan["kRSUnicode"].items()
        }
        self.firsts: dict[tuple[str, int], set[str]] = defaultdict(set)
        self.seconds: dict[tuple[str, int], set[str]] = defaultdict(set)
        self.forms: dict[int, set[str]] = defaultdict(set)
        self.fewest: dict[int, int] = {}
        for char, code in self.codes.items():
            radical, rest = self.radicals.get(char, (0, -1))
            is_hidden = unihan["kCangjie"][char].startswith(HIDDEN)
            for count in self.strokes.get(char, ()):
                if not is_hidden and char != ENCLOSURE:
                    self.firsts[as_first(code), count].add(char)
                    self.seconds[as_second(code), count].add(char)
                if rest == 0:
                    least = self.fewest.get(radical, count)
                    self.fewest[radical] = min(least, count)
            if rest == 0:
                self.forms[radical].add(code)
        self.as_firsts, self.as_seconds = self.spellings()
        self.read = cache(self._read)
        self.not_spelt = cache(self._not_spelt)
        self.too_large = cache(self._too_large)

    def spellings(self) -> tuple[dict[int, set[str]], dict[int, set[str]]]:
        """How each radical is spelt as a first and as a second piece.

        As its forms that stand alone are, and as it is in at least a tenth of its
        characters, and five, whose other piece then is a character of fitting strokes.
        """
        total, first, second = Counter(), defaultdict(Counter), defaultdict(Counter)
        for char, code in self.codes.items():
            radical, rest = self.radicals.get(char, (0, -1))
            if rest < 1:
                continue
            total[radical] += 1
            for start, end in splits(code):
                first[radical][start] += (end, rest) in self.seconds
                second[radical][end] += (start, rest) in self.firsts

        def common(found: Counter, num: int) -> set[str]:
            return {x for x, n in found.items() if n >= max(FEWEST, SHARE * num)}

        numbers = range(1, NUM_RADICALS + 1)
        return (
            {
                r: set(map(as_first, self.forms[r])) | common(first[r], total[r])
                for r in numbers
            },
            {
                r: set(map(as_second, self.forms[r])) | common(second[r], total[r])
                for r in numbers
            },
        )

    def _not_spelt(self, code: str) -> frozenset[int]:
        """Parts none of whose spellings is within a code that leaves nothing out."""
        return frozenset(
            r
            for r in self.fewest
            if not any(
                is_within(letters, code)
                for letters in self.forms[r] | self.as_firsts[r] | self.as_seconds[r]
            )
        )

    def _too_large(self, strokes: int) -> frozenset[int]:
        """Parts with more strokes than there are."""
        return frozenset(r for r, least in self.fewest.items() if least > strokes)

    def leaves_nothing_out(self, char: str) -> bool:
        """Whether a code certainly names all shapes.

        One of two letters does. One of three does too, unless its first two can be the
        ends of a longer first piece.
        """
        code = self.codes[char]
        if len(code) != 3:
            return len(code) < 3
        return not any(
            len(self.codes[first]) > 2
            for total in self.strokes[char]
            for count in range(1, total)
            if (code[2:], total - count) in self.seconds
            for first in self.firsts.get((code[:2], count), ())
        )

    def radical_piece(self, radical: int, spelt: str, forms: Iterable[str]) -> Piece:
        """The piece that is a radical: it lacks what no form so spelt names."""
        codes = set(forms) or self.forms[radical] | {spelt}
        lacks = frozenset.intersection(*map(self.not_spelt, codes))
        return Piece(frozenset({radical}), lacks - {radical})

    def rest_piece(
        self, chars: Iterable[str], strokes: int, spelt: str, is_all: bool
    ) -> Piece:
        """The other piece: what all characters agree on that it can be.

        Args:
            chars: that are spelt so and have so many strokes.
            strokes: of the piece.
            spelt: its letters.
            is_all: whether these are all, as they are where they are few.
        """
        pieces = [self.read(char).whole for char in chars]
        holds = frozenset.intersection(*(p.holds for p in pieces)) if pieces else ()
        lacks = self.too_large(strokes)
        if pieces:
            lacks |= frozenset.intersection(*(piece.lacks for piece in pieces))
        elif is_all:
            lacks |= self.not_spelt(spelt)
        return Piece(frozenset(holds), lacks - frozenset(holds))

    def _read(self, char: str) -> Spelt:
        """What is known of a character; nothing if a field is missing."""
        code, (radical, rest) = self.codes.get(char), self.radicals.get(char, (0, -1))
        if not code or char not in self.strokes or rest < 0:
            return UNKNOWN
        lacks = self.too_large(max(self.strokes[char]))
        if rest == 0:
            lacks |= self.not_spelt(code)
            whole = Piece(frozenset({radical}), lacks - {radical})
            return Spelt(whole, radical=radical, is_radical=True)
        if self.leaves_nothing_out(char):
            lacks |= self.not_spelt(code)
        found = [*self.ways(char, code, radical, rest)]
        if not found:  # nothing shows that the radical is seen in it
            return Spelt(Piece(frozenset(), lacks - {radical}), radical=radical)
        ends = {is_first for is_first, *_ in found}
        own = [own for _, own, _ in found]
        others = [other for *_, other in found]
        own, other = agreed(own), agreed(others)
        holds = own.holds | other.holds
        whole = Piece(holds, (lacks | (own.lacks & other.lacks)) - holds)
        if len(ends) > 1:  # spelt alike at both ends: they are told apart if alike
            is_twin = radical in other.holds
            first = second = own if is_twin and len(other.holds) == 1 else None
            return Spelt(whole, first, second, radical)
        is_first = ends.pop()
        first, second = (own, other) if is_first else (other, own)
        return Spelt(whole, first, second, radical, is_first=is_first)

    def ways(
        self, char: str, code: str, radical: int, rest: int
    ) -> Iterable[tuple[bool, Piece, Piece]]:
        """Ways to split a character into its radical and `rest` more strokes.

        Ways whose other piece is a character come alone, if there are any.

        Yields:
            whether the radical is first, the radical's piece, the other piece.
        """
        found = []
        for start, end in splits(code):
            for is_first, spelt, left in ((True, start, end), (False, end, start)):
                ends = self.as_firsts if is_first else self.as_seconds
                if spelt not in ends[radical]:
                    continue
                shorten = as_first if is_first else as_second
                forms = {f for f in self.forms[radical] if shorten(f) == spelt}
                others = self.seconds if is_first else self.firsts
                chars = others.get((left, rest), set()) - {char}
                is_all = len(left) < (3 if is_first else 2)
                own = self.radical_piece(radical, spelt, forms)
                piece = self.rest_piece(chars, rest, left, is_all)
                found.append((bool(chars), is_first, own, piece))
        best = any(is_known for is_known, *_ in found)
        return [way for is_known, *way in found if is_known == best]


def radical_of(value: str) -> tuple[int, int]:
    """Radical and further strokes, the first of kRSUnicode: "149'.7" is (149, 7)."""
    radical, strokes = value.split()[0].split(".")
    return int(radical.rstrip("'")), int(strokes)


def splits(code: str) -> Iterable[tuple[str, str]]:
    """Ways to cut a code into the one or two letters of a first piece and the rest."""
    return [(code[:at], code[at:]) for at in (1, 2) if 0 < len(code[at:]) <= 3]


def agreed(pieces: Iterable[Piece]) -> Piece:
    """What all of some pieces hold, and what all of them lack."""
    holds, lacks = zip(*pieces, strict=True)
    return Piece(frozenset.intersection(*holds), frozenset.intersection(*lacks))
