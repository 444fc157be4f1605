"""What doors may ask of the key domains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from troth.kernel.data_class import DataClass
from troth.kernel.operation import Call, Group, Route, operation
from troth.keys.domain_view import DomainsShown, domains_shown
from troth.keys.domains import Domain
from troth.keys.lifecycle import Reason
from troth.keys.tree import KeyTree
from troth.storage.database import Database


class Nothing(BaseModel):
    """A request without fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Retirement(BaseModel):
    """Which domain is given up. `lost`: it can never be asked again, so its roots cannot be confirmed as destroyed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    domain: str = Field(min_length=1, max_length=31, pattern=r"^[a-z][a-z0-9-]*$")
    lost: bool = False


class DomainRetired(BaseModel):
    """The epoch that stands without the domain, roots destroyed on the way, and domains with unconfirmed roots."""

    model_config = ConfigDict(frozen=True)

    epoch: int
    roots_destroyed: tuple[str, ...]
    lost: tuple[str, ...]


class Replicated(BaseModel):
    """The epoch that is in force now, and the roots that were destroyed on the way to it."""

    model_config = ConfigDict(frozen=True)

    epoch: int
    roots_destroyed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyDomainOperations:
    """The key domains, for operators."""

    database: Database
    domains: Sequence[Domain]
    jurisdiction: str
    tree: KeyTree

    @operation(
        "key-domain.list",
        group=Group.OPERATE,
        request=Nothing,
        route=Route("GET", "/v1/key-domains", body="none"),
        command=("keys", "domains"),
        data_class=DataClass.SYSTEM,
    )
    def list(self, call: Call, _request: Nothing) -> DomainsShown:
        """List the key domains: kind, assurance, whether they answer, roots with states and times."""
        found = domains_shown(self.database, self.domains, self.jurisdiction)
        call.note(count=len(found.domains))
        return found

    @operation(
        "key-domain.replicate",
        group=Group.OPERATE,
        request=Nothing,
        route=Route("POST", "/v1/key-domains/copies", max_bytes=1 << 10),
        command=("keys", "replicate"),
        data_class=DataClass.SYSTEM,
    )
    def replicate(self, call: Call, _request: Nothing) -> Replicated:
        """Copy all key pages to every domain and make new roots: after a domain was added or lost its folder."""
        done = self.tree.replicate()
        call.note(epoch=done.epoch_after, count=len(done.roots))
        return Replicated(epoch=done.epoch_after, roots_destroyed=tuple(one.root for one in done.roots))

    @operation(
        "key-domain.retire",
        group=Group.OPERATE,
        request=Retirement,
        route=Route("POST", "/v1/key-domains/{domain}/retirement", max_bytes=1 << 10),
        command=("keys", "retire"),
        data_class=DataClass.SYSTEM,
    )
    def retire(self, call: Call, request: Retirement) -> DomainRetired:
        """Give a key domain up: its roots are destroyed, or it is stated to be lost."""
        call.note(kinds=request.domain, reason=Reason.LOST if request.lost else Reason.RETIRED)
        done = self.tree.retire(request.domain, lost=request.lost)
        call.note(epoch=done.epoch_after, count=len(done.roots))
        roots = tuple(one.root for one in done.roots)
        return DomainRetired(epoch=done.epoch_after, roots_destroyed=roots, lost=done.lost)
