"""Builds what goes out about the calendar: feeds, webhooks, letters, and the reminders that they carry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, select

from troth.governance.alarming import SecondChannel
from troth.governance.calendar import Calendar
from troth.governance.calendar_feeds import Feeds
from troth.governance.calendar_letters import CHANNEL as MAIL
from troth.governance.calendar_letters import Letters
from troth.governance.calendar_operations import CalendarOperations, WebhookOperations
from troth.governance.deliveries import Deliveries, Letter, Sender
from troth.governance.news import Item, News
from troth.governance.reminders import Reminders
from troth.governance.webhook_sending import Outside
from troth.governance.webhooks import CHANNEL as HOOK
from troth.governance.webhooks import Webhooks
from troth.identity.duties import as_roles, groups_of, is_custom
from troth.identity.roles import GIVEN
from troth.identity.sso.fetching import Reach
from troth.identity.store import grants, users
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Gone, NotFound
from troth.kernel.scope import as_system
from troth.keys.deployment import DeploymentSeal
from troth.promises.paper.store import heads
from troth.promises.system import ALONE, NEIGHBOUR, PROBE_TENANT, Base, System
from troth.settings.sections import Governance as Settings
from troth.wiring.identity import relying_party
from troth.wiring.news import announced, published
from troth.wiring.single_sign_on import networks

_STANDS_FOR: Final = {"any": "admin", "operator": "admin"}  # who of a tenant is told of what these do
_SYNTHETIC: Final = frozenset({PROBE_TENANT, NEIGHBOUR, ALONE})


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What goes out, and the operations about it."""

    reminders: Reminders
    deliveries: Deliveries
    second: SecondChannel
    news: News
    operations: tuple[object, ...]


def build_reminding(base: Base, calendar: Calendar, system: Callable[[], System]) -> Outgoing:
    """Raises `Unavailable` (`bad-settings`) for a private network that is none."""
    origin, people = relying_party(base.settings).origins[0], People(base, system)
    outside = Outside(webhook_reach(base.settings.governance))
    webhooks = Webhooks(base.database, DeploymentSeal(base.secrets.named("webhooks")), outside, base.clock)
    senders: dict[str, Sender] = {HOOK: webhooks}
    if base.settings.mail.relay_host is not None:
        sender = f"calendar@{base.settings.mail.domain}"
        senders[MAIL] = Letters(lambda: system().mail.alarms.poster, people.address, f"{origin}/calendar", sender)
    waiting = Deliveries(base.database, base.clock, senders)

    def elsewhere(connection: Connection, letter: Letter) -> list[tuple[str, str]]:
        """What a webhook did not take goes to the owners by mail; what the relay did not, to the webhooks."""
        if letter.channel == HOOK:
            return [(MAIL, one) for one in people.holding(connection, letter.tenant, "owner")]
        return [(HOOK, one) for one in webhooks.of(connection, letter.tenant, letter.kind)]

    waiting = replace(waiting, elsewhere=elsewhere, recorder=base.outbox)
    reminders = Reminders(base.database, calendar, waiting, people.tenants, people.holding, webhooks.of, base.outbox)
    feeds = Feeds(base.database, calendar, people.roles, origin)

    def ways(tenant: str) -> tuple[str, ...]:
        """By which people of a tenant are told."""
        with base.database.read() as connection:
            hooks = bool(webhooks.of(connection, tenant))
        return (*((MAIL,) if MAIL in senders else ()), *((HOOK,) if hooks else ()))

    def public() -> list[Item]:
        """What the public pages announce."""
        now = epoch_ms(base.clock.now())
        with base.database.read() as connection:
            versions = heads(connection)
        return [*announced(system().gateway.vendors.all(), now, origin), *published(versions, now, origin)]

    news = News(waiting, people.tenants, webhooks.of, public)
    operations = CalendarOperations(calendar, feeds, waiting, ways), WebhookOperations(webhooks, waiting)
    return Outgoing(reminders, waiting, SecondChannel(waiting, webhooks.of), news, operations)


def webhook_reach(settings: Settings) -> Reach:
    """Where webhooks may stand, whatever is open to identity providers. Raises `Unavailable` (`bad-settings`)."""
    named = networks(settings.webhook_private_networks, "TROTH_GOVERNANCE__WEBHOOK_PRIVATE_NETWORKS")
    return Reach(named, settings.webhook_plain_loopback, settings.webhook_authority)


@dataclass(frozen=True, slots=True)
class People:
    """Who holds which role now, and where to write to."""

    base: Base
    system: Callable[[], System]

    def tenants(self) -> list[str]:
        """Every tenant that is somebody's."""
        return [one.id for one in self.system().identity.tenants.list() if one.name not in _SYNTHETIC]

    def holding(self, connection: Connection, tenant: str, role: str) -> Sequence[str]:
        """The active people of a tenant who hold a role now."""
        now, named = epoch_ms(self.base.clock.now()), _STANDS_FOR.get(role, role)
        holds = GIVEN, grants.c.role == named, grants.c.expires_at > now
        query = select(users.c.id).join(grants, grants.c.user == users.c.id)
        here = query.where(users.c.tenant == tenant, users.c.active.is_(True), *holds)
        return connection.execute(here.order_by(users.c.id)).scalars().all()

    @as_system
    def roles(self, tenant: str, person: str) -> frozenset[str]:
        """The roles of a person of a tenant now, custom ones as the groups they stand for; none for who is shut out."""
        identity = self.system().identity
        try:
            found = identity.users.get(person)
        except (NotFound, Gone):
            return frozenset()
        if found.tenant != tenant or not found.active:
            return frozenset()
        held = {one.role for one in identity.roles.of(person)}
        with self.base.database.read() as connection:
            several = groups_of(connection, tenant, held).values()
        return frozenset(one for one in held if not is_custom(one)).union(*(as_roles(" ".join(one)) for one in several))

    @as_system
    def address(self, tenant: str, person: str) -> str:
        """The address of an active account of a tenant. Raises `NotFound`, `Gone`."""
        found = self.system().identity.users.get(person)
        if found.tenant != tenant or not found.active:
            raise NotFound("There is no such person here; list the people to see their ids.", code="user-not-found")
        return found.email
