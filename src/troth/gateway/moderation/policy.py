"""What is done about each kind of content: the floor of the installation, and what a tenant sets over it. Pure.

The policy of a tenant holds enumerations and numbers only, so it names nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from troth.kernel.errors import Denied, Invalid, TooLarge
from troth.settings import strict_yaml

CATEGORIES = frozenset(
    """harassment harassment/threatening hate hate/threatening illicit illicit/violent self-harm self-harm/intent
    self-harm/instructions sexual sexual/minors violence violence/graphic""".split()
)
PROMPT_ATTACK = "prompt_attack"  # of the request upon the model; never a category of OpenAI's
HASH_LIST = "hash_list"  # a picture on a list of take-downs: always refused, by no threshold
HELP = "self-harm/intent"  # who speaks of it is helped
ALWAYS = frozenset({"sexual/minors"})  # no installation permits it
LARGEST = 16 << 10  # characters of a policy
_LIMITS = strict_yaml.Limits(characters=LARGEST, nodes=4_000, depth=12)


class Action(StrEnum):
    """What happens to a text or picture that reaches a threshold, mildest first."""

    ALLOW = "allow"
    FLAG = "flag"  # it passes; a case notes it
    REVIEW = "review"  # it passes; somebody looks at the case by a date
    REFUSE = "refuse"  # it is stopped; somebody looks at the case by a date

    @property
    def weight(self) -> int:
        """Higher is stricter."""
        return list(Action).index(self)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Part):
    """From which score (0 to 1) on what is done; `flagged`: from which on the class is said to be there when somebody
    asks (`threshold` when left out)."""

    action: Action
    threshold: Annotated[float, Field(gt=0, le=1)]
    flagged: Annotated[float, Field(gt=0, le=1)] | None = None

    def said(self, score: float) -> bool:
        """Whether it is said to be there; what a policy allows is said all the same."""
        return score >= (self.threshold if self.flagged is None else min(self.flagged, self.threshold))

    def at(self, score: float) -> Action:
        """What is done at a score."""
        return self.action if score >= self.threshold else Action.ALLOW

    def stricter(self, other: Rule) -> Rule:
        """The stricter of both, by what is done and by when."""
        first = max(self, other, key=lambda one: one.action.weight)
        told = [one for one in (self.flagged, other.flagged) if one is not None]
        least = {"threshold": min(self.threshold, other.threshold), "flagged": min(told) if told else None}
        return first.model_copy(update=least)


class Periods(_Part):
    """How long things take and are kept."""

    review_days: Annotated[int, Field(ge=1, le=90)] = 7
    urgent_hours: Annotated[int, Field(ge=1, le=168)] = 24
    appeal_window_days: Annotated[int, Field(ge=183, le=3650)] = 183
    appeal_days: Annotated[int, Field(ge=1, le=90)] = 14
    case_days: Annotated[int, Field(ge=183, le=3650)] = 365
    evidence_days: Annotated[int, Field(ge=90, le=3650)] = 365


class _Pictures(_Part):
    sexual: Rule | None = None
    required: bool | None = None


class _Written(_Part):
    """A policy as people write it. What is left out is as the floor has it."""

    version: Annotated[int, Field(ge=1, le=1_000_000)]
    categories: dict[str, Rule] = {}
    pictures: _Pictures = _Pictures()


class _Floor(_Written):
    prohibited: frozenset[str]
    periods: Periods = Periods()


_Kind = TypeVar("_Kind", bound=_Written)


@dataclass(frozen=True, slots=True)
class Policy:
    """What is in force. `rules` has every category and `prompt_attack`; `name` says whose it is and which version."""

    name: str
    rules: Mapping[str, Rule]
    picture: Rule
    pictures_required: bool
    prohibited: frozenset[str] = ALWAYS
    periods: Periods = field(default_factory=Periods)

    def action(self, category: str, score: float) -> Action:
        """What is done about a text."""
        return self.rules[category].at(score)

    def over(self, text: str, name: str) -> Policy:
        """This floor with what a tenant wrote laid over it. For prohibited classes the stricter of both holds.

        Raises `Invalid` (policy-invalid).
        """
        written = _read(_Written, text)
        rules = dict(self.rules)
        for category, rule in written.categories.items():
            rules[category] = rule.stricter(rules[category]) if category in self.prohibited else rule
        required = written.pictures.required
        return replace(
            self,
            name=f"{self.name}.{name}.{written.version}",
            rules=rules,
            picture=written.pictures.sexual or self.picture,
            pictures_required=self.pictures_required if required is None else required or self.pictures_required,
        )

    def require_strict(self, text: str) -> None:
        """Raises `Denied` (policy-too-weak) for the first prohibited class that a tenant's policy would permit."""
        for category, rule in _read(_Written, text).categories.items():
            floor = self.rules[category]
            weaker = rule.action.weight < floor.action.weight or rule.threshold > floor.threshold
            if category in self.prohibited and weaker:
                raise Denied(
                    f"This service prohibits {category}; a policy may be stricter about it, not milder.",
                    code="policy-too-weak",
                    field=category,
                )


def read_floor(path: Path | None = None) -> Policy:
    """The installation's own policy, or the shipped one. Raises `Invalid` (policy-invalid) for an incomplete one."""
    shipped = files("troth.gateway.moderation").joinpath("floor.yaml")
    written = _read(_Floor, path.read_text("utf-8") if path else shipped.read_text("utf-8"))
    refused = {name for name, rule in written.categories.items() if rule.action is Action.REFUSE}
    complete = written.categories.keys() >= CATEGORIES | {PROMPT_ATTACK} and written.pictures.sexual is not None
    if not complete or not ALWAYS <= written.prohibited <= refused:
        raise Invalid(
            "The moderation policy of this service names every category, prohibits sexual/minors at least and refuses "
            "what it prohibits; complete it.",
            code="policy-invalid",
        )
    assert written.pictures.sexual is not None
    return Policy(
        name=f"floor.{written.version}",
        rules=written.categories,
        picture=written.pictures.sexual,
        pictures_required=bool(written.pictures.required),
        prohibited=written.prohibited,
        periods=written.periods,
    )


def _read(kind: type[_Kind], text: str) -> _Kind:
    wrong = Invalid(
        "This is no moderation policy; see docs/how-to/moderate-content.md for its form.", code="policy-invalid"
    )
    try:
        written = kind.model_validate(strict_yaml.load(text, _LIMITS, what="policy"))
    except (Invalid, TooLarge, ValidationError) as error:
        raise wrong from error
    if not set(written.categories) <= CATEGORIES | {PROMPT_ATTACK}:
        raise wrong
    return written
