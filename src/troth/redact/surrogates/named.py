"""Names of people, places and organisations, word by word; a mention takes the words of the person it means."""

from __future__ import annotations

import re

from troth.redact.surrogates import numbers
from troth.redact.surrogates.draw import Draw
from troth.redact.surrogates.words import cased, given_name, known_names, locale_of, own, surname

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
_POSSESSIVE = re.compile(r"['\u2019]s$", re.IGNORECASE)
_NEUTRAL = {"mr": "Mx", "mrs": "Mx", "ms": "Mx", "miss": "Mx"}
_TITLES = frozenset(
    "mx dr prof professor doctor judge justice rev sgt capt lt col ing herr herrn frau hr madame monsieur "
    "mademoiselle mme mlle señor señora señorita sr sra srta don doña sig signor signora signorina dott "
    "avv jr phd md ii iii iv".split()
)
_PARTICLES = frozenset(
    "de del della di da dos das do van von der den la le las los el bin ibn al zu zum y e ter ten af the "
    "of and und et".split()
)
# Words of addresses and firms that name no one and give the shape.
_KEPT = frozenset(
    "street st road rd avenue ave lane ln drive dr boulevard blvd court ct place pl square sq way close "
    "crescent terrace highway hwy parkway suite ste apartment apt flat unit floor box po p.o straße "
    "strasse str platz weg allee gasse rue chemin calle avenida plaza paseo via viale piazza corso north "
    "south east west ltd limited llc inc plc gmbh ag kg sa sarl srl spa bv corp corporation company co "
    "group holdings university school hospital bank".split()
)

_LEAST_OWN = 1  # a word alone is no sign: some made-up surnames and towns (Perez, Hermann, Bamberg) are real ones


def person(value: str, kind: str, draw: Draw) -> str:
    """Each word of a name; titles lose their gender, particles stay, an initial is that of the word it stood for."""
    del kind
    return _WORD.sub(lambda match: _of_person(match.group(), _mapped(draw), draw), value)


def _mapped(draw: Draw) -> dict[str, str]:
    """The surrogate of each word of the whole name, drawn in their order, so that every mention gets the same."""
    if draw.words is None:
        every = [_POSSESSIVE.sub("", w).casefold() for w in _WORD.findall(draw.entity)]
        words = [word for word in every if len(word) > 1 and not _stays(word)]
        if "," in draw.entity.strip(" ,") and len(words) > 1:  # SURNAME, Given
            words = [*words[1:], words[0]]
        locale, alone = locale_of(draw.entity), len(every) == 1
        draw.words = {}
        for number, word in enumerate(words):
            last = number == len(words) - 1 and not (alone and word in known_names())
            draw.words.setdefault(word, surname(draw, locale) if last else given_name(draw))
    return draw.words


def _of_person(word: str, mapped: dict[str, str], draw: Draw) -> str:
    stem = _POSSESSIVE.sub("", word)
    plain, rest = stem.casefold(), word[len(stem) :]
    if plain in _NEUTRAL:
        return cased(_NEUTRAL[plain].lower(), stem) + rest
    if plain in mapped:
        return cased(mapped[plain], stem) + rest
    if len(plain) == 1:
        meant = next((new for old, new in mapped.items() if old.startswith(plain)), None)
        return cased((meant or given_name(draw))[0], stem.upper()) + rest
    return word if _stays(plain) else cased(given_name(draw), stem) + rest


def _stays(plain: str) -> bool:
    return plain in _TITLES or plain in _PARTICLES or plain in _NEUTRAL


def own_person(value: str, kind: str, key: bytes) -> bool:
    """Whether every word that names someone is one of the data set's, and more than one is."""
    del kind
    words = [_POSSESSIVE.sub("", word).casefold() for word in _WORD.findall(value)]
    if any(word in _NEUTRAL for word in words):
        return False
    named = [word for word in words if len(word) > 1 and not _stays(word)]
    return len(named) > _LEAST_OWN and own(key).issuperset(named)


def place(value: str, kind: str, draw: Draw) -> str:
    """Each word of a place, an address or a firm; its kind of street or firm stays, numbers change digit by digit."""
    del kind
    locale = locale_of(value)
    named = _WORD.sub(lambda match: _of_place(match.group(), locale, draw), value)
    return numbers.digits(named, draw)


def _of_place(word: str, locale: str, draw: Draw) -> str:
    plain = word.casefold()
    if plain in _KEPT or plain in _PARTICLES or len(plain) == 1:
        return word
    if len(word) == 2 and word.isupper():  # a state
        return "ZZ"
    return cased(surname(draw, locale), word)


def own_place(value: str, kind: str, key: bytes) -> bool:
    """Whether every word beside the kinds of streets and firms is one of the data set's, and more than one is."""
    del kind
    words = [word.casefold() for word in _WORD.findall(value) if word != "ZZ"]
    named = [word for word in words if len(word) > 1 and word not in _KEPT and word not in _PARTICLES]
    return len(named) > _LEAST_OWN and own(key).issuperset(named)
