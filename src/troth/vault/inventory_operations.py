"""What the doors may ask about where data is."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from troth.kernel.operation import Call, Group, Route, operation
from troth.vault.inventory import Inventory, Stocktaking
from troth.vault.messages import Message, Nothing


class PlacementLine(Message):
    """How many things (`count`) of a place stand in a jurisdiction."""

    place: str
    jurisdiction: str
    count: int


class PlacementInventory(Message):
    """Everything counted; `strangers` is how many are not in `here`, `named` where the first of them are."""

    here: str
    lines: tuple[PlacementLine, ...]
    strangers: int
    named: tuple[str, ...]

    @classmethod
    def of(cls, counted: Inventory) -> PlacementInventory:
        """The outward form."""
        return cls.model_validate(asdict(counted))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementOperations:
    """Where data is: of the whole service, for operators; of one's own tenant, for its privacy officers."""

    stocktaking: Stocktaking

    @operation(
        "placement.inventory",
        group=Group.OPERATE,
        request=Nothing,
        route=Route("GET", "/v1/placement", body="none"),
        command=("placement", "inventory"),
    )
    def inventory(self, call: Call, request: Nothing) -> PlacementInventory:
        """Count everything that is kept, by place and jurisdiction; reads every object's header."""
        del request
        counted = self.stocktaking.whole()
        call.note(count=sum(line.count for line in counted.lines), kinds={"strangers": counted.strangers})
        return PlacementInventory.of(counted)

    @operation(
        "placement.own",
        group=Group.PRIVACY,
        request=Nothing,
        route=Route("GET", "/v1/placement/own", body="none"),
        command=("placement", "own"),
    )
    def own(self, call: Call, request: Nothing) -> PlacementInventory:
        """Count what is kept of your tenant, by place and jurisdiction."""
        del request
        counted = self.stocktaking.of_tenant(call.tenant)
        call.note(count=sum(line.count for line in counted.lines), kinds={"strangers": counted.strangers})
        return PlacementInventory.of(counted)
