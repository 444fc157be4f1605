"""A form from its YAML text: every member typed, nothing unknown, nothing that can be understood in two ways."""

from __future__ import annotations

import hashlib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Final

from troth.governance.forms.fields import KINDS, LISTS, Field
from troth.governance.forms.form import (
    Cadence,
    Chain,
    ClockRule,
    Covers,
    DueRule,
    Examples,
    Form,
    Move,
    PopulationRule,
    Span,
    State,
)
from troth.governance.forms.taking import Taker, bad_form, mapping, span, token
from troth.kernel.errors import NotFound
from troth.settings import strict_yaml

_LIMITS: Final = strict_yaml.Limits(characters=64_000, nodes=6_000, depth=12)
_MOST_EXAMPLES: Final = 24
_NONE: Final = Span(0, "days")
_MONTH: Final = Span(30, "days")


def parse_form(text: str) -> Form:
    """A form from YAML of at most 64,000 characters. Its conditions and examples are judged by `linting`.

    Raises Invalid (bad-yaml, yaml-twice, bad-form with the place) or TooLarge.
    """
    take = Taker(_plain(strict_yaml.load(text, _LIMITS, what="form")), "form")
    source = take.maybe_token("source")
    states = take.each("states", _state)
    if not states:
        raise bad_form("form.states", "there is no state")
    opened = take.raw("opens")
    form = Form(
        name=take.token("form"),
        version=take.number("version", 1, 10**6),
        title=take.text("title", 80),
        about=take.text("about"),
        promises=take.texts("promises"),
        keeps=_keeps(Taker(take.raw("keeps", {}), "form.keeps")),
        read=take.tokens("read"),
        fields=take.each("fields", _field),
        states=states,
        opened=None if source and opened is None else _opening(opened, next(iter(states))),
        moves=take.each("moves", _move),
        examples=_examples(Taker(take.raw("examples"), "form.examples")),
        source=source,
        derived=_texts(take, "derived"),
        dues=take.each("dues", _due),
        clocks=take.each("clocks", _clock),
        populations=take.each("population", _population),
        chain=_maybe(take, "chain", _chain),
        cadence=_maybe(take, "cadence", _cadence),
        covers=tuple(take.each("covers", _covers).values()),
        snapshots=take.tokens("snapshots"),
        couples=_texts(take, "couples"),
        kept_when=take.texts("kept_when"),
        digest=hashlib.sha256(text.encode()).hexdigest(),
    )
    take.end()
    return form


@cache
def shipped() -> dict[str, Form]:
    """The forms that come with the software, by name, in the order of their names."""
    return {name: parse_form(shipped_text(name)) for name in shipped_names()}


def shipped_names() -> tuple[str, ...]:
    """The names of the forms that come with the software."""
    folder = files("troth.governance").joinpath("registers")
    return tuple(sorted(one.name.removesuffix(".yaml") for one in folder.iterdir() if one.name.endswith(".yaml")))


def shipped_text(name: str) -> str:
    """The YAML of a form that comes with the software. Raises NotFound."""
    if name not in shipped_names():
        raise NotFound("There is no register of that name.", code="register-not-found")
    return files("troth.governance").joinpath("registers", f"{name}.yaml").read_text(encoding="utf-8")


