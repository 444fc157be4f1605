"""One rule: a row of the table. A new kind is one row here and one word in `kinds.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

# A check answers how many characters of the value hold (0 refuses it), so that it can cut what a pattern took too much.
Check = Callable[[str], int]

# Edges are Python look-arounds of fixed width, tried once at the ends of a find (RE2 has none).
WORD = "A-Za-z0-9_\xc0-\xd6\xd8-\xf6\xf8-\xff"
LEFT_WORD = f"(?<![{WORD}])"
RIGHT_WORD = f"(?![{WORD}])"

UPPER = "A-Z\xc0-\xd6\xd8-\xde"
LOWER = "a-z\xdf-\xf6\xf8-\xff"
LETTER = f"{UPPER}{LOWER}"


# Words for numbers of things; they speak against a find that only a context word speaks for.
OTHER_NUMBERS = (
    r"orders?(?: ?id)?|sku|ref(?:erence)?|ticket|invoice|tracking|build|qty|quantity|amount|price|total|version|"
    r"serial|isbn|issn|commit"
)


# Families of rules, each with an automaton of its own (in one, their states would multiply); `word` holds the rules
# that a context word carries. Every find of the digital ones has a digit.
FAMILIES = ("sign", "person", "word", "number", "token", "date", "street")
DIGITAL = frozenset({"word", "number", "token", "date", "street"})
NUMBER = "number"  # the gate that is a run of digits and what stands between their groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How one kind is found.

    `pattern` is RE2 over Latin-1; group 1, when there is one, is the value. A find counts from a score of 0.5.
    `context` words before it (64 characters) add 0.4 when near and 0.3 when far; `against` words take 0.4 away.
    Words are RE2 and `re` syntax, matched without case and as whole words.
    """

    kind: str
    pattern: str
    score: float
    check: Check | None = None
    context: str = ""
    against: str = ""
    left: str = LEFT_WORD
    right: str = RIGHT_WORD
    gate: str = ""  # RE2 that matches where every find begins, or up to `back` behind that; empty: the pattern
    back: int = 0
    listed: frozenset[str] = frozenset()  # capitalised words one of which every find begins with, in place of a gate
    family: str = "number"  # rules that are scouted for together; `DIGITAL` says of which all finds have a digit


def whole(holds: Callable[[str], object]) -> Check:
    """A check that takes the value or leaves it."""
    return lambda value: len(value) if holds(value) else 0


def of_family(family: str, rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules, as members of that family."""
    return tuple(replace(rule, family=family) for rule in rules)
