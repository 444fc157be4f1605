"""Rules for names of people: what stands around a name, and a built-in list of given names."""

# ruff: noqa: E501  a pattern is read as one line
from __future__ import annotations

from functools import lru_cache
from importlib import resources

from troth.redact.detect.rule import LETTER, LOWER, UPPER, Rule

_T = rf"(?:[{UPPER}]['][{UPPER}]?[{LOWER}]+|(?:Mc|Mac|De|Di|Da|Le|La|Van|Fitz)?[{UPPER}][{LOWER}]+)(?:['\-][{UPPER}]?[{LOWER}]+)*"
_INITIAL = rf"[{UPPER}]\.?"
_PARTICLE = (
    r"(?:de|del|della|di|da|dos|das|do|van|von|der|den|la|le|las|los|el|bin|ibn|al|zu|zum|y|e|ter|ten|af|st\.|St\.)"
)
_MORE = rf"(?:[ ](?:{_INITIAL}[ ]){{0,2}}(?:{_PARTICLE}[ ]){{0,3}}{_T})"
_SUFFIX = r"(?:,?[ ](?:Jr|Sr|II|III|IV|PhD|MD)\b\.?)?"
_NAME = rf"{_T}{_MORE}{{0,3}}{_SUFFIX}"
_CAPS = rf"[{UPPER}][{UPPER}'\-]+"
_LIST_NAME = rf"{_CAPS}(?:[ ]{_CAPS}){{0,2}},[ ]{_T}(?:[ ]{_T}){{0,2}}"  # SURNAME, Given
_ANY = rf"(?:{_LIST_NAME}|{_NAME}|{_CAPS}(?:[ ]{_CAPS}){{0,3}})"
_LOOSE = rf"[{LETTER}][{LETTER}'\-]+(?:[ ][{LETTER}][{LETTER}'.\-]*){{0,3}}"

_TITLES = (
    r"(?:Mr|Mrs|Ms|Mx|Miss|Dr|Prof|Professor|Doctor|Sir|Dame|Lord|Rev|Fr|Sgt|Capt|Lt|Col|Judge|Justice|Herrn?|Frau|Hr|Fr|"
    r"M|MM|Mme|Mlle|Madame|Monsieur|Mademoiselle|Me|Sr|Sra|Srta|Se\xf1ora?|Se\xf1orita|Don|Do\xf1a|Sig|Sig\.ra|Sig\.na|Signora?|Signorina|Dott|Dott\.ssa|Ing|Avv)"
)
_PERSON_KEYS = (
    r"(?:full[ _]?name|first[ _]?name|last[ _]?name|given[ _]?name|family[ _]?name|sur[ _]?name|customer(?:[ _]?name)?|client(?:[ _]?name)?|name|"
    r"applicant|patient|contact(?: person)?|employee|tenant|landlord|seller|buyer|sender|recipient|recipient[ _]?name|beneficiary|card[ _]?holder(?:[ _]?name)?|"
    r"account[ _]?holder|holder|owner|author|signed(?: by)?|signature|from|to|cc|bcc|attn|attention|caller|agent|manager|doctor|witness|defendant|plaintiff|"
    r"insured|member|passenger|guest|student|teacher|parent|guardian|spouse|next of kin|emergency contact|submitted by|reported by|assigned to|assignee|reporter|"
    r"nombre|apellidos?|nom|pr\xe9nom|nom complet|vorname|nachname|kunde|kundin|antragsteller(?:in)?|ansprechpartner(?:in)?|nome|cognome|cliente|paciente|paziente)"
)
_SURNAME = r"(?i:last[ _]?name|family[ _]?name|sur[ _]?name|apellidos?|nom|nachname|cognome)"
_INTRODUCTIONS = (
    r"(?:my (?:full |real |legal |first |last |maiden )?name is|name's|call me|i am called|this is|i am|i'm|it's|it is|here is|speaking with|spoke (?:to|with)|"
    r"signed,|regards,|best,|thanks,|cheers,|sincerely,|yours,|love,|dear|hi|hello|hey|hallo|bonjour|hola|ciao|liebe[rs]?|lieber|sehr geehrte[r]? (?:herr|frau)|"
    r"mein name ist|ich hei\xdfe|ich bin|hier ist|hier spricht|je m'appelle|je suis|mon nom est|c'est|me llamo|mi nombre es|soy|habla|mi chiamo|sono|il mio nome \xe8|"
    r"met with|married to|named|account of|on behalf of|refund|behalf of|meet|meu nome \xe9)"
)


@lru_cache(maxsize=2)
def _list(name: str) -> frozenset[str]:
    text = resources.files("troth.redact.detect").joinpath("data", name).read_text(encoding="utf-8")
    return frozenset(text.split())


def given_names() -> frozenset[str]:
    """Given names of the languages served, in their usual spelling (compiled from MIT and public-domain lists)."""
    return _list("given_names.txt")


