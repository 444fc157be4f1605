"""The calendar, its feeds and webhooks, as doors may ask for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from troth.governance import calendar_messages as m
from troth.governance import shown
from troth.governance.agenda import Agenda, overdue, weeks
from troth.governance.calendar import Calendar
from troth.governance.calendar_feeds import Feeds
from troth.governance.deliveries import Deliveries
from troth.governance.ics import MEDIA_TYPE
from troth.governance.looking import DAY_MS
from troth.governance.operations import who
from troth.governance.webhooks import Webhooks
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Binary, Call, Group, Route, operation


@dataclass(frozen=True, slots=True)
class CalendarOperations:
    """The calendar of the caller's tenant. `ways`: by which channels a tenant is told."""

    calendar: Calendar
    feeds: Feeds
    deliveries: Deliveries
    ways: Callable[[str], tuple[str, ...]]

    @operation("calendar.show", group=Group.GOVERN, request=m.CalendarShow, command=("calendar", "show"),
               route=Route("GET", "/v1/calendar", body="none"))  # fmt: skip
    def show(self, call: Call, request: m.CalendarShow) -> m.CalendarShown:
        """List everything that is due in your tenant and that you may read, by whom, overdue first."""
        now = self.calendar.now()
        found = self.calendar.dues(who(call), now)
        call.note(count=len(found.dues), withheld=len(found.unjudged))
        trouble, subscribed = self.deliveries.trouble(call.tenant), self.feeds.has(call.caller.actor)
        return _shown(found, request, now, m.CalendarShown(
            now=now, overdue=overdue(found.dues), dues=(), more=False, unjudged=found.unjudged, weeks=(),
            failing=trouble.failing, dead=trouble.dead, subscribed=subscribed,
            told_by=self.ways(call.tenant)))  # fmt: skip

    @operation("calendar.subscribe", group=Group.GOVERN, request=m.Nothing, command=("calendar", "subscribe"),
               route=Route("POST", "/v1/calendar/feed", status=201))  # fmt: skip
    def subscribe(self, call: Call, request: m.Nothing) -> m.FeedMade:  # noqa: ARG002
        """Make an address of your own that calendar programs read; one from before ends."""
        return m.FeedMade(url=self.feeds.make(who(call)))

    @operation("calendar.unsubscribe", group=Group.GOVERN, request=m.Nothing, command=("calendar", "unsubscribe"),
               route=Route("DELETE", "/v1/calendar/feed", body="none"))  # fmt: skip
    def unsubscribe(self, call: Call, request: m.Nothing) -> m.Done:  # noqa: ARG002
        """End the address of your feed now."""
        self.feeds.drop(who(call))
        return m.Done()

    @operation("calendar.feed", group=Group.PUBLIC, request=m.FeedRead, data_class=DataClass.ACCOUNT,
               route=Route("GET", "/v1/calendar-feeds/{token}", body="none"))  # fmt: skip
    def feed(self, call: Call, request: m.FeedRead) -> Binary:
        """Read a feed by its unguessable address, as a calendar file (RFC 5545)."""
        tenant, content = self.feeds.read(request.token)
        call.note(object=tenant, bytes=len(content))
        return Binary(content, MEDIA_TYPE, "due.ics")


@dataclass(frozen=True, slots=True)
class WebhookOperations:
    """Where the caller's tenant is told of what is due."""

    webhooks: Webhooks
    deliveries: Deliveries

    @operation("webhook.list", group=Group.GOVERN, request=m.Nothing, command=("webhook", "list"),
               route=Route("GET", "/v1/webhooks", body="none"))  # fmt: skip
    def list(self, call: Call, request: m.Nothing) -> m.WebhooksShown:  # noqa: ARG002
        """List the webhooks of your tenant and how they fare."""
        found = self.webhooks.list(call.tenant)
        call.note(count=len(found))
        return m.WebhooksShown(webhooks=tuple(m.WebhookShown(**asdict(one)) for one in found))

    @operation("webhook.add", group=Group.ADMINISTER, request=m.WebhookAdd, command=("webhook", "add"),
               route=Route("POST", "/v1/webhooks", status=201))  # fmt: skip
    def add(self, call: Call, request: m.WebhookAdd) -> m.WebhookMade:
        """Have a public https address told of what is due and of news; its secret is told this once."""
        webhook, secret = self.webhooks.add(call.tenant, request.url, request.events)
        call.note(object=webhook)
        return m.WebhookMade(id=webhook, secret=secret)

    @operation("webhook.test", group=Group.ADMINISTER, request=m.WebhookNamed, command=("webhook", "test"),
               route=Route("POST", "/v1/webhooks/{webhook_id}/test"))  # fmt: skip
    def test(self, call: Call, request: m.WebhookNamed) -> m.WebhookTested:
        """Send a message now; when it is taken, what was given up for this webhook is tried again."""
        trouble = self.webhooks.test(call.tenant, request.webhook_id, self.deliveries)
        call.note(object=request.webhook_id, state="taken" if trouble is None else trouble)
        return m.WebhookTested(taken=trouble is None, trouble=trouble)

    @operation("webhook.rotate", group=Group.ADMINISTER, request=m.WebhookNamed, command=("webhook", "rotate"),
               route=Route("POST", "/v1/webhooks/{webhook_id}/rotate"))  # fmt: skip
    def rotate(self, call: Call, request: m.WebhookNamed) -> m.WebhookMade:
        """Give a webhook a fresh secret; for a day the one before signs too."""
        secret = self.webhooks.rotate(call.tenant, request.webhook_id)
        call.note(object=request.webhook_id)
        return m.WebhookMade(id=request.webhook_id, secret=secret)

    @operation("webhook.remove", group=Group.ADMINISTER, request=m.WebhookNamed, command=("webhook", "remove"),
               route=Route("DELETE", "/v1/webhooks/{webhook_id}", body="none"))  # fmt: skip
    def remove(self, call: Call, request: m.WebhookNamed) -> m.Done:
        """Take a webhook away, with what waits for it."""
        self.webhooks.remove(call.tenant, request.webhook_id)
        call.note(object=request.webhook_id)
        return m.Done()


def _shown(found: Agenda, request: m.CalendarShow, now: int, made: m.CalendarShown) -> m.CalendarShown:
    until = now + request.days * DAY_MS
    near = [one for one in found.dues if one.at <= until or one.state in ("overdue", "lapsed")]
    some = {
        "dues": tuple(shown.due(one) for one in near[: request.limit]),
        "more": len(near) > request.limit,
        "weeks": tuple(m.WeekShown(start=one.start, count=one.count) for one in weeks(found.dues, now)),
    }
    return made.model_copy(update=some)
