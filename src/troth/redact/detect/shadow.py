"""The shadow of a text: one byte for each code point, so that byte offsets of a match are code point offsets.

RE2 works on bytes. Rules run on the shadow in Latin-1 mode; Latin-1 letters stay, other letters become their base
letter, other scripts a stand-in letter, typographic quotes, dashes and spaces their plain form, and full-width or
Arabic digits plain digits. A value cannot hide behind look-alike punctuation, and no offset is ever translated.
Characters that nobody sees, and marks that join the letter before them, become one byte each that says so.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from functools import lru_cache

_HANDLER = "troth-shadow"
_PLAIN = {"\u2018": "'", "\u2019": "'", "\u201b": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2212": "-",
          "\u2024": ".", "\u2044": "/", "\ufe52": ".", "\uff20": "@", "\uff0e": ".", "\u3002": ".", "\uff61": ".",
          "\u2800": " ", "\u2032": "'", "\u2033": '"'}  # fmt: skip
_OTHER = "\x7f"
INVISIBLE, MARK = "\xad", "\xaf"  # soft hyphen and macron: what stands for all others of their sort
# Unicode 15 Default_Ignorable_Code_Point, and the control characters that are no white space; for a `re` class.
IGNORABLE = (
    "\x00-\x08\x0e-\x1f\x80-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
MARKS = "\u0300-\u034e\u0350-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"  # combining, of any letter
_UNSEEN, _JOINED = re.compile(f"[{IGNORABLE}]"), re.compile(f"[{MARKS}]")
_CONTROLS = [i for i in range(0xA0) if _UNSEEN.match(chr(i))]
_FOLD = bytes.maketrans(
    bytes([*_CONTROLS, 0x85, 0xA0]), INVISIBLE.encode("latin-1") * len(_CONTROLS) + b"\n "
)  # fmt: skip


@lru_cache(maxsize=8192)
def _stand_in(character: str) -> str:
    """The Latin-1 character that stands for one beyond Latin-1."""
    known = _PLAIN.get(character) or (_UNSEEN.match(character) and INVISIBLE) or (_JOINED.match(character) and MARK)
    if known:
        return known
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
    return text.encode("latin-1", _HANDLER).translate(_FOLD)
