"""Addresses of pages by duty: devices, moderation, access, and the service itself."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from troth.portal.desk import Desk
from troth.portal.pages import (
    access,
    access_review,
    calendar,
    config_reviews,
    home,
    key_domains,
    machines,
    moderation,
    my_access,
    offboarding,
    operate,
    placement,
    preserved,
    registers,
    room,
    routing,
    takedowns,
    vendors,
)


def machines_routes(desk: Desk) -> list[BaseRoute]:
    """Devices with certificates."""
    return [
        Route("/machines", desk.member(machines.own), methods=["GET"]),
        Route("/machines/{device_id}/revoke", desk.member(machines.revoke), methods=["POST"]),
        Route("/fleet", desk.member(machines.fleet), methods=["GET"]),
        Route("/fleet/{device_id}/confirm", desk.member(machines.confirm), methods=["POST"]),
        Route("/fleet/{device_id}/withdraw", desk.member(machines.withdraw), methods=["POST"]),
    ]


def moderation_routes(desk: Desk) -> list[BaseRoute]:
    """The content policy, what it refused, and appeals."""
    return [
        Route("/moderation", desk.member(moderation.queue), methods=["GET"]),
        Route("/moderation/{case_id}", desk.member(moderation.opened), methods=["POST"]),
        Route("/moderation/{case_id}/decision", desk.member(moderation.decide), methods=["POST"]),
        Route("/moderation-policy", desk.member(moderation.policy), methods=["GET"]),
        Route("/moderation-policy", desk.member(moderation.propose), methods=["POST"]),
        Route("/moderation-policy/{policy_id}/approval", desk.member(moderation.approve), methods=["POST"]),
        Route("/preserved", desk.member(preserved.show), methods=["GET"]),
        Route("/preserved/{evidence_id}/report", desk.member(preserved.report), methods=["POST"]),
        Route("/preserved/{evidence_id}/ask", desk.member(preserved.ask), methods=["POST"]),
        Route("/preserved/{evidence_id}/open", desk.member(preserved.open_), methods=["POST"]),
        Route("/preserved/{evidence_id}/release", desk.member(preserved.release), methods=["POST"]),
        Route("/takedowns", desk.member(takedowns.show), methods=["GET"]),
        Route("/takedowns", desk.member(takedowns.propose), methods=["POST"]),
        Route("/takedowns/csv", desk.member(takedowns.export), methods=["GET"]),
        Route("/takedowns/list", desk.member(takedowns.bring), methods=["POST"]),
        Route("/takedowns/{entry_id}/approve", desk.member(takedowns.approve), methods=["POST"]),
        Route("/takedowns/{entry_id}/withdraw", desk.member(takedowns.withdraw), methods=["POST"]),
        Route("/my-cases", desk.member(moderation.mine), methods=["GET"]),
        Route("/my-cases/{case_id}/appeal", desk.member(moderation.appeal), methods=["POST"]),
    ]


def choice_routes(desk: Desk) -> list[BaseRoute]:
    """Which vendors a tenant's requests may go to."""
    return [
        Route("/routing", desk.member(routing.show), methods=["GET"]),
        Route("/routing", desk.member(routing.change), methods=["POST"]),
        Route("/routing/decision", desk.member(routing.decide), methods=["POST"]),
    ]


def register_routes(desk: Desk) -> list[BaseRoute]:
    """What people must do and prove."""
    one = "/registers/{form}/{record_id}"
    return [
        Route("/calendar", desk.member(calendar.show), methods=["GET"]),
        Route("/calendar/feed", desk.member(calendar.subscribe), methods=["POST"]),
        Route("/calendar/feed/end", desk.member(calendar.unsubscribe), methods=["POST"]),
        Route("/calendar/webhooks", desk.member(calendar.add_webhook), methods=["POST"]),
        Route("/calendar/webhooks/{webhook_id}/{move}", desk.member(calendar.change_webhook), methods=["POST"]),
        Route("/home", desk.member(home.show), methods=["GET"]),
        Route("/registers", desk.member(registers.show), methods=["GET"]),
        Route("/registers/{form}", desk.member(registers.records), methods=["GET"]),
        Route("/registers/{form}", desk.member(registers.open_), methods=["POST"]),
        Route("/registers/{form}/csv", desk.member(registers.export), methods=["GET"]),
        Route("/registers/config-reviews/prepared", desk.member(config_reviews.prepare), methods=["POST"]),
        Route("/registers/config-reviews/{record_id}/changes", desk.member(config_reviews.show), methods=["GET"]),
        Route(one, desk.member(registers.record), methods=["GET"]),
        Route(f"{one}/moves/{{move}}", desk.member(registers.move), methods=["POST"]),
        Route(f"{one}/files", desk.member(registers.attach), methods=["POST"]),
        Route(f"{one}/files/{{object_id}}", desk.member(registers.file), methods=["GET"]),
        Route(f"{one}/files/{{object_id}}/removal", desk.member(registers.detach), methods=["POST"]),
    ]


