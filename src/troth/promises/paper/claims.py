"""What a sentence claims that can be compared: versions, numbers, places, and who or what is meant.

Patterns are for English. A claim that no pattern knows is not compared; the promise behind it is checked all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from troth.promises.paper.parameters import Value
from troth.promises.paper.splitting import Sentence

_NUMBERS = {
    word: number
    for number, word in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    )
} | {"a": 1, "an": 1, "twenty-four": 24, "thirty": 30, "forty-eight": 48, "seventy-two": 72, "ninety": 90}
_HOURS = {"minute": 1 / 60, "hour": 1, "day": 24, "week": 168, "month": 720}
_NUMBER = r"([0-9]{1,4}|[a-z]+(?:-[a-z]+)?)"


def _any(*patterns: str) -> Any:
    return re2.compile("|".join(f"(?:{one})" for one in patterns))


def _words(*patterns: str) -> Any:
    return re2.compile(r"(?i)\b(?:" + "|".join(patterns) + r")\b")


@dataclass(frozen=True, slots=True)
class Claim:
    """A value of a parameter that a sentence claims. `only`: and of nothing else."""

    parameter: str
    value: Value
    only: bool = False


@lru_cache(maxsize=4096)  # lint asks for each sentence twice, a comparison once for each of its promises
def claims(sentence: Sentence) -> tuple[Claim, ...]:
    """What the sentence claims, by the order of the parameters."""
    words = sentence.words
    found = ((name, read(words)) for name, read in _READERS.items())
    only = bool(_ONLY.search(words))
    return tuple(Claim(name, value, only) for name, value in found if value is not None)


_ONLY = _words("only", "solely", "exclusively", "nowhere else", "never leaves?", "nothing leaves")
_TLS = re2.compile(r"(?i)\bTLS\s*(?:v|version)?\s*(1\.[0-9])")
_AES = re2.compile(r"(?i)\bAES[- ]?([0-9]{3})\b")
_WITHIN = re2.compile(r"(?i)\b(?:within|in under|in less than|no later than|at most|inside)\s+" + _NUMBER +
                      r"\s+(?:[a-z]+\s)?(minute|hour|day|week|month)s?\b")  # fmt: skip
_TIMES = re2.compile(r"(?i)\b" + _NUMBER + r"\s+times\s+(?:a|per|each|every)\s+year\b")
_MONTHS = re2.compile(r"(?i)\bevery\s+" + _NUMBER + r"\s+months\b")
_COUNTED = re2.compile(r"(?i)\b" + _NUMBER + r"\s+(?:[a-z-]+\s+){0,2}(?:tests?|pen-?tests?|reviews?|audits?)\b")
_FREQUENCIES: tuple[tuple[Any, float], ...] = (
    (_words("several times (?:a|per|each|every) year"), 3),
    (_words("twice (?:a|per|each|every) year", "semi-?annual(?:ly)?", "half-?yearly"), 2),
    (_words("quarterly", "(?:every|each|a|per) quarter"), 4),
    (_words("monthly", "(?:every|each|a|per|once a) month"), 12),
    (_words("weekly", "(?:every|each|a|per) week"), 52),
    (_words("daily", "(?:every|each) day"), 365),
    (_words("annual(?:ly)?", "yearly", "(?:every|each|a|per) year", "every twelve months"), 1),
)

_STAFF = _words("staff", "employees?", "colleagues?", "everyone", "everybody", "(?:all )?team", "refreshers?", "crew",
                "people who work", "awareness")  # fmt: skip
_TRAINING = _words("train", "trained", "training", "trains", "courses?")
_MODELS = _words("models?", "AI", "machine learning", "algorithms?")
_TELLS = _words("notif(?:y|ied|ies|ication)", "told", "tell", "inform", "informed", "informs", "warn(?:ed)?")
_INCIDENT = _words("incidents?", "breach(?:es)?", "affect(?:ed|ing|s)?", "resolution")
_AUTHORITY = _words("authorit(?:y|ies)", "regulators?", "commissioner", "ICO")
_PLACED = _words("host(?:s|ed|ing)?", "stor(?:e|ed|es|age)", "located", "servers?", "data cent(?:re|er)s?", "machines?",
                 "facilit(?:y|ies)", "kept", "stays?", "lies?", "leaves?", "resid(?:e|es|ency)",
                 "back(?:ed)? ?ups?")  # fmt: skip
_SUPPLIERS = _words("suppliers?", "vendors?", "providers?", "third[- ]part(?:y|ies)", "sub-?processors?")
_DELETES = _words("delet(?:e|ed|es|ion)", "eras(?:e|ed|es|ure)", "destroy(?:ed|s)?", "destruction", "saniti[sz]\\w+",
                  "wip(?:e|ed|es|ing)")  # fmt: skip
_KEYS = _words("keys?", "HSMs?")
_PENTEST = _words("penetration tests?", "penetration testing", "pen-?tests?")
_CONFIGURATION = _words("configuration reviews?", "review(?:s|ed)? (?:of )?(?:the |our )?configurations?")
_AUDIT = _words("(?:external|independent|outside) audits?", "audited by outsiders")
_WATCH = _words(
    "security (?:operations|team|desk|cent(?:re|er))", "on duty", "on call", "watch(?:ed|es)?", "monitor\\w*"
)
_ALARM = _words("alarms?", "alerts?", "acknowledg\\w+")
_NOT = r"(?i)\b(?:no|not|never|zero|without)\b[^.;]{0,60}\b"

_REGIONS = {
    "US": _any(r"\b(?:USA?|U\.S\.|United States|America)\b"),
    "AU": _any(r"\bAustralia\b"),
    "EU": _any(r"\b(?:EU|EEA|Europe|European Union|European Economic Area)\b"),
    "UK": _any(r"\b(?:UK|United Kingdom|Great Britain|England)\b"),
    **{name: _any(rf"\b{name}\b") for name in (
        "Germany", "France", "Ireland", "Netherlands", "Sweden", "Spain", "Italy", "Switzerland", "Norway", "Canada",
        "Japan", "Singapore", "India", "Brazil", "China", "Korea", "Israel", "Frankfurt", "Dublin", "Sydney",
        "Virginia",
    )},
}  # fmt: skip
_PROVIDERS = {
    "aws": _any(r"\bAWS\b", r"\bAmazon Web Services\b"),
    "azure": _any(r"\bAzure\b"),
    "google-cloud": _any(r"\bGCP\b", r"\bGoogle Cloud\b"),
    **{name.lower(): _any(rf"\b{name}\b") for name in ("Hetzner", "OVH", "Scaleway", "Cloudflare", "Oracle Cloud")},
}
_NEEDS = {
    "redaction": _words("redact(?:ed|ion|s)?", "anonymi[sz]ed", "taken out", "strip(?:ped|s)?", "removed"),
    "consent": _words("consent(?:ed)?", "agree(?:d|s)?", "permission", "opt(?:ed)?[- ]in", "said yes", "allowed"),
}
_NEVER = _words("never", "not", "no", "nobody", "none")
_TOLD = {
    "clients": _words("clients?", "customers?", "tenants?", "compan(?:y|ies)"),
    "users": _words("users?", "people", "individuals?", "persons?", "everyone", "patients?", "whoever", "senders?"),
    "public": _words("public", "press", "newspapers?"),
}
_TERMS = {
    "review": _words("review(?:ed|s)?", "due[- ]diligence", "assess(?:ed|ment)"),
    "contract": _words("contract(?:s|ual|ually)?", "agreements?"),
    "encryption": _words("encrypt(?:s|ed|ion)?"),
    "moderation": _words("moderation"),
}
_REACHES = {
    "live": _words("live systems?", "live copies", "production"),
    "backups": _words("back-?ups?"),
    "nist-800-88": _words("800-88"),
    "physical-destruction": _words("shred(?:ded|s)?", "degauss\\w*", "pulveri[sz]\\w+", "incinerat\\w+", "DoD 5220"),
}
_RETAINS = re2.compile(_NOT + r"(?:retain(?:ed|s)?|retention|stored?|kept|keeps?)\b")
_STEPS = (
    ("fips-140-3", _words("FIPS 140-3")),
    ("fips-140-2", _words("FIPS 140-2")),
    ("hardware", _words("hardware", "HSMs?")),
    ("software", _words("software", "files?")),
)


def _number(word: str) -> float | None:
    return float(word) if word.isdigit() else _NUMBERS.get(word.lower())


def _hours(words: str) -> float | None:
    found = _WITHIN.search(words)
    number = _number(found.group(1)) if found else None
    return None if found is None or number is None else number * _HOURS[found.group(2).lower()]


def _per_year(words: str) -> float | None:
    for pattern, twelve in ((_TIMES, False), (_MONTHS, True)):
        found = pattern.search(words)
        number = _number(found.group(1)) if found else None
        if number:
            return 12 / number if twelve else number
    times = next((times for pattern, times in _FREQUENCIES if pattern.search(words)), None)
    counted = next((one for word in _COUNTED.findall(words) if (one := _number(word)) is not None), 1)
    return None if times is None else times * counted  # "four tests every year"


def _named(words: str, tokens: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(name for name, pattern in tokens.items() if pattern.search(words))


def _about(words: str, *patterns: Any) -> bool:
    return all(pattern.search(words) for pattern in patterns)


def _least(words: str, pattern: Any) -> float | None:
    numbers = [float(one) for one in pattern.findall(words)]
    return min(numbers, default=None)


def _training_needs(words: str) -> Value | None:
    if not _about(words, _TRAINING, _MODELS) or _STAFF.search(words):
        return None
    needs = _named(words, _NEEDS)
    return needs or (frozenset({"no-training-at-all"}) if _NEVER.search(words) else None)


def _vendor_terms(words: str) -> Value | None:
    if not _SUPPLIERS.search(words):
        return None
    terms = set(_named(words, _TERMS))
    if _RETAINS.search(words):
        terms.add("no-retention-without-consent" if _NEEDS["consent"].search(words) else "no-retention-at-all")
    return frozenset(terms) or None


def _told(words: str) -> Value | None:
    if not _about(words, _TELLS, _INCIDENT):
        return None
    return _named(words, _TOLD) or None


def _notice(words: str) -> float | None:
    return _hours(words) if _about(words, _TELLS, _INCIDENT) and not _AUTHORITY.search(words) else None


def _authority(words: str) -> float | None:
    return _hours(words) if _about(words, _TELLS, _AUTHORITY) else None


def _watch(words: str) -> float | None:
    if not _WATCH.search(words):
        return None
    if _ALWAYS.search(words):
        return 168.0
    return 40.0 if _OFFICE.search(words) else None


_ALWAYS = _words("24/7", "24 ?x ?7", "around the clock", "day and night", "every hour of (?:the|every) (?:day|week)")
_OFFICE = _words("(?:office|business|working) hours")


def _scaled(factor: float, value: float | None) -> float | None:
    return None if value is None else value * factor


def _training_months(words: str) -> float | None:
    times = _per_year(words) if _about(words, _TRAINING, _STAFF) else None
    return None if times is None else 12 / times


def _when(read: Callable[[str], Value | None], *about: Any) -> Callable[[str], Value | None]:
    return lambda words: (read(words) or None) if _about(words, *about) else None


_READERS: dict[str, Callable[[str], Value | None]] = {
    "tls-minimum": lambda words: _least(words, _TLS),
    "aes-bits": lambda words: _least(words, _AES),
    "training-needs": _training_needs,
    "told": _told,
    "notice-hours": _notice,
    "authority-hours": _authority,
    "regions": _when(lambda words: _named(words, _REGIONS), _PLACED),
    "hosting-providers": lambda words: _named(words, _PROVIDERS) or None,
    "key-place": _when(lambda words: next((step for step, one in _STEPS if one.search(words)), None), _KEYS),
    "training-months": _training_months,
    "pentests-per-year": _when(_per_year, _PENTEST),
    "watch-hours": _watch,
    "alarm-minutes": _when(lambda words: _scaled(60, _hours(words)), _ALARM),
    "vendor-terms": _vendor_terms,
    "erasure": _when(lambda words: _named(words, _REACHES), _DELETES),
    "erasure-days": _when(lambda words: _scaled(1 / 24, _hours(words)), _DELETES),
    "config-reviews-per-year": _when(_per_year, _CONFIGURATION),
    "external-audits-per-year": _when(_per_year, _AUDIT),
}


def claimed(found: Iterable[Sentence]) -> dict[str, list[tuple[Sentence, Claim]]]:
    """All claims of those sentences, by parameter."""
    made: dict[str, list[tuple[Sentence, Claim]]] = {name: [] for name in _READERS}
    for sentence in found:
        for claim in claims(sentence):
            made[claim.parameter].append((sentence, claim))
    return made
