"""Rules for user names and passwords beside a key that says what they are: in records, markup, tables and sentences."""

# ruff: noqa: E501  a pattern is read as one line
from __future__ import annotations

import re

from troth.redact.detect.checks import entropy
from troth.redact.detect.rule import LETTER, Rule, whole

_DULL = frozenset(
    """null none nil true false undefined unknown anonymous default system public guest test user users username usernames login logins name names
    string str int bool object input value values text required optional empty blank missing invalid incorrect correct wrong taken unique available
    unavailable locked disabled enabled changed expired deleted created updated failed success successful not already still now being set used stored
    shown hidden the a an in on off at by for to of and or is are was my your his her our their this that same self request session current root admin
    password passwd token secret email mail phone field fields form type role profile page button screen error errors details info data yes no pin id
    status state date time city country address notes count total""".split()
)
_CODE = re.compile(
    r"(?:self|request|req|session|ctx|context|os|process|config|settings|args|this|current)[._\[]|.*(?:\.get|\.env|_user|User)$"
)
_CALL = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*\((?:[^()]*\))?[;,]?$")
_DIGIT, _LETTER, _SIGN = re.compile("[0-9]"), re.compile("[A-Za-z]"), re.compile(r"[^A-Za-z0-9_.\-]")

_USER_KEY = (
    r"(?:user[ _\-]?names?|user|log-?in(?:[ _\-]?name)?|handle|screen[ _\-]?name|nick(?:[ _\-]?name)?|benutzer(?:name)?|utilisateur|usuario|utente|"
    r"account[ _\-]?name|usr)"
)
_HANDLE = rf"([{LETTER}0-9_][{LETTER}0-9_.\-]{{1,38}}[{LETTER}0-9_])"
_USER = (
    r"(?i)\b(?:user[ _\-]?name|user|user[ _\-]?id|log[io]n(?: name)?|handle|screen[ _]?name|nick(?:name)?|benutzer(?:name)?|"
    r"utilisateur|usuario|utente|account name)[\"']?(?: ?[:=] ?| is (?:now )?| for (?:user )?| by (?:user )?| )[\"'@]?"
)
_KEYS_OF_SECRETS = r"(?:pass(?:word|wd|phrase)|pwd|passwort|kennwort|contrase\xf1a|mot de passe|secret)"
_SAYS = r"(?: [a-z]{1,12}){0,5} (?:is|was|lautet|ist|est|es|era)(?: now| still)?:? "


def _names(value: str) -> bool:
    """A name that somebody chose, not a word of the program or of the sentence."""
    return value.lower() not in _DULL and not _CODE.match(value)


def _marked(value: str) -> bool:
    """The same in a sentence: with a digit, a dot, a dash or an underscore, for other words go on speaking."""
    return _names(value) and any(c.isdigit() or c in "._-" for c in value)


def _chosen(value: str, ends: str = ",;.") -> int:
    """A password of letters with digits or signs, without what ends its line (or its sentence); no call of a function."""
    kept = value.rstrip(ends)
    mixed = _LETTER.search(kept) and (_DIGIT.search(kept) or _SIGN.search(kept))
    plain = (
        not mixed
        or len(kept) < 6
        or entropy(kept) < 2.2
        or _CALL.match(kept)
        or kept.startswith(("${", "{{", "<", "$(", "***"))
    )
    return 0 if plain else len(kept)


def _told(value: str) -> int:
    return _chosen(value, ",;.:!?")


RULES: tuple[Rule, ...] = (
    Rule(  # user x.y, login for x_1
        kind="username", family="sign", score=0.7, left="", gate=_USER + rf"[{LETTER}0-9_]",
        pattern=_USER + rf"([{LETTER}0-9_](?:[{LETTER}0-9_.\-]{{1,38}})[{LETTER}0-9_])",
        right=rf"(?![{LETTER}0-9_@(/])", check=whole(_marked),
    ),
    Rule(  # user=x, "user": "x", user => 'x', <user>x</user>
        kind="username", family="sign", score=0.7, left="", right=rf"(?![{LETTER}0-9_@(/:])(?![ \-][{LETTER}0-9_.\-]{{1,40}}[\"'<])", check=whole(_names),
        gate=rf"(?i)\b{_USER_KEY}(?:[\"']? ?[=:]>? ?[\"']|=|>)[{LETTER}0-9_]", pattern=rf"(?i)\b{_USER_KEY}(?:[\"']? ?[=:]>? ?[\"']|=|>){_HANDLE}",
    ),
    Rule(  # username: x at the end of a line, and in a cell of a table
        kind="username", family="sign", score=0.65, left="", right=rf"(?![{LETTER}0-9_@(/:])(?! {{0,3}}[{LETTER}0-9(])", check=whole(_names),
        gate=rf"(?i)\b(?:(?:user[ _\-]?name|log-?in|handle|screen[ _\-]?name|nick(?:name)?):|{_USER_KEY} {{0,9}}\|) {{0,9}}[{LETTER}0-9_]",
        pattern=rf"(?i)\b(?:(?:user[ _\-]?name|log-?in|handle|screen[ _\-]?name|nick(?:name)?):|{_USER_KEY} {{0,9}}\|) {{0,9}}{_HANDLE}",
    ),
    Rule(
        kind="username", family="sign", score=0.65, left="", right=rf"(?![{LETTER}0-9_@(/:])", check=whole(_marked),
        gate=rf"(?i)\b{_USER_KEY}{_SAYS}[{LETTER}0-9_]", pattern=rf"(?i)\b{_USER_KEY}{_SAYS}[\"']?{_HANDLE}",
    ),
    Rule(  # a name alone in a sentence only where that ends
        kind="username", family="sign", score=0.6, left="", right=r"(?=[.,;!?\"')\n]|\Z)", check=whole(_names),
        gate=rf"(?i)\b(?:user ?name|log-?in name|handle|screen name|nick(?:name)?){_SAYS}[\"']?[{LETTER}0-9_]",
        pattern=rf"(?i)\b(?:user ?name|log-?in name|handle|screen name|nick(?:name)?){_SAYS}[\"']?{_HANDLE}",
    ),
    Rule(  # <password>x</password>, | password | x |
        kind="password", family="sign", score=0.85, left="", right="", check=_chosen,
        gate=rf"(?i){_KEYS_OF_SECRETS}(?:>| {{0,9}}\| {{0,9}})[^\s<|]", pattern=rf"(?i){_KEYS_OF_SECRETS}(?:>| {{0,9}}\| {{0,9}})([^\s<|]{{4,120}})",
    ),
    Rule(  # password: x to the next space, whatever signs it has
        kind="password", family="sign", score=0.85, left="", right="", check=_chosen,
        gate=rf"(?i){_KEYS_OF_SECRETS}(?:: ?|=)[^\s\"']", pattern=rf"(?i){_KEYS_OF_SECRETS}(?:: ?|=)([^\s\"']{{6,120}})",
    ),
    Rule(
        kind="password", family="sign", score=0.8, left="", right="", check=_told,
        gate=rf"(?i){_KEYS_OF_SECRETS}{_SAYS}[^\s]", pattern=rf"(?i){_KEYS_OF_SECRETS}{_SAYS}[\"']?([^\s\"']{{6,120}})",
    ),
)  # fmt: skip
