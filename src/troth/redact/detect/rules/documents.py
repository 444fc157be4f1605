"""Rules for documents, vehicles, patients, dates of birth, ages and whatever else only its surroundings give away."""

# ruff: noqa: E501  a pattern is read as one line
from __future__ import annotations

import re

from troth.redact.detect import checks
from troth.redact.detect.rule import LEFT_WORD, LETTER, UPPER, Rule, whole

_N = r"(?: ?(?:id|no|nr|num|number|nummer|n\xb0|numéro|número|numero|#)s?\.?)*"
_MONTH = (
    r"(?:Jan(?:uary|uar|vier)?|Feb(?:ruary|ruar)?|F[e\xe9]vrier|Mar(?:ch|s|zo)?|M\xe4rz|Apr(?:il)?|Avril|May|Mai|June?|Juni|Juin|"
    r"July?|Juli|Juillet|Aug(?:ust)?|Ao\xfbt|Sept?(?:ember|embre)?|O[ck]t(?:ober|obre)?|Nov(?:ember|embre)?|D[e\xe9]c(?:ember|embre)?|"
    r"Dez(?:ember)?|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|gennaio|febbraio|aprile|"
    r"maggio|giugno|luglio|settembre|ottobre|novembre|dicembre)"
)
_YEAR = r"(?:19\d\d|20[0-4]\d)"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
FULL_DATE = (
    rf"(?i:{_YEAR}[\-/.](?:0[1-9]|1[0-2])[\-/.](?:0[1-9]|[12]\d|3[01])|{_DAY}[/.\-](?:0?[1-9]|[12]\d|3[01])[/.\-]{_YEAR}|"
    rf"{_DAY}(?:st|nd|rd|th|er|\.|\xba)? (?:of |de |di )?{_MONTH}\.?,?(?: de| del)? {_YEAR}|{_MONTH}\.? {_DAY}(?:st|nd|rd|th)?,? {_YEAR})"
)
_SHORT_DATE = rf"(?i:{_DAY}[/.\-](?:0?[1-9]|[12]\d|3[01])[/.\-]\d\d)"
_BIRTH = (
    r"d\.?o\.?b\.?|birth(?: ?date|day)?s?|date[ _]of[ _]birth|born(?: on| in)?|geb(?:\.|oren)?(?: am)?|geburtsdatum|geburtstag|"
    r"née?(?: le)?|naissance|date de naissance|nacid[oa](?: el)?|nacimiento|nat[oa](?: il)?|nascita|data di nascita"
)
_ALNUM_ID = r"[A-Za-z0-9](?:[A-Za-z0-9]|[\-/][A-Za-z0-9]){4,19}"

_with_digits = whole(lambda v: sum(c.isdigit() for c in v) >= 4)


_YEARS = re.compile(r"(?:19|20)\d\d[\-/](?:19|20)?\d\d$|(?:ISO|UTF)", re.IGNORECASE)


def _licence(value: str) -> int:
    """At least four digits; not a run of years, as in a notice of copyright, and not the name of a character set."""
    return 0 if _YEARS.match(value) else _with_digits(value)


def _looks_like_a_handle(value: str) -> bool:
    """Not a plain word: after `user ` alone, only a name with a digit, a dot or an underscore is a handle."""
    return any(c.isdigit() or c in "._-" for c in value)


# What follows `@` in code: decorators, annotations, documentation tags, style sheets.
_TAGS = frozenset(
    """property staticmethod classmethod abstractmethod dataclass override overload final cached_property lru_cache contextmanager param params
    return returns throws exception deprecated since author see version link code inheritdoc type typedef private public protected internal
    test before after autowired entity component service controller nullable nonnull notnull suppresswarnings media import keyframes charset
    supports layer tailwind apply include font-face page container property types babel angular typescript-eslint""".split()
)


def _is_no_tag(value: str) -> bool:
    return value[1:].lower() not in _TAGS and not value[1:].lower().endswith((".setter", ".getter", ".deleter"))


