"""Redaction policies as files: read strictly, with everything that is missing, contradictory or unknown (TRN-03)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from troth.kernel.errors import Invalid, NotFound, TooLarge
from troth.redact.decisions import Action, Allowed, CustomDetector, Decision, Policy, Problem, problems
from troth.settings import strict_yaml

__all__ = [
    "Action", "Decision", "Policy", "Problem", "lint", "load_policy", "parse_policy", "shipped", "training_policy",
    "vendor_policy",
]  # fmt: skip

SHIPPED = ("training", "vendor")
_LARGEST = 4 << 20  # characters of a policy; a word list is the longest part
_MOST_NODES = 250_000  # of its YAML: keys, values, lists
_FIELDS = frozenset(Policy.model_fields)
_WORDS_OF = "remove, mask, label, pseudonym, surrogate, or keep with its reason"
_Map = dict[Any, Any]


def _too_long() -> TooLarge:
    return TooLarge("The policy is longer than a policy may be; shorten its word lists.", code="policy-too-long")


def _mapping(text: str, most_nodes: int) -> tuple[_Map, list[Problem]]:
    """The top level of a policy, and the keys that stand twice. Raises Invalid or TooLarge when it is none."""
    try:
        document = strict_yaml.read(text, strict_yaml.Limits(_LARGEST, most_nodes))
    except strict_yaml.BadYaml as error:
        if isinstance(error, strict_yaml.TooMuchYaml) and not isinstance(error, strict_yaml.TooDeepYaml):
            raise _too_long() from error
        raise Invalid("The policy is not YAML, or uses anchors, which it may not.", code="policy-invalid") from error
    raw = document.value
    if not isinstance(raw, dict) or not isinstance(raw.get("decisions"), dict):
        raise Invalid("The policy needs the fields name, version and decisions.", code="policy-invalid")
    says = "The policy says {} twice, and only the last would count."
    return raw, [Problem(code="contradiction", where=name, says=says.format(name)) for name in document.twice]


def _decision(value: Any) -> Decision:
    """`label`, or `{keep: why}`. Raises ValueError."""
    if isinstance(value, str):
        return Decision(action=Action(value))
    if isinstance(value, dict) and list(value) == ["keep"] and isinstance(value["keep"], str):
        return Decision(action=Action.KEEP, reason=value["keep"])
    raise ValueError


def _decisions(raw: Mapping[Any, Any], where: str, found: list[Problem]) -> dict[str, Decision]:
    decisions = {}
    for name, value in raw.items():
        try:
            decisions[str(name)] = _decision(value)
        except ValueError:
            says = f"The decision on {name} is none of {_WORDS_OF}."
            found.append(Problem(code="unknown", where=f"{where}.{name}", says=says))
    return decisions


def _list(raw: _Map, where: str, model: type[BaseModel], found: list[Problem]) -> tuple[Any, ...]:
    """The entries of a list in the policy that can be read as `model`."""
    entries = [] if raw.get(where) is None else raw[where]
    if not isinstance(entries, list):
        found.append(Problem(code="invalid", where=where, says=f"The field {where} of the policy is a list."))
        return ()
    made = []
    for number, entry in enumerate(entries):
        place = f"{where}.{number}"
        try:
            fields = dict(entry)
            if "decision" in fields:
                fields["decision"] = _decision(fields["decision"])
            made.append(model.model_validate(fields))
        except ValidationError as error:
            field = ".".join([place, *map(str, error.errors()[0]["loc"])])
            found.append(Problem(code="invalid", where=field, says=f"The policy's field {field} is not acceptable."))
        except (ValueError, TypeError):
            says = f"The entry {place} of the policy is no list of fields, or its decision is none of {_WORDS_OF}."
            found.append(Problem(code="invalid", where=place, says=says))
    return tuple(made)


def _read(text: str, most_nodes: int = _MOST_NODES) -> tuple[_Map, list[Problem]]:
    """(the fields of a policy as models, everything wrong with them). Raises Invalid or TooLarge."""
    raw, found = _mapping(text, most_nodes)
    for name in raw:
        if name not in _FIELDS:
            found.append(Problem(code="unknown", where=str(name), says=f"The policy has an unknown field: {name}."))
    kinds = {} if raw.get("kinds") is None else raw["kinds"]
    if not isinstance(kinds, dict):
        found.append(Problem(code="invalid", where="kinds", says="The field kinds of the policy is no mapping."))
        kinds = {}
    unread: list[Problem] = []
    fields = raw | {
        "decisions": _decisions(raw["decisions"], "decisions", unread),
        "kinds": _decisions(kinds, "kinds", unread),
        "allow": _list(raw, "allow", Allowed, found),
        "detectors": _list(raw, "detectors", CustomDetector, found),
    }
    seen = {problem.where for problem in unread}
    parts = fields["decisions"], fields["kinds"], fields["allow"], fields["detectors"]
    return fields, found + unread + [problem for problem in problems(*parts) if problem.where not in seen]


def _headers(fields: _Map) -> Iterator[Problem]:
    """What is wrong with the fields that are no lists and no decisions."""
    try:
        Policy.model_validate({name: value for name, value in fields.items() if name in _FIELDS})
    except ValidationError as error:
        for one in error.errors():
            where = ".".join(str(part) for part in one["loc"])
            if where:  # the whole: said already
                yield Problem(code="invalid", where=where, says=f"The policy's field {where} is not acceptable.")


def lint(text: str) -> list[Problem]:
    """Everything that is missing, contradictory, unknown or invalid in a policy text; an empty list means complete.

    Raises Invalid when the text is no policy at all, TooLarge beyond 4 million characters or 250,000 keys and values.
    """
    fields, found = _read(text)
    return found + list(_headers(fields))


def parse_policy(text: str, *, most_nodes: int = _MOST_NODES) -> Policy:
    """A policy from YAML of at most so many keys, values and lists. Raises Invalid naming the first problem:
    `policy-invalid` when a field cannot be read, `policy-incomplete` for anything that is missing, unknown or
    contradictory; TooLarge."""
    fields, found = _read(text, most_nodes)
    found += list(_headers(fields))
    if found:
        code = "policy-invalid" if found[0].code == "invalid" else "policy-incomplete"
        raise Invalid(found[0].says, code=code, field=found[0].where)
    return Policy.model_validate(fields)


def load_policy(path: Path) -> Policy:
    """A policy from a YAML file. Raises NotFound or Invalid."""
    return parse_policy(read_policy(path))


def read_policy(path: Path) -> str:
    """The text of a policy file. Raises NotFound, or Invalid when it is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise NotFound("The policy file cannot be read.", code="policy-not-found") from error
    except ValueError as error:
        raise Invalid("The policy file is not UTF-8 text.", code="policy-invalid") from error


def shipped_text(name: str) -> str:
    """The YAML of one of `SHIPPED`. Raises NotFound."""
    if name not in SHIPPED:
        raise NotFound("There is no shipped policy of that name.", code="policy-not-found")
    return resources.files("troth.redact").joinpath("policies", f"{name}.yaml").read_text(encoding="utf-8")


@lru_cache(maxsize=4)
def shipped(name: str) -> Policy:
    """One of `SHIPPED`. Raises NotFound."""
    return parse_policy(shipped_text(name))


def training_policy() -> Policy:
    """The default for data sets that train models."""
    return shipped("training")


def vendor_policy() -> Policy:
    """The default for prompts that go to a vendor: what the vendor need not see."""
    return shipped("vendor")
