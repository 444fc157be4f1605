"""Who moves when a unit is compromised: every column of sealed fields is declared, or known to be something else."""

from __future__ import annotations

from sqlalchemy import LargeBinary

import troth.wiring  # noqa: F401 - brings in every room's tables
from troth.storage.database import metadata
from troth.wiring.keys import SEALED

# Hashes, keyed hashes, public documents, pages of the key tree, what the deployment's own secret seals, and what is
# over in ten minutes (`sso_attempts.facts`: a sign-in begins anew).
NOT_FIELDS = frozenset(
    """certified_devices.key certified_services.key check_run.signature check_schedule.signature paper_version.signature
    api_keys.digest api_keys.network_marks audit_details.commitment audit_entries.leaf audit_logs.checkpoint
    audit_logs.root
    audit_tiles.hashes audit_witnessed.note erasure.salt erasure_certificate.envelope erasure_step.result
    key_manifest.body key_page.content known_devices.digest outbox.leaf oauth_access_tokens.digest
    oauth_device_codes.digest oauth_device_codes.user_code oauth_refresh_tokens.digest oauth_seen.digest
    passkey_challenges.digest passkeys.digest recovery_codes.digest request_claim.digest
    scim_groups.named scim_people.external scim_tokens.digest
    sessions.cookie sessions.cookie_before sessions.digest sessions.replaced spent_proofs.digest
    sign_in_attempts.bucket sso_attempts.browser sso_attempts.digest
    sso_attempts.facts sso_links.digest sso_seen.digest sso_sessions.provider_session users.email_index
    vault_object.facts vault_object.kind_index vault_print.print vault_request.mark vault_request.sender
    vendors.credential calendar_webhook.sealed statement_version.signature""".split()
)


def test_every_binary_column_is_declared_or_known_to_hold_no_field() -> None:
    binary = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    declared = {f"{one.table.name}.{one.column}" for one in SEALED}
    assert binary == declared | NOT_FIELDS


def test_a_column_has_one_label() -> None:
    assert len({(one.table.name, one.column) for one in SEALED}) == len(SEALED)
    assert len({one.label for one in SEALED}) == len(SEALED)
