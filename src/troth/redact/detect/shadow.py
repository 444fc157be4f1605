"""The shadow of a text: one byte for each code point, so that byte offsets of a match are code point offsets.

RE2 works on bytes. Rules run on the shadow in Latin-1 mode; Latin-1 letters stay, other letters become their base
letter, other scripts a stand-in letter, typographic quotes, dashes and spaces their plain form, and full-width or
Arabic digits plain digits. A value cannot hide behind look-alike punctuation, and no offset is ever translated.
"""

from __future__ import annotations

import codecs
import unicodedata
from functools import lru_cache

_HANDLER = "troth-shadow"
_PLAIN = {"\u2018": "'", "\u2019": "'", "\u201b": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2212": "-",
          "\u2024": ".", "\u2044": "/", "\ufe52": ".", "\uff20": "@", "\uff0e": "."}  # fmt: skip
_OTHER = "\x7f"


@lru_cache(maxsize=8192)
def _stand_in(character: str) -> str:
    """The Latin-1 character that stands for one beyond Latin-1."""
    if character in _PLAIN:
        return _PLAIN[character]
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(character)
    if category == "Pd":
        return "-"
    if category in ("Zs", "Zl", "Zp"):
        return " "
    base = unicodedata.normalize("NFKD", character)[:1]
    if base and base != character and ord(base) < 256 and base.isprintable():
        return base
    if category[0] == "L":
        return "\xde" if category == "Lu" else "\xfe"
    return _OTHER


# Letters without a decomposition that are common in names of the languages the rules serve.
_PLAIN.update(zip("łŁđĐıœŒħĦŧŦ", "lLdDioOhHtT", strict=True))


def _replace(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    run = error.object[error.start : error.end]
    return "".join(map(_stand_in, run)).encode("latin-1"), error.end


codecs.register_error(_HANDLER, _replace)


def shadow(text: str) -> bytes:
    """The shadow of `text`; `len(shadow(text)) == len(text)` for every str, lone surrogates included."""
    return text.encode("latin-1", _HANDLER)
