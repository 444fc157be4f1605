"""Everything that is wrong with a paper: what is bound, what it claims, how it says it, and what is known of it now."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Literal

from troth.kernel.errors import Invalid
from troth.promises.catalogue import Promise
from troth.promises.paper.binding import Paper
from troth.promises.paper.claims import claimed, claims
from troth.promises.paper.matching import Matched, Pair, matched
from troth.promises.paper.parameters import Parameter, tightened
from troth.promises.paper.splitting import Sentence
from troth.promises.paper.wording import CERTIFICATE, contacts, on_record, wordings

LONGEST_ACCEPTANCE = timedelta(days=366)
BINDING = frozenset(
    {"unbound", "changed", "gone", "twice", "hash", "unknown-promise", "unchecked", "uncovered-promise"}
)
Severity = Literal["error", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing. `sentence` is None when it is about the binding file. Notes do not fail a paper."""

    code: str
    says: str
    do: str
    sentence: Sentence | None = None
    severity: Severity = "error"

    @property
    def where(self) -> str:
        """As people say it."""
        return self.sentence.place if self.sentence else "binding file"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        one = self.sentence
        placed = {"line": one.line, "sentence": one.ordinal, "quote": one.text} if one else {}
        return {
            "code": self.code,
            "severity": self.severity,
            "where": self.where,
            "says": self.says,
            "do": self.do,
        } | placed


@dataclass(frozen=True, slots=True)
class Known:
    """What a paper is held against.

    `checks`: ids of checks that exist. `states`: promise to its state now, when that is known. `today` counts for what
    people accepted until a day. `certified`: standards of which a certificate is on record, as the register names them.
    """

    promises: Mapping[str, Promise]
    parameters: Mapping[str, Parameter]
    checks: Collection[str]
    today: date
    states: Mapping[str, str] = field(default_factory=dict)
    certified: Collection[str] = ()


def lint(paper: Paper, known: Known) -> tuple[Finding, ...]:
    """All findings: of the binding file first, then sentence by sentence. Nothing but notes: it may be published."""
    beside = matched(paper)
    found = [*_own(paper, known), *_file(paper, beside)]
    try:
        kept = tightened(known.parameters, paper.binding.parameters)
    except Invalid as error:
        kept = dict(known.parameters)
        found.append(Finding("parameter", error.advice, "Correct it under `parameters`."))
    promises = {**known.promises, **{one.id: one.promise(paper.name) for one in paper.own}}
    for pair in beside.pairs:
        wrong = [*_binding(pair, promises), *_claims(pair, kept), *_words(pair, paper, known), *_now(pair, known)]
        found += _accepted(pair, wrong, known.today)
    found += _together(paper, kept)
    return tuple(sorted(found, key=_place))


def failed(findings: Collection[Finding]) -> bool:
    """True when anything but notes was found."""
    return any(one.severity == "error" for one in findings)


def _place(finding: Finding) -> tuple[int, int]:
    return (finding.sentence.line, finding.sentence.ordinal) if finding.sentence else (0, 0)


def _file(paper: Paper, beside: Matched) -> Iterator[Finding]:
    refresh = f"Run `troth paper bind {paper.binding.text.file}` and look at what it says."
    if paper.digest != paper.binding.text.sha256:
        yield Finding("hash", "The text is not the one whose digest the binding file states.", refresh)
    for row in beside.gone:
        carried = ", ".join(row.carries) or "no promise"
        says = f"The sentence bound at {row.at} is in the text no more; it carried {carried}."
        yield Finding("gone", says, refresh)
    for row in beside.twice:
        yield Finding("twice", f"The sentence at {row.at} is bound more often than it stands in the text.", refresh)
    moved = [pair.sentence for pair in beside.pairs if pair.how == "moved"]
    if moved:
        says = f"{len(moved)} sentences stand elsewhere than the binding file says, with the same words."
        yield Finding("moved", says, refresh, moved[0], "note")


def _own(paper: Paper, known: Known) -> Iterator[Finding]:
    carried = {promise for row in paper.binding.sentences for promise in row.carries}
    listed: set[str] = set()
    for one in paper.own:
        if one.id in known.promises or one.id in listed:
            yield Finding("twice", f"The promise {one.id} exists already.", "Give the paper's own promise another id.")
        listed.add(one.id)
        if one.id not in carried:
            says = f"No sentence carries the paper's own promise {one.id}."
            yield Finding("uncovered-promise", says, "Bind a sentence to it, or remove it.")
        for check in one.checks:
            if check not in known.checks:
                says = f"The promise {one.id} names the check {check}, which does not exist."
                yield Finding("unchecked", says, "Name a check of docs/reference/promises.md.")