RULES: tuple[Rule, ...] = (
    Rule(kind="birth_date", pattern=FULL_DATE, score=0.3, context=_BIRTH, against="issued?|expir\\w*|valid|due", right=r"(?![0-9A-Za-z])"),
    Rule(kind="birth_date", pattern=_SHORT_DATE, score=0.2, context=_BIRTH, right=r"(?![0-9A-Za-z])"),
    Rule(
        kind="date", family="date", pattern=FULL_DATE, score=0.5, left=r"(?<![A-Za-z0-9.\-/])",
        right=r"(?![0-9A-Za-z]*[0-9])(?![\-/.]\d)",
    ),
    Rule(
        kind="age", family="date", score=0.6, pattern=r"(?i)\b(\d{1,3}(?: |-)?(?:years?(?: |-)old|yrs?[ \-]old|y/o|yo|ans|años|anni|Jahre alt))",
        left=r"(?<![0-9.,$])", check=whole(lambda v: 0 < int(checks.digits(v)[:3]) < 120),
    ),
    Rule(
        kind="age", family="date", score=0.2, pattern=r"\d{1,2}|1[01]\d", context=r"aged?|age is|alter|âge|edad|età|i am now|turned|turning",
        right=r"(?![A-Za-z0-9%])(?![.,:/\-]\d)(?! ?(?:%|days|minutes|hours|weeks|months|groups?|and|to))",
        left=r"(?<![0-9.,$:/\-A-Za-z\[])",
    ),
    Rule(
        kind="passport", score=0.2, pattern=r"(?:[A-Z]{1,2} ?\d{6,9}|\d{2}[A-Z]{2}\d{5}|\d{9}|[A-Z0-9]{8,9})", check=_with_digits,
        context=rf"passports?{_N}|reisepass\w*{_N}|passeport{_N}|pasaporte{_N}|passaporto{_N}|pass-?nr",
    ),
    Rule(  # the machine-readable zone of a passport or an identity card (ICAO Doc 9303 parts 4 to 6)
        kind="passport", family="sign", score=0.95, left=LEFT_WORD, right=r"(?![A-Z0-9<])", gate="[PIACV][A-Z<][A-Z<]{3}[A-Z0-9<]{25}",
        pattern=r"[PV][A-Z<][A-Z<]{3}[A-Z<]{31}(?:[A-Z<]{8})?(?:\s{1,2}[A-Z0-9<]{36}(?:[A-Z0-9<]{8})?)?|[IAC][A-Z<][A-Z<]{3}[A-Z0-9<]{25}(?:\s{1,2}[A-Z0-9<]{30}){2}|[IAC][A-Z<][A-Z<]{3}[A-Z<]{31}\s{1,2}[A-Z0-9<]{36}",
        check=whole(lambda v: "<<" in v),
    ),
    Rule(
        kind="driving_licence", score=0.2, pattern=_ALNUM_ID, check=_licence,
        context=rf"driv(?:er|ing|er's|ers)'?s? ?(?:licen[cs]es?|permit){_N}|(?:dl|dln|d/l){_N}|licen[cs]e (?:no|number|#)|f\xfchrerschein\w*{_N}|"
        rf"permis(?: de conduire)?{_N}|carn[eé] de conducir|patente{_N}",
    ),
    Rule(kind="document_id", family="token", score=0.8, pattern=r"[A-Z]{2}-(?:DL|ID|PP|PASS|SSN|NID|TIN)-[A-Z0-9]{5,16}"),
    Rule(
        kind="document_id", score=0.2, pattern=_ALNUM_ID, check=_with_digits,
        context=rf"national id{_N}|identity card{_N}|id card{_N}|identity (?:no|number)|personal id{_N}|government id{_N}|"
        rf"resident(?:ial)? permit{_N}|visa (?:no|number){_N}|green card{_N}|student id{_N}|employee id{_N}|badge{_N}",
        left=r"(?<![A-Za-z0-9\-.])", right=r"(?![A-Za-z0-9])",
    ),
    Rule(  # applications to a court: the number names the applicant
        kind="document_id", score=0.2, pattern=r"\d{2,6}/\d{2}(?:\d{2})?", right=r"(?![A-Za-z0-9/.])",
        context=r"applications?(?: \(?nos?\.?)?|requ\xeates?(?: \(?n[o\xb0]s?\.?)?|demandas?(?: \(?n[\xbao]\.?)?|case nos?\.?|docket",
    ),
    Rule(  # of any country, by its key
        kind="national_id", score=0.15, pattern=r"(?:[A-Z]{1,3}[ \-]?)?\d(?:[ .\-/]{0,2}\d){5,13}(?:[ \-]?[A-Z]{1,2}\d?)?", check=whole(lambda v: sum(c.isdigit() for c in v) >= 6),
        context=r"national id(?:entity|entification)?(?: ?(?:no|number|card|code))?|identification (?:number|code)|citizen (?:id|number)|id (?:number|no|code)|ssn|"
        r"social (?:security|insurance)(?: ?(?:no|number|card))?|tax ?(?:payer)? ?(?:id|no|number|code)(?:entification)?(?: ?(?:no|number))?|personal (?:id|number|code)|"
        r"personnummer|cpr(?:-?nr)?|bsn|burgerservicenummer|pesel|cpf|steuer-?(?:id|nr|nummer)|sozialversicherungsnummer|sv-?nr|versichertennummer|ahv-?(?:nr|nummer)|"
        r"numéro (?:fiscal|de sécu\w*)|codice fiscale|partita iva|n[úu]mero de identidad|fodselsnummer|henkilötunnus",
        right=r"(?![A-Za-z0-9])(?![.,\-]\d)",
    ),
    Rule(  # a call that whoever has the number can join
        kind="document_id", score=0.2, pattern=r"\d{3}[ \-]?\d{3,4}[ \-]?\d{3,4}", right=r"(?![A-Za-z0-9])(?![.,\-]\d)",
        context=r"(?:meeting|conference|webinar|zoom)(?: id)?",
    ),
    Rule(
        kind="medical_record", score=0.2, pattern=r"[A-Z]{0,4}-?\d[\dA-Z\-]{4,14}", check=_with_digits,
        context=rf"mrn{_N}|medical record{_N}|patient (?:id|no|number|identifier){_N}|hospital (?:no|number)|health (?:plan|insurance|card){_N}|"
        rf"member (?:id|no|number)|policy (?:no|number)|versichertennummer|krankenversicherung\w*",
        right=r"(?![A-Za-z0-9])",
    ),
    Rule(
        kind="vin", family="token", score=0.5, pattern=r"\b[A-HJ-NPR-Z0-9]{17}", check=whole(checks.vin),
        context=r"vin|chassis|vehicle|fahrgestell\w*|fin",
    ),
    Rule(
        kind="licence_plate", score=0.15, pattern=rf"[{UPPER}0-9]{{1,4}}[ \-][{UPPER}0-9]{{1,4}}(?:[ \-]?[{UPPER}0-9]{{1,4}})?|[A-Z0-9]{{5,8}}",
        check=whole(lambda v: any(c.isdigit() for c in v)),
        context=r"licen[cs]e plates?|number ?plates?|plates?(?: (?:no|number))?|kennzeichen|immatriculation|matr[ií]cula|targa",
    ),
    Rule(  # <handle> text, as in chat logs
        kind="username", family="sign", score=0.7, left="", right="", gate=r"(?m)^<[A-Za-z0-9_\xc0-\xff]", check=whole(_looks_like_a_handle),
        pattern=rf"(?m)^<([{LETTER}0-9_](?:[{LETTER}0-9_.\- ]{{1,38}}))>[ ]",
    ),
    Rule(
        kind="username", family="sign", score=0.6, gate="@", pattern=r"@[A-Za-z0-9_][A-Za-z0-9_.]{1,38}[A-Za-z0-9_]", left=r"(?<![A-Za-z0-9_@/.])",
        right=r"(?![A-Za-z0-9_@/\-(])(?!\n\s{0,40}(?:def|class|async|public|private|protected|static|@)\b)",
        check=whole(_is_no_tag),
    ),
)  # fmt: skip