def _plain(value: Any) -> Any:
    """Days as the texts that they were written as."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {_plain(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _texts(take: Taker, key: str) -> dict[str, str]:
    inner = Taker(take.mapping(key), take.at(key))
    names = take.few(key, list(inner.keys()))
    return {name: inner.text(name) for name in names}


def _maybe(take: Taker, key: str, read: Any) -> Any:
    raw = take.raw(key)
    if raw is None:
        return None
    inner = Taker(raw, take.at(key))
    made = read(inner)
    inner.end()
    return made


def _keeps(take: Taker) -> dict[str, Any]:
    kept = {
        "class": take.token("class"),
        "days": take.number("days", 1, 36_500) if "days" in set(take.keys()) else None,
        "activity": take.token("activity"),
    }
    take.end()
    return kept


def _field(name: str, take: Taker) -> Field:
    written = take.text("type", 24)
    kind = written.removesuffix("!").removesuffix("?")
    if kind not in KINDS and kind not in LISTS:
        raise bad_form(take.at("type"), "there is no such kind of field")
    return Field(
        name=name,
        kind=kind,
        label=take.text("label", 80),
        required=written.endswith("!"),
        of=take.tokens("of"),
        least=take.number("least", -(10**12), 10**12) if "least" in set(take.keys()) else None,
        most=take.number("most", 1, 10**12) if "most" in set(take.keys()) else None,
    )


def _state(name: str, take: Taker) -> State:
    end = take.flag("end", default=False)
    return State(name, end, take.flag("public", default=False), take.flag("judged", default=not end))


def _opening(raw: Any, first: str) -> Move:
    take = Taker(raw, "form.opens")
    to = take.maybe_token("to") or first
    move = Move(
        name="open", start=(), to=to, roles=take.tokens("role"), may=take.tokens("may"), when=take.texts("when"),
        sets=take.mapping("sets"), needs=take.tokens("needs"),
    )  # fmt: skip
    take.end()
    return move


def _move(name: str, take: Taker) -> Move:
    needs: list[str] = []
    asks: dict[str, Field] = {}
    for one in take.several("needs"):
        if isinstance(one, dict):
            asks |= _asked(one, take.at("needs"))
            needs += [key for key in one if asks[key].required]
        else:
            needs.append(token(one, take.at("needs")))
    start = take.tokens("from")
    to = take.maybe_token("to")
    return Move(
        name=name, start=start, to=to, roles=take.tokens("role"), not_by=take.tokens("not_by"), needs=tuple(needs),
        asks=asks, may=take.tokens("may"), when=take.texts("when"), sets=take.mapping("sets"),
    )  # fmt: skip


def _asked(one: Any, place: str) -> dict[str, Field]:
    """`{reason: text!}` is short for a field whose label is its name."""
    found: dict[str, Field] = {}
    for key, inner in mapping(one, place).items():
        told = {"type": inner} if isinstance(inner, str) else mapping(inner, place)
        take = Taker({"label": token(key, place).replace("_", " "), **told}, place)
        found[key] = _field(key, take)
        take.end()
    return found


def _due(name: str, take: Taker) -> DueRule:
    escalate = Taker(take.mapping("escalate"), take.at("escalate"))
    made = DueRule(
        name=name, states=take.tokens("in"), by=take.token("by"), at=take.maybe_token("at"), after=take.tokens("after"),
        within=take.span("within"), when=take.maybe("when"), remind=take.spans("remind"),
        grace=take.span("grace") or _NONE, person=take.maybe_token("person"),
        escalate_after=escalate.span("after"), escalate_to=escalate.maybe_token("to"), lapse=take.maybe_token("lapse"),
    )  # fmt: skip
    escalate.end()
    return made


def _clock(name: str, take: Taker) -> ClockRule:
    return ClockRule(
        name=name, starts=take.token("starts"), law=take.token("law"), within=take.needed_span("within"),
        by=take.token("by"), not_before=take.span("not_before"), stops=take.tokens("stops"),
        inside=take.tokens("inside"),
        extend=take.span("extend"), extended_by=take.maybe_token("extended_by"), when=take.maybe("when"),
        excuse=take.maybe_token("excuse"),
    )  # fmt: skip


def _population(name: str, take: Taker) -> PopulationRule:
    over = take.text("over", 100)
    if over.count(".") != 1:
        raise bad_form(take.at("over"), "it is a register and a state of it, such as staff.active")
    return PopulationRule(
        name=name, states=take.tokens("in"), over=over, every=take.needed_span("every"),
        own_move=take.token("own_move"), renewed_by=take.tokens("renewed_by"), renews_when=take.maybe("renews_when"),
        within=take.span("within") or _MONTH, joiners_within=take.span("joiners_within") or _MONTH,
        lapse=take.maybe_token("lapse"),
    )  # fmt: skip


def _chain(take: Taker) -> Chain:
    join = take.tokens("join")
    if len(join) != 2:
        raise bad_form(take.at("join"), "it is two fields, the first and the last of a range")
    hole = take.raw("hole", "0d")
    return Chain(
        first=join[0], last=join[1], states=take.tokens("in"), hole=span(hole, take.at("hole")),
        reach=take.span("reach"), ahead=take.span("ahead"), back=take.span("back"), where=take.maybe("where"),
    )  # fmt: skip


def _cadence(take: Taker) -> Cadence:
    return Cadence(
        count=take.number("count", 1, 1000), within=take.needed_span("within"), at=take.token("at"),
        states=take.tokens("in"), where=take.maybe("where"), gap=take.span("gap"),
    )  # fmt: skip


def _covers(name: str, take: Taker) -> Covers:
    raw = take.raw("all")
    if isinstance(raw, str):
        return Covers(name, (), raw)
    if not isinstance(raw, list) or not raw or not all(isinstance(one, str) for one in raw):
        raise bad_form(take.at("all"), "it is a list of texts, or the name of one")
    return Covers(name, tuple(raw))


def _examples(take: Taker) -> Examples:
    good, bad = take.rows("good", _MOST_EXAMPLES), take.rows("known_bad", _MOST_EXAMPLES)
    take.end()
    return Examples(good, bad)
