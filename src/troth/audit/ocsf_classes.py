"""Which OCSF 1.8.0 class and activity each operation is (schema.ocsf.io). Pure data, and one rule for the plain ones.

An operation that no table names is an API call; its verb says of which sort. A test asks this of every operation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EventClass:
    """A class of the schema: its number, caption, category and the captions of the activities that Troth has."""

    uid: int
    caption: str
    category: tuple[int, str]
    activities: Mapping[int, str]


_SYSTEM, _FINDINGS = (1, "System Activity"), (2, "Findings")
_IAM, _APPLICATION = (3, "Identity & Access Management"), (6, "Application Activity")
OTHER = 99

EVENT_LOG = EventClass(1008, "Event Log Activity", _SYSTEM, {2: "Delete", 3: "Export", 10: "Disable", OTHER: "Other"})
COMPLIANCE = EventClass(2003, "Compliance Finding", _FINDINGS, {1: "Create"})
DATA_SECURITY = EventClass(2006, "Data Security Finding", _FINDINGS, {1: "Create"})
ACCOUNT = EventClass(
    3001,
    "Account Change",
    _IAM,
    {
        1: "Create",
        2: "Enable",
        3: "Password Change",
        5: "Disable",
        10: "MFA Factor Enable",
        11: "MFA Factor Disable",
        OTHER: "Other",
    },
)
AUTHENTICATION = EventClass(3002, "Authentication", _IAM, {1: "Logon", 2: "Logoff"})
SESSION = EventClass(3003, "Authorize Session", _IAM, {1: "Assign Privileges"})
ENTITY = EventClass(
    3004,
    "Entity Management",
    _IAM,
    {
        1: "Create",
        2: "Read",
        3: "Update",
        4: "Delete",
        5: "Move",
        6: "Enroll",
        7: "Unenroll",
        8: "Enable",
        9: "Disable",
        10: "Activate",
        11: "Deactivate",
        12: "Suspend",
        13: "Resume",
    },
)
ACCESS = EventClass(3005, "User Access Management", _IAM, {1: "Assign Privileges", 2: "Revoke Privileges"})
LIFECYCLE = EventClass(6002, "Application Lifecycle", _APPLICATION, {3: "Start", 5: "Restart"})
API = EventClass(6003, "API Activity", _APPLICATION, {1: "Create", 2: "Read", 3: "Update", 4: "Delete"})
DATASTORE = EventClass(
    6005,
    "Datastore Activity",
    _APPLICATION,
    {1: "Read", 2: "Update", 5: "Write", 7: "Delete", 8: "List", 9: "Encrypt", 10: "Decrypt"},
)
SCAN = EventClass(6007, "Scan Activity", _APPLICATION, {1: "Started", 2: "Completed", 6: "Error"})
CLASSES = (
    *(EVENT_LOG, COMPLIANCE, DATA_SECURITY, ACCOUNT, AUTHENTICATION, SESSION),
    *(ENTITY, ACCESS, LIFECYCLE, API, DATASTORE, SCAN),
)

_TABLE: dict[tuple[int, int], str] = {
    (1008, 2): "log.pruned log.prune outbox.refused",
    (1008, 3): "audit.export log.fetch evidence.sign period.report room.report",
    (1008, 10): "database.unwatched",
    (
        1008,
        OTHER,
    ): """audit.list audit.prove audit.details activity.list activity.prove activity.details review.list
        review.show review.open log.replayed room.list room.show room.runs room.proof
        room.records room.sample
        promise.oscal""",
    (2006, 1): "text.redact redaction.image redaction.video moderation.classify",
    (3001, 1): "scim.user.create user.create operator.create operator.founded sso.account-made",
    (3001, 3): "password.change",
    (3001, 2): "user.reprovisioned",
    (3001, 5): "scim.user.delete user.deprovisioned user.disable user.offboard operator.disable",
    (3001, 10): "device.enrol totp.enrol totp.confirm passkey.enrol passkey.add",
    (3001, 11): "passkey.remove",
    (3001, OTHER): """account.rectify passkey.rename passkey.list sso.links sso.link sso.linked sso.confirm sso.unlink
        sso.own-links sso.accept
        scim.user.list scim.user.search scim.search scim.user.read scim.user.replace scim.user.patch""",
    (3002, 1): """session.create session.challenge session.passkey session.opened session.refused key.refused sso.begin
        sso.finish sso.find oauth.device-authorize oauth.token device-code.show device-code.approve
        device-code.deny saml.begin saml.finish""",
    (3002, 2): "session.delete oauth.revoke sso.logout",
    (3003, 1): "session.step-up session.step-up-challenge session.step-up-passkey session.bind-challenge session.bind",
    (3004, 1): """provisioning.create scim.group.create
        register.open register.import register.attach register.prepare room.ask webhook.add calendar.subscribe
        tenant.create custom-role.create key.create vendor.add keys.pre-activation service.create sso.connect
        saml.connect credentials.created""",
    (
        3004,
        2,
    ): "provisioning.list scim.group.list scim.group.search scim.group.read scim.config.read scim.type.list "
    "scim.type.read scim.schema.list scim.schema.read "
    "device.list device.inventory authority.list "
    "auditor.list custom-role.list elevation.list elevation.mine emergency.list emergency.uses access.list "
    "access-review.list access-review.show tenant.list vendor.list vendor.show "
    "usage.show usage.export usage.tenant usage.tenant-export limit.show limit.tenant "
    "routing.show vendor.lapses vendor.export vendor.exposure key.list keys.list "
    "key-domain.list user.list operator.list register.forms register.form register.list register.show register.history "
    "register.export register.files register.file register.changes register.population register.counted "
    "register.dues calendar.show calendar.feed webhook.list webhook.test "
    "service.list oauth.metadata sso.list sso.test sso.concerned sso.client-keys saml.show saml.metadata",
    (3004, 3): """provisioning.rotate scim.group.replace scim.group.patch
        device.renew device.renewed device.bound device.confirm service.certify service.renew service.renewed
        authority.rotate
        installation.adopted credentials.renewed vendor.amend vendor.import vendor.contact vendor.probe
        routing.set routing.approve limit.set budget.set register.move register.act register.entered webhook.rotate
        keys.rotate keys.epoch key-domain.replicate redaction.set moderation-policy.propose
        moderation-policy.approve takedown.import takedown.approve
        redaction.policy retention.set retention.rule move.pin move.pinned move.approve move.agreed move.cancel
        move.dropped sso.change sso.enforce sso.verify-domain
        service.rotate service.assign saml.change saml.rotate key.rotate""",
    (3004, 4): """provisioning.revoke scim.group.delete device.revoke device.withdraw
        key.revoke keys.destroyed webhook.remove register.detach calendar.unsubscribe
        offboarding.request offboarding.approve retention.clear redaction.clear
        takedown.withdraw budget.remove
        keys.compromise keys.replacement-done sso.delete""",
    (3004, OTHER): "budget.reached message.given-up calendar.lapsed",
    (3004, 5): "tenant.packed",
    (3004, 6): "tenant.arrived tenant.invited",
    (3004, 7): "key-domain.retire keys.domain-given-up",
    (3004, 8): "hold.place hold.placed",
    (3004, 9): "service.disable hold.lift hold.lifted keys.compromised",
    (3004, 10): "vendor.approve keys.active",
    (3004, 11): "keys.deactivated",
    (3004, 12): "vendor.suspend keys.suspended processing.restrict processing.restricted restriction.place",
    (3004, 13): "processing.resume processing.resumed restriction.lift offboarding.cancel",
    (3005, 1): """role.assign role.replace role.pushed auditor.grant elevation.ask elevation.approve elevation.refuse
        emergency.designate emergency.use emergency.opened emergency.overdue emergency.review
        access-review.judge access-review.alarm role.extended""",
    (3005, 2): """role.remove role.lapsed auditor.revoke elevation.end elevation.revoke elevation.ended
        emergency.withdraw emergency.ended""",
    (6002, 3): "service.started keys.alarm",
    (6002, 5): "backup.restored backup.loss-accepted",
    (6003, 1): "status.day",
    (6003, 2): """status.entry check.schedule house.show paper.lint paper.list paper.show paper.diff
        privacy-statement.show data-map.show trust.show trust.changes
        promise.history""",
    (6003, 3): """check.scheduled check.changed house.name house.approve paper.publish paper.approve
        privacy-statement.publish privacy-statement.approve""",
    (
        6005,
        1,
    ): "object.custody object.show object.people file.show video.show receipt.show certificate.show data.export "
    "request.open moderation-case.open moderation-case.mine preserved.open",
    (
        6005,
        2,
    ): """database.changed object.share object.shared object.tag object.tagged object.untagged object.leave object.left
        depiction.deny""",
    (6005, 5): "file.create backup.run backup.made",
    (6005, 7): """object.delete object.deleted file.delete video.delete response.delete erasure.own erasure.request
        erasure.period erasure.approve
        erasure.approved erasure.requested erasure.closing erasure.tombstoned erasure.sealed erasure.certified
        retention.swept""",
    (6005, 8): "object.list file.list video.list depiction.list erasure.list certificate.list",
    (6005, 9): "object.kept",
    (6005, 10): "object.open file.content video.content asset.open response.show",
    (6007, 1): "reconciliation.begun",
    (6007, 2): """check.run check.tally check.tampering backup.drill backup.drilled backup.verified placement.inventory
        placement.own clock.checked scrub.done scrub.mismatch reconciliation.done reconciliation.mismatch""",
}
_NAMED = {name: key for key, names in _TABLE.items() for name in names.split()}
_BY_UID = {one.uid: one for one in CLASSES}
_VERBS: dict[int, str] = {
    1: """create created add added file place placed grant granted complete generate edit request requested received
        raised open opened run made asked ask remix""",
    2: """mine list show open read prove verify verified receipt export queue certificate fetch details policy drilled
        follow-up-list""",
    3: """decide appeal report set amend approve approved answer answered confirm confirmed extend extended
        notify sort sorted take taken
        refuse refused rectify judge judged follow-up followed-up drawn overdue due-soon assign change pin agree
        replacement-asked replacement-approved accept acknowledge renew close closed ended""",
    4: """delete deleted cancel withdraw withdrawn clear lift lifted remove drop called-off revoke
        replacement-called-off end release""",
}
_BY_VERB = {verb: activity for activity, verbs in reversed(_VERBS.items()) for verb in verbs.split()}
SEVERE = {  # OCSF severity_id of what matters even when it went well: 3 medium, 4 high, 5 critical
    **dict.fromkeys("keys.alarm backup.loss-accepted".split(), 5),
    **dict.fromkeys(
        """keys.compromise keys.compromised keys.domain-given-up offboarding.approve database.changed
        database.unwatched log.replayed outbox.refused scrub.mismatch reconciliation.mismatch
        emergency.use emergency.opened emergency.overdue""".split(),
        4,
    ),
    **dict.fromkeys(
        """erasure.period offboarding.request key-domain.retire role.assign role.remove role.replace role.lapsed
        role.pushed user.disable user.offboard elevation.approve emergency.designate access-review.alarm operator.create
        operator.disable auditor.grant audit.export audit.details hold.lift vendor.approve backup.restored""".split(),
        3,
    ),
}


def classify(operation: str, phase: str) -> tuple[EventClass, int]:
    """The class and activity of an operation's entry; `OTHER` of API Activity when neither table nor verb knows it."""
    if operation == "check.run" and phase == "event":
        return COMPLIANCE, 1  # what a check of a promise found
    if operation in _NAMED:
        uid, activity = _NAMED[operation]
        if uid == SCAN.uid and phase == "opened":
            activity = 1
        return _BY_UID[uid], activity
    return API, _BY_VERB.get(operation.rpartition(".")[2], OTHER)
