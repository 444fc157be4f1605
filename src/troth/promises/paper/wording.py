"""Words that say more than can be shown: a report is attested, a certificate is held, a standard is aligned with.

And addresses of contact: they must lie in a domain that the paper's company owns (GOV-12, GOV-26).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from troth.promises.paper.splitting import Sentence


@dataclass(frozen=True, slots=True)
class Wording:
    """A sentence's words that cannot stand: what is wrong, and what to write instead."""

    code: str
    says: str
    do: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """Wrong when all patterns are in the sentence."""

    code: str
    patterns: tuple[Any, ...]
    says: str
    do: str


def _words(*patterns: str) -> Any:
    return re2.compile(r"(?i)\b(?:" + "|".join(patterns) + r")\b")


_SOC2 = _words(r"SOC[ -]?[123](?: Type I{1,2})?")
_ISO = _words(r"ISO(?:/IEC)?[ -]?[0-9]{4,5}", "ISO standards?")
_LAWS = _words("GDPR", "CCPA", "CPRA", "HIPAA", "DMCA", "Data Protection Act")
_CERTIFIED = _words("certif(?:y|ied|ies|ication|icate)s?", "accredited")
_COMPLIES = _words("compl(?:y|ies|iant|iance)")
_ALIGNED = _words("aligned", "aligns?", "attested", "attestation", "maps?", "mapped")

CERTIFICATE = "wording/certificate"  # claimed; a server knows which are on record
_RULES = (
    _Rule(
        "wording/soc2-certified",
        (_SOC2, _CERTIFIED),
        "Nobody is certified under SOC 2: an independent auditor attests, in a report over a period.",
        'Write "attested: SOC 2 Type II report for <period> by <auditor>", of whoever the report is about.',
    ),
    _Rule(
        "wording/soc2-complies",
        (_SOC2, _COMPLIES),
        "SOC 2 is a report of an auditor, not a rule that one complies with.",
        'Write "attested" and name report and period, or "our controls are aligned with the SOC 2 criteria".',
    ),
    _Rule(
        "wording/iso-mirrors",
        (_ISO, _words("mirrors?", "mirroring", "follows the requirements", "modelled on",
                      "based on", "in the spirit of")),
        "Neither certified nor plainly aligned: readers take it for a certificate.",
        'Write "aligned with", or "certified to" with the certificate.',
    ),
    _Rule(
        "wording/iso-complies",
        (_ISO, _COMPLIES),
        "An ISO standard is certified to by an accredited body, or aligned with.",
        'Write "aligned with", or "certified to" with the certificate.',
    ),
    _Rule(
        CERTIFICATE,
        (_ISO, _CERTIFIED),
        "A certificate is claimed, and none is on record here.",
        'Write "aligned with"; or accept this until the day on which the certificate ends, naming it in the reason.',
    ),
    _Rule(
        "wording/law-certified",
        (_LAWS, _words("certified", "certification", "approved", "accredited")),
        "There is no certificate for that law that covers a whole company.",
        "Say which duties of the law are kept, each in a sentence of its own.",
    ),
    _Rule(
        "wording/withdrawn",
        (_words(r"800-88,? (?:Rev\.?|Revision) ?1", "27001:(?:2005|2013)", r"SP ?800-63B? ?-3", "Privacy Shield"),),
        "That edition is withdrawn.",
        "Name the edition that is in force: NIST SP 800-88 Rev. 2, ISO/IEC 27001:2022.",
    ),
    _Rule(
        "wording/absolute",
        (_words("military-grade", "bank-grade", "unhackable", "unbreakable", "bullet-?proof",
                "cannot be (?:hacked|breached)",
                "(?:100 ?%|completely|absolutely|totally) (?:secure|safe)",
                "guarantees? (?:that|the) .{0,60}(?:never|no)"),),
        "Nobody can show that, so no check can ever stand beside it.",
        "Say what is done, with the number, version or limit that a check looks at.",
    ),
)  # fmt: skip
_STANDARD = re2.compile(r"(?i)\bISO(?:/IEC)?[ -]?([0-9]{4,5})\b")
_ADDRESS = re2.compile(r"(?i)\b[a-z0-9._%+-]{1,64}@((?:[a-z0-9-]{1,63}\.)+[a-z]{2,24})\b")
_LINK = re2.compile(r"(?i)\bhttps?://(?:[^\s/@]{0,100}@)?((?:[a-z0-9-]{1,63}\.)+[a-z]{2,24})\b")


def wordings(sentence: Sentence) -> tuple[Wording, ...]:
    """What is wrong with the words of a sentence. "Aligned" beside a standard is always right."""
    words = sentence.words
    return tuple(
        Wording(rule.code, rule.says, rule.do)
        for rule in _RULES
        if all(one.search(words) for one in rule.patterns)
        and not (rule.code in ("wording/iso-mirrors", "wording/iso-complies") and _ALIGNED.search(words))
    )


@lru_cache(maxsize=4096)  # asked for each sentence of the page, again and again
def claims_certificate(sentence: Sentence) -> bool:
    """True when the words say that a certificate is held."""
    return any(one.code == CERTIFICATE for one in wordings(sentence))


def on_record(sentence: Sentence, certified: Iterable[str]) -> tuple[str, ...]:
    """The certificates on record that cover every standard which the sentence names by number; none when one is not."""
    wanted = set(_STANDARD.findall(sentence.words))
    held = {number: one for one in certified for number in _STANDARD.findall(one)}
    return tuple(sorted({held[one] for one in wanted})) if wanted and wanted <= held.keys() else ()


def contacts(sentence: Sentence, domains: Iterable[str]) -> tuple[Wording, ...]:
    """Addresses of contact in the sentence whose domain is none of `domains` and lies in none of them."""
    owned = tuple(domains)
    found = [one.lower() for pattern in (_ADDRESS, _LINK) for one in pattern.findall(sentence.words)]
    strange = sorted({one for one in found if not any(one == own or one.endswith(f".{own}") for own in owned)})
    says = "The address is in the domain {}, which is none of the paper's domains{}."
    listed = f" ({', '.join(owned)})" if owned else ""
    do = "Use an address of an owned domain, or add the domain under `domains` when the company owns it."
    return tuple(Wording("contact-domain", says.format(one, listed), do) for one in strange)
