"""What an owner lets a provider's word be worth: roles, assurance, and which claims a person must have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

ROLE_MS = 30 * 24 * 3600 * 1000  # a provider's role lapses when it does not speak of its holder for a month
_Value = Annotated[str, StringConstraints(min_length=1, max_length=256)]
_Claim = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Values = Annotated[tuple[_Value, ...], Field(min_length=1, max_length=32)]
Level = Annotated[int, Field(ge=1, le=3)]
# An owner is made by an owner, never by a provider: whoever runs that one would have the tenant.
MappedRole = Literal["admin", "member", "auditor", "privacy-officer"]


class Rules(BaseModel):
    """What a provider's word gives. `role_claim` names the claim or attribute that carries groups; `levels` maps values
    of acr, amr or AuthnContextClassRef to assurance levels (NIST SP 800-63B-4); `assurance` is what the provider proves
    when it says none of those, and `ceiling` the most that its word ever proves here. `required`: claims or attributes
    that a person must have, each with one of its values (a truth value is the text "true"). `email_trusted`: a SAML
    provider lets nobody there write an address themselves."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role_claim: _Claim | None = None
    roles: Annotated[dict[_Value, MappedRole], Field(max_length=64)] = Field(default_factory=dict)
    default_roles: frozenset[MappedRole] = frozenset()
    assurance: Level = 1
    levels: Annotated[dict[_Value, Level], Field(max_length=32)] = Field(default_factory=dict)
    ceiling: Level = 2
    required: Annotated[dict[_Claim, _Values], Field(max_length=16)] = Field(default_factory=dict)
    email_trusted: bool = False

    def mapped(self, attributes: Mapping[str, Sequence[str]]) -> frozenset[str]:
        """The roles that a person's claims give."""
        values = attributes.get(self.role_claim, ()) if self.role_claim else ()
        return self.default_roles | {self.roles[value] for value in values if value in self.roles}

    def level(self, said: Sequence[str]) -> int:
        """The assurance of a sign-in of which the provider said these values: the best that the mapping names."""
        best = max((self.levels[one] for one in said if one in self.levels), default=self.assurance)
        return min(best, self.ceiling)

    def met(self, attributes: Mapping[str, Sequence[str]]) -> bool:
        """True when a person's claims have one of the values of every claim that is required."""
        return all(set(values) & set(attributes.get(claim, ())) for claim, values in self.required.items())


def taken(before: Rules, after: Rules) -> frozenset[str]:
    """The roles that some value gave and gives no more. Who still has another value of them gets them again when the
    provider next speaks of them: which one gave a role is not kept."""
    had, has = _givers(before), _givers(after)
    return frozenset(role for role, givers in had.items() if not givers <= has.get(role, frozenset()))


def _givers(rules: Rules) -> dict[str, frozenset[tuple[str | None, str]]]:
    """What gives each role: a value of the claim, or nothing but that somebody is of the connection."""
    given: dict[str, frozenset[tuple[str | None, str]]] = {
        role: frozenset({(None, "")}) for role in rules.default_roles
    }
    for value, role in rules.roles.items():
        given[role] = given.get(role, frozenset()) | {(rules.role_claim, value)}
    return given