def room_routes(desk: Desk) -> list[BaseRoute]:
    """What an auditor may look at."""
    one = "/room/{room_id}"
    check = f"{one}/checks/{{check}}"
    return [
        Route("/room", desk.member(room.mine), methods=["GET"]),
        Route(one, desk.member(room.show), methods=["GET"]),
        Route(f"{one}/questions", desk.member(room.ask), methods=["POST"]),
        Route(f"{one}/reports/{{paper}}", desk.member(room.report), methods=["GET"]),
        Route(f"{one}/registers/{{form}}", desk.member(room.records), methods=["GET"]),
        Route(check, desk.member(room.runs), methods=["GET"]),
        Route(f"{check}/sample", desk.member(room.sample), methods=["POST"]),
        Route(f"{check}/runs/{{sequence}}", desk.member(room.proof), methods=["GET"]),
    ]


def access_routes(desk: Desk) -> list[BaseRoute]:
    """Who may what, and for how long."""
    one = "/access/reviews/{campaign_id}"
    return [
        Route("/my-access", desk.member(my_access.show), methods=["GET"]),
        Route("/my-access", desk.member(my_access.ask), methods=["POST"]),
        Route("/my-access/emergency", desk.member(my_access.break_glass), methods=["POST"]),
        Route("/my-access/{elevation_id}/end", desk.member(my_access.end), methods=["POST"]),
        Route("/access", desk.member(access.show), methods=["GET"]),
        Route("/access/elevations/{elevation_id}/{move}", desk.member(access.decide), methods=["POST"]),
        Route("/access/uses/{elevation_id}/review", desk.member(access.judge_use), methods=["POST"]),
        Route("/access/emergency", desk.member(access.designate), methods=["POST"]),
        Route("/access/emergency/{user_id}/end", desk.member(access.withdraw), methods=["POST"]),
        Route("/access/roles", desk.member(access.make_role), methods=["POST"]),
        Route("/access/roles/{role_id}", desk.member(access.change_role), methods=["POST"]),
        Route("/access/roles/{role_id}/delete", desk.member(access.delete_role), methods=["POST"]),
        Route("/access/reviews", desk.member(access_review.begin), methods=["POST"]),
        Route(one, desk.member(access_review.show)),
        Route(f"{one}/csv", desk.member(access_review.export)),
        Route(f"{one}/verdict", desk.member(access_review.judge), methods=["POST"]),
        Route(f"{one}/closing", desk.member(access_review.close), methods=["POST"]),
    ]


def service_routes(desk: Desk) -> list[BaseRoute]:
    """What operators do: tenants, vendors, keys."""
    return [
        Route("/tenants", desk.member(operate.tenants), methods=["GET"]),
        Route("/tenants", desk.member(operate.create_tenant), methods=["POST"]),
        Route("/vendors", desk.member(vendors.listed), methods=["GET"]),
        Route("/vendors/{vendor_id}", desk.member(vendors.one), methods=["GET"]),
        Route("/vendors/{vendor_id}/exposure", desk.member(vendors.exposure), methods=["GET"]),
        Route("/vendors/{vendor_id}/approve", desk.member(vendors.approve), methods=["POST"]),
        Route("/vendors/{vendor_id}/suspend", desk.member(vendors.suspend), methods=["POST"]),
        Route("/vendors/{vendor_id}/contact", desk.member(vendors.contact), methods=["POST"]),
        Route("/vendors/{vendor_id}/probe", desk.member(vendors.look), methods=["POST"]),
        Route("/checks", desk.member(operate.run_checks), methods=["POST"]),
        Route("/key-domains", desk.member(key_domains.show), methods=["GET"]),
        Route("/key-domains/rotate", desk.member(key_domains.rotate), methods=["POST"]),
        Route("/key-domains/copies", desk.member(key_domains.copy), methods=["POST"]),
        Route("/key-domains/compromise", desk.member(key_domains.compromise), methods=["POST"]),
        Route("/key-domains/{domain}/retire", desk.member(key_domains.retire), methods=["POST"]),
        Route("/key-replacements/{replacement_id}/approve", desk.member(key_domains.approve), methods=["POST"]),
        Route("/key-replacements/{replacement_id}/cancel", desk.member(key_domains.cancel), methods=["POST"]),
        Route("/offboardings", desk.member(offboarding.show), methods=["GET"]),
        Route("/offboardings", desk.member(offboarding.ask), methods=["POST"]),
        Route("/offboardings/{tenant_id}/approve", desk.member(offboarding.approve), methods=["POST"]),
        Route("/offboardings/{tenant_id}/cancel", desk.member(offboarding.cancel), methods=["POST"]),
        Route("/offboardings/{tenant_id}/certificate", desk.member(offboarding.certificate)),
        Route("/moves", desk.member(placement.pin), methods=["POST"]),
        Route("/moves/{tenant_id}/approve", desk.member(placement.agree), methods=["POST"]),
        Route("/moves/{tenant_id}/cancel", desk.member(placement.cancel), methods=["POST"]),
    ]