def _also_words() -> frozenset[str]:
    """Given names that are words, months or places too: alone they are no sign of a person."""
    return _list("given_names_also_words.txt")


def certain_given_names() -> list[str]:
    """Listed given names that are nothing else, sorted."""
    return sorted(given_names() - _also_words())


# Capitalised words that begin a sentence or follow a greeting and are no names.
_NOT_A_NAME = frozenset(
    """The A An And Or But If It Its This That These Those There Here I You He She We They My Your His Her Our Their Who What When Where Why How
    All Any Each Every Some No Not Yes Please Thanks Thank Dear Hi Hello Hey Sir Madam Team Everyone Everybody Folks Guys Friends Friend Customer Support
    Service Help Desk Sales Admin Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July August September
    October November December Today Tomorrow Yesterday In On At By For From To Of Off Up Down With Without Is Are Was Were Be Been Do Does Did Has Have Had
    Can Could Will Would Shall Should Must May Might Let
    Corp Inc Ltd Llc Gmbh Services Solutions Systems Technologies
    Apartments United Kingdom States America American
    European Asia African Error Warning Info Debug Trace Null None True False Http Https Json Xml Html Api Url
    Id Date Time Name Email Phone Address Number Order Ticket Card Account Reference Invoice Total Amount Status Type Code Version Release Build
    Internet Online Web Website Windows Linux Android Apple Google Microsoft Amazon Facebook Twitter Happy Nice Sorry Sure Okay Ok Well Also
    After Before Since While During Once Then So Because Just Only Still Already Again Now Soon Later Never Always Sometimes Mr Mrs Ms Dr Prof Herr Frau
    Der Die Das Ein Eine Und Oder Ich Wir Sie Le La Les Un Une Et Ou Je Nous Vous El Los Las Una Y O Yo Il Lo Gli Uno E Io Noi Voi Was Wie Wo Wer Wenn""".split()
)  # fmt: skip
# Surnames as well as words: a name only after a given name that is nothing else.
_DOUBTFUL = frozenset(
    """Church English French German Spanish Italian Company Bank Park Lane Street House West North South East Lake River Bridge Price Great Good Best
    Place Square Mountain Valley Island Beach Bay Drive Court Avenue Road Boulevard Hotel Center Centre Group School College University Hospital
    Restaurant Station Airport Town City County State New Old Young Rich Day Way Inc Ltd Corp GmbH""".split()
)


def _name(value: str) -> int:
    """A name in a telling place: cut before the first word that is no part of one."""
    kept = 0
    position = 0
    for word in value.split(" "):
        plain = word.strip(",.")
        stem, apostrophe, rest = plain.partition("'")
        if apostrophe and rest in ("m", "s", "re", "ll", "ve", "d"):
            plain = stem
        if plain.title() in _NOT_A_NAME and plain not in given_names():
            break
        position += len(word) + 1
        kept = position - 1
    return kept if kept > 1 else 0


def _keyed(value: str) -> int:
    """A name behind a key; one word in capitals is a constant (`name: RETRIES`), unless it is a given name."""
    return _name(value) if " " in value or not value.isupper() or value.title() in given_names() else 0


def _listed(value: str) -> int:
    """A given name of the list: with a surname always, alone when it is no word as well."""
    first, _, rest = value.partition(" ")
    if first.replace("'", "-").partition("-")[0] not in given_names():
        return 0
    if rest:
        if first in _also_words() and _DOUBTFUL.intersection(rest.split(" ")):
            return 0
        kept = _name(value)
        if kept > len(first):
            return kept
    return 0 if first in _also_words() or first in _NOT_A_NAME else len(first)


def _greeted(value: str) -> int:
    """After a greeting or a request, a listed given name is a person even when it is a word too."""
    return len(value) if value in given_names() else 0


def _listed_second(value: str) -> int:
    """Surname Given I, as registers write it."""
    first, second, _ = value.split(" ")
    return len(value) if second in given_names() and first not in _NOT_A_NAME else 0


def _listed_last(value: str) -> int:
    """SURNAME, Given or Surname, Given where the given name is listed."""
    return len(value) if value.rpartition(" ")[2] in given_names() else 0


_CALLS = r"(?i:dear|hi|hey|hello|hallo|hola|ciao|salut|bonjour|liebe|lieber|thanks|thank you|ask|tell|send|cc|meet|it's|i'm|i am|this is)"
_SAYS = (
    r"\b(?i:my (?:full |real |legal |first |last |maiden )?name is|name's|call me|mein name ist|ich hei\xdfe|je m'appelle|mon nom est|me llamo|"
    r"mi nombre es|mi chiamo|il mio nome \xe8|speaking with|spoke (?:to|with)|on behalf of|signed,|named|called)"
)
_SAYS_SMALL = r"\b(?i:my (?:full |real |legal )?name is|mein name ist|je m'appelle|me llamo|mi chiamo)"


