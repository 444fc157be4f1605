"""Made-up words: they sound like names and are in no list of names, so nobody is called so and no licence binds them.

Of all words that can be put together, a data set has those that its key marks; so a word is known again.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from itertools import product

from troth.redact.surrogates.draw import Draw, mark

_ONSETS = (
    "b bl br d dr f fl fr g gl gr h j k kl kr l m n p pl pr qu r s sk sl sm sn st str t th tr v vr w y z zh ch sh cl cr"
).split()
_MIDDLES = "al am an ar av el em en er ev il im in ir or os ul un ur ad ed id od ol".split()
# Given names of no gender: none ends as those of women or men do in the languages served.
_GIVEN = "ey en is yn ren rin lis ven".split()
_SURNAMES = {
    "en": "brook field combe worth stead ridge march holt dell wick croft shaw mere leigh thorpe gate more well bury",
    "de": "mann hofer berg reuter thal bach felder stein horst kamp brink winkel egger huber meier rode hagen brück",
    "fr": "ault ier eau enne oux ard in ois elle ac ette ange ellier audin evin ondel",
    "es": "ez ado ero eda iga ondo ares illa anza uera oso anda ieta uilar ontes",
    "it": "elli etti ini one ucci aro ella ieri aldi esi oni anti otti arini",
}  # fmt: skip
_ENDINGS = {name: endings.split() for name, endings in _SURNAMES.items()}
LOCALES = tuple(_ENDINGS)
_GIVEN_MARK, _SURNAME_MARK = 32, 64  # of so many words, one is marked
_OF_LOCALE = {"de": "äöüß", "fr": "çèêëœ", "es": "ñ", "it": "ìò"}


def locale_of(value: str) -> str:
    """The language whose letters stand in a value; English where none tells."""
    small = value.casefold()
    return next((name for name, signs in _OF_LOCALE.items() if any(sign in small for sign in signs)), "en")


@lru_cache(maxsize=1)
def known_names() -> frozenset[str]:
    """Given names that people have, in small letters."""
    text = resources.files("troth.redact.detect").joinpath("data", "given_names.txt").read_text(encoding="utf-8")
    return frozenset(text.casefold().split())


@lru_cache(maxsize=8)
def given(key: bytes) -> tuple[str, ...]:
    """The given names of a data set, about 240, in small letters."""
    known = known_names()
    made = ("".join(parts) for parts in product(_ONSETS, _MIDDLES, _GIVEN))
    return tuple(w for w in made if mark(key, f"given\0{w}", _GIVEN_MARK) == 0 and w not in known)


@lru_cache(maxsize=40)
def surnames(key: bytes, locale: str) -> tuple[str, ...]:
    """The surnames of a data set in one locale, about 300, in small letters; they serve for streets and places too."""
    known = known_names()
    made = ("".join(parts) for parts in product(_ONSETS, _MIDDLES, _ENDINGS[locale]))
    return tuple(w for w in made if mark(key, f"surname\0{w}", _SURNAME_MARK) == 0 and w not in known)


@lru_cache(maxsize=8)
def own(key: bytes) -> frozenset[str]:
    """Every word of a data set."""
    return frozenset(given(key)) | {word for locale in LOCALES for word in surnames(key, locale)}


def given_name(draw: Draw) -> str:
    """A given name."""
    return draw.of(given(draw.key))


def surname(draw: Draw, locale: str) -> str:
    """A surname."""
    return draw.of(surnames(draw.key, locale))


def cased(word: str, like: str) -> str:
    """`word` in capitals, small letters or with a capital, as `like` is."""
    if like.isupper() and len(like) > 1:
        return word.upper()
    return word if like.islower() else word.capitalize()