def _binding(pair: Pair, promises: Mapping[str, Promise]) -> Iterator[Finding]:
    sentence, bound = pair.sentence, pair.bound
    if pair.how == "changed" and bound:
        before = ", ".join(bound.carries) or "no promise"
        says = f"The words are not those that were bound here; those carried {before}."
        yield Finding("changed", says, "Read the new words, bind them, and state their digest.", sentence)
    elif bound is None or not bound.decided:
        says = "Nobody has said what this sentence carries."
        yield Finding("unbound", says, "Name its promises, or say why it carries none (because: …).", sentence)
    for one in bound.carries if bound and pair.how != "changed" else ():
        if one not in promises:
            says = f"It carries {one}, which no catalogue has."
            yield Finding(
                "unknown-promise", says, "Name a promise of the catalogue or one of the paper's own.", sentence
            )


def _claims(pair: Pair, kept: Mapping[str, Parameter]) -> Iterator[Finding]:
    carries = set(pair.bound.carries) if pair.bound and pair.how != "changed" else set()
    for claim in claims(pair.sentence):
        one = kept[claim.parameter]
        verdict, spelt = one.judge(claim.value, only=claim.only), one.spelt(claim.value)
        only = "only " if claim.only and one.rule == "among" else ""
        if verdict == "more":
            says = f"It claims {only}{spelt} ({one.unit}); what is kept here is {one.spelt()}."
            yield Finding("contradicted", says, "Claim what is kept, or keep more first.", pair.sentence)
        elif verdict == "unkept":
            says = f"It claims {spelt} ({one.unit}), which nothing here keeps or looks at."
            yield Finding("unkept", says, "Leave it out, or accept it until a day with the reason.", pair.sentence)
        elif verdict == "weaker" and one.rule != "all-of":
            says = f"It claims {spelt} ({one.unit}); here the stricter {one.spelt()} rules."
            yield Finding("weaker", says, "Nothing must be done; the paper may claim it.", pair.sentence, "note")
        if _decided(pair) and not carries & one.promises:
            says = f"It claims {spelt} ({one.unit}) but carries none of {', '.join(sorted(one.promises))}."
            yield Finding("misbound", says, "Bind it to the promise behind the claim.", pair.sentence)


def _decided(pair: Pair) -> bool:
    """True when somebody said what it carries, and did not say that the words are about others."""
    return pair.bound is not None and pair.how != "changed" and pair.bound.decided and pair.bound.because != "not-ours"


def _together(paper: Paper, kept: Mapping[str, Parameter]) -> Iterator[Finding]:
    """Lists that the paper as a whole claims less of than is kept: conditions stand in several sentences."""
    for name, found in claimed(paper.sentences).items():
        one = kept[name]
        values = [claim.value for _, claim in found if isinstance(claim.value, frozenset)]
        said = frozenset[str]().union(*values)
        if one.rule == "all-of" and found and isinstance(one.value, frozenset) and one.value - said:
            says = f"It claims {one.spelt(said)} ({one.unit}); here the stricter {one.spelt()} rules."
            yield Finding("weaker", says, "Nothing must be done; the paper may claim it.", found[0][0], "note")


def _words(pair: Pair, paper: Paper, known: Known) -> Iterator[Finding]:
    held = on_record(pair.sentence, known.certified)
    for one in (*wordings(pair.sentence), *contacts(pair.sentence, paper.binding.domains)):
        if one.code == CERTIFICATE and held:
            says = f"A certificate is claimed, and one is on record: {', '.join(held)}."
            yield Finding(one.code, says, "Nothing must be done while it is valid.", pair.sentence, "note")
        else:
            yield Finding(one.code, one.says, one.do, pair.sentence)


def _now(pair: Pair, known: Known) -> Iterator[Finding]:
    for one in pair.bound.carries if pair.bound and pair.how != "changed" else ():
        if known.states.get(one) == "not kept":
            says = f"It says what is not so now: {one} is not kept."
            yield Finding(
                "not-kept", says, f"Look at {one} under `troth promises`, or ask for an exception.", pair.sentence
            )


def _accepted(pair: Pair, wrong: list[Finding], today: date) -> Iterator[Finding]:
    """The findings, those that a person accepted as notes; an acceptance that ended or is of nothing is one itself."""
    accepts = pair.bound.accepts if pair.bound and pair.how != "changed" else ()
    by_code = {one.finding: one for one in accepts}
    for finding in wrong:
        one = by_code.pop(finding.code, None)
        if one is None:
            yield finding
        elif not today <= one.until <= today + LONGEST_ACCEPTANCE:
            days = LONGEST_ACCEPTANCE.days
            says = f"{finding.says} It was accepted until {one.until}, which has passed or is over {days} days away."
            yield Finding(finding.code, says, finding.do, pair.sentence)
        else:
            says = f"{finding.says} Accepted until {one.until} by {one.by}: {one.because}"
            yield Finding(finding.code, says, "Nothing must be done until that day.", pair.sentence, "note")
    for code in by_code:
        says = f"An acceptance of {code} stands here, and there is no such finding."
        yield Finding("idle-acceptance", says, "Remove it.", pair.sentence)
