"""A text as the classifier reads it: passages of plain words, with disguises undone (l33t, s p a c e d, m*sked).

Pure and linear. A disguise is undone only where a known word appears by it, so that `mp3` and `k8s` stay as they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

from troth.gateway.amounts import sizes

PASSAGE = 40  # words of a passage at most
_UNSEEN = dict.fromkeys(
    [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF, 0x00AD, 0x034F, 0x180E]
)
# Letters of other scripts that look like Latin ones; they are read so only beside a Latin letter or digit.
_TWINS = str.maketrans("аеорсухіјѕԁһӏкмтвнпгαοενικτυρ", "aeopcyxijsdhlkmtbhnraoevikrup"[:29])
_LEET = str.maketrans("013457@$!|8", "oieastasilb")
_LONE = re.compile(r"(?<![^\W_])[^\W\d_](?:([ ._*-])[^\W\d_](?![^\W_])){1}(?:\1[^\W\d_](?![^\W_]))+")
_TOKEN = re.compile(r"[^\W_]{1,40}(?:[@$!|*#]+[^\W_]+)*\$?|[@$][^\W\d_]+(?:[@$!|*#]*[^\W_]+)*|[?]")
_END = re.compile(r"[.!?…][\"'”»)]*\s+|\n+|(?<=[?])")
_PARTS = re.compile(r"[^\W\d_]+|\d+")
_LONG = re.compile(r"(.)\1{2,}")
_MASKED = """fuck fucking fucked fucker shit bitch bitches cunt dick cock pussy whore slut nigger faggot fag kill rape
ass asshole bastard motherfucker sex porn nude die suicide bomb drugs cocaine heroin meth murder retard tits""".split()
_BY_SIZE: dict[int, list[str]] = {}
for _word in _MASKED:
    _BY_SIZE.setdefault(len(_word), []).append(_word)


def passages(text: str, known: Container[str]) -> list[list[str]]:
    """The words of each passage, in small letters without accents: sentences together up to `PASSAGE` words.

    `known`: words that stay as they are and as which a disguise is read.
    """
    found: list[list[str]] = []
    room = 0
    for sentence in _END.split(_folded(text)):
        words = _words(sentence, known) if sentence else []
        while words:
            if room < min(len(words), PASSAGE):
                found.append([])
                room = PASSAGE
            found[-1] += words[:room]
            words, room = words[room:], room - len(words[:room])
    return found


def ending(text: str, least: int, most: int) -> str:
    """The end of a text: `least` characters, and more of it up to `most` as they are read."""
    if text.isascii():
        return text[-max(least, most) :]
    at, read = max(len(text) - least, 0), sum(sizes(text[-least:]))
    while at > 0 and read < most:
        at -= 1
        read += sum(sizes(text[at]))
    return text[at:]


def _folded(text: str) -> str:
    if text.isascii():
        return _joined(text.lower())
    # Marks go first: `normalize` sorts a run of them in time that is quadratic.
    plain = "".join(sign for sign in text.translate(_UNSEEN) if not unicodedata.combining(sign))
    bare = unicodedata.normalize("NFKD", plain).casefold()
    return _joined("".join(sign for sign in bare if not unicodedata.combining(sign)))


def _joined(text: str) -> str:
    """Words that were written letter by letter."""
    return _LONE.sub(lambda match: re.sub(r"[ ._*-]", "", match[0]), text)


def _words(sentence: str, known: Container[str]) -> list[str]:
    return [part for token in _TOKEN.findall(sentence) for part in _plain(token, known)]


def _plain(token: str, known: Container[str]) -> list[str]:
    if token.isdecimal() or (token.isalpha() and token in known):
        return [token]
    if "*" in token or "#" in token:
        return _unmasked(token)
    if not token.isascii() and any(sign.isascii() for sign in token):
        token = token.translate(_TWINS)
    if not token.isalpha():
        read = token.translate(_LEET)
        # About half of it letters: a number behind one letter is a number.
        spelt = 2 * sum(map(str.isalpha, token)) + 1 >= len(token) > 2
        if spelt and read.isalpha() and (read in known or read in _MASKED or _LONG.sub(r"\1", read) in known):
            token = read
        elif any(map(str.isalnum, token)):
            return _PARTS.findall(token)
    if _LONG.search(token) and token not in known:
        twice, once = _LONG.sub(r"\1\1", token), _LONG.sub(r"\1", token)
        token = once if once in known or twice not in known else twice
    return [token]


def _unmasked(token: str) -> list[str]:
    """`f**k` as the word it hides; its parts when it hides none that is known here."""
    for word in _BY_SIZE.get(len(token), ()):  # no pattern is made of the token: `re` would keep it, perhaps a password
        if all(sign in "*#" or sign == letter for sign, letter in zip(token, word, strict=True)):
            return [word]
    return _PARTS.findall(token)
