"""Every table says whose its rows are: by a column `tenant`, by a rule, or by a reason why nobody owns them."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

import troth.wiring
from database_world import DATABASES, fresh_place, migrated
from troth.kernel.scope import SYSTEM
from troth.storage.database import metadata
from troth.storage.isolation import RULES

assert troth.wiring
# Tables that all tenants share, and why no row of theirs is one tenant's.
SHARED = {
    "audit_entries": "written by COPY, which policies do not permit; found through audit_logs, which has a rule",
    "audit_tiles": "hashes; found through audit_logs",
    "moderation_takedown": "the list of the installation, which holds for all tenants",
    "certificate_authorities": "who signs certificates for all tenants; its keys are sealed",
    "check_run": "checks of the service",
    "check_day": "checks of the service",
    "check_head": "checks of the service",
    "check_schedule": "checks of the service",
    "check_tally": "checks of the service",
    "paper_version": "the paper of the installation, which is public",
    "statement_version": "the statement of the installation, which is public",
    "installation": "one row about the service",
    "key_manifest": "one tree of all tenants, sealed",
    "key_page": "one tree of all tenants, sealed",
    "key_root": "names and times of roots",
    "key_tree": "one number",
    "reconciled_place": "positions in logs",
    "reconciliation": "sums over all logs",
    "probe_hour": "looks at the service's own door",
    "probe_outage": "looks at the service's own door",
    "request_claim": "keyed digests",
    "scrub_round": "one row about the service",
    "use_counter": "sums over all tenants",
    "sign_in_attempts": "keyed digests",
    "passkey_challenges": "digests of five minutes",
    "spent_proofs": "digests of two minutes",
    "sso_seen": "digests",
    "oauth_seen": "digests",
    "status_day": "figures of the service",
    "vault_orphan": "names of ciphertext without a row",
    "vault_subject": "digests of tenant and person",
    "vendors": "the service's vendors",
}


def unclassified(tables: set[str], with_tenant: set[str]) -> set[str]:
    return tables - with_tenant - RULES.keys() - SHARED.keys()


def test_every_table_is_of_tenants_by_a_rule_or_shared_for_a_reason() -> None:
    with_tenant = {table.name for table in metadata.tables.values() if "tenant" in table.columns}
    assert unclassified(set(metadata.tables), with_tenant) == set()
    assert SHARED.keys() & (with_tenant | RULES.keys()) == set()
    assert (RULES.keys() | SHARED.keys()) - set(metadata.tables) == set()
    assert unclassified({"new_table"}, set()) == {"new_table"}


@pytest.mark.postgres
@pytest.mark.parametrize("kind", [kind for kind in DATABASES if kind != "sqlite"])
def test_a_real_server_has_the_policies_of_each(kind: str, tmp_path: Path) -> None:
    with fresh_place(kind, tmp_path) as place:
        database = migrated(place)
        with database.read(SYSTEM) as connection:
            policies = text("SELECT tablename FROM pg_policies WHERE schemaname = current_schema() AND policyname = :p")
            found = [set(connection.execute(policies, {"p": f"troth_{p}"}).scalars()) for p in ("tenant", "system")]
            forced = text(
                "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
                " AND relrowsecurity AND relforcerowsecurity"
            )
            held = set(connection.execute(forced).scalars())
        database.close()
    wanted = {table.name for table in metadata.tables.values() if "tenant" in table.columns} | RULES.keys()
    assert found == [wanted, wanted]
    assert held == wanted