_PLACE_LEFT = "".join(
    f"(?<!{word} )"
    for word in ("San", "Santa", "S\xe3o", "St", "St.", "Saint", "Mount", "Lake", "Port", "Fort", "Los", "El")
)
_LEFT = r"(?<![A-Za-z0-9_\xc0-\xff@/\\#])(?<![A-Za-z0-9]['.\-])" + _PLACE_LEFT
_RIGHT = r"(?![A-Za-z0-9_\xc0-\xff@(])(?!\.[a-z])"

RULES: tuple[Rule, ...] = (
    Rule(  # Mr Smith, Frau Dr. Müller
        kind="person", gate=rf"\b(?:{_TITLES}\.?[ ]{{1,2}}){{1,3}}(?:{_PARTICLE}[ ]){{0,2}}[{UPPER}]", score=0.85, left=r"(?<![A-Za-z0-9_.&])", right=_RIGHT, check=_name,
        pattern=rf"\b(?:{_TITLES}\.?[ ]{{1,2}}){{1,3}}((?:{_INITIAL}[ ]){{0,2}}(?:{_PARTICLE}[ ]){{0,2}}{_NAME}|{_CAPS}(?:[ ]{_CAPS}){{1,3}})",
    ),
    Rule(  # Name: Anna Meier; "customer": "Anna Meier"; From: Anna Meier
        kind="person", gate=rf"\b(?i:{_PERSON_KEYS})[\"']?[ ]?[:=][ \t]{{0,8}}[\"']?[{UPPER}]", score=0.8, left="", right=_RIGHT, check=_keyed,
        pattern=rf"\b(?i:{_PERSON_KEYS})[\"']?[ ]?[:=][ \t]{{0,8}}[\"']?((?:{_TITLES}\.?[ ])?{_ANY})",
    ),
    Rule(  # Surname: MEIER
        kind="person", gate=rf"\b{_SURNAME}[\"']?[ ]?[:=][ \t]{{0,8}}[\"']?[{UPPER}]", score=0.8, left="", right=_RIGHT, check=_name,
        pattern=rf"\b{_SURNAME}[\"']?[ ]?[:=][ \t]{{0,8}}[\"']?({_CAPS}(?:[ ]{_CAPS})?)",
    ),
    Rule(  # my name is Anna Meier; Dear Anna; Regards,\nAnna
        kind="person", gate=rf"{_SAYS}[ \n][{UPPER}]", score=0.75, left="", right=_RIGHT, check=_name,
        pattern=rf"{_SAYS}[ \n]({_NAME})",
    ),
    Rule(  # weaker places need a listed given name or two capitalised words
        kind="person", gate=rf"\b(?i:dear|{_INTRODUCTIONS})[ \n]{{1,2}}[{UPPER}]", score=0.7, left="", right=_RIGHT, check=_name,
        pattern=rf"\b(?i:dear|{_INTRODUCTIONS})[ \n]{{1,2}}({_T}{_MORE}{{1,3}}{_SUFFIX})",
    ),
    Rule(  # hey Mark, can you ask Grace
        kind="person", gate=rf"\b{_CALLS}[ ][{UPPER}]", score=0.65, left="", right=_RIGHT, check=_greeted, pattern=rf"\b{_CALLS}[ ]({_T})",
    ),
    Rule(  # anna meier, written small, after words that leave no doubt
        kind="person", gate=rf"{_SAYS_SMALL}[ ][{LETTER}]", score=0.6, left="", right=_RIGHT, check=_name,
        pattern=rf"{_SAYS_SMALL}[ ]([{LETTER}][{LETTER}'\-]+(?:[ ][{LETTER}][{LETTER}'\-]+)?)",
    ),
    Rule(  # Anna Meier <anna@example.org>
        kind="person", gate=r"[\"A-Za-z\xc0-\xff][ ]<[A-Za-z0-9._%+'\-]{1,64}@", back=160, score=0.85, left=_LEFT, right="", check=_name,
        pattern=rf"(\"?{_ANY})\"?[ ]<[A-Za-z0-9._%+'\-]{{1,64}}@",
    ),
    Rule(  # Meier Anna M
        kind="person", score=0.7, left=_LEFT, right=_RIGHT, check=_listed_second,
        pattern=rf"{_T}[ ]{_T}[ ][{UPPER}]\b",
    ),
    Rule(kind="person", score=0.75, left=_LEFT, right=_RIGHT, check=_listed_last, pattern=rf"{_CAPS}(?:[ ]{_CAPS}){{0,2}},[ ]{_T}"),
    Rule(
        kind="person", score=0.65, left=_LEFT, right=_RIGHT, check=_listed, listed=given_names(),
        pattern=rf"[{UPPER}][{LOWER}]+(?:['\-]{_T})?(?:{_MORE}{{1,3}}{_SUFFIX})?",
    ),
)  # fmt: skip
