"""Triggers on privileged tables: who changes a row beside Troth leaves an entry in the operator's log.

Troth's own transactions carry a mark (`storage.database`), so their rows cost one comparison. A change without it, by
psql, sqlite3 or any other program, puts `database.changed` into the outbox in its own transaction: table, kind of
change, the row's id when it looks like one of ours, the tenant's id, whether the role was `app`, `owner` or `other` (a
role's name may be a person's). Never content.

What this cannot hold: whoever owns the tables, or can write the SQLite file, can take the triggers away or copy the
mark. Missing or changed triggers are noticed at the start and by the check `database-watched`.
docs/decisions/0076-completeness.md
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, insert, text

from troth.kernel.clock import SystemClock, epoch_ms
from troth.kernel.errors import Unavailable
from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Outcome
from troth.kernel.scope import SYSTEM
from troth.storage.database import Database
from troth.storage.marks import SQLITE_UNMARKED, UNMARKED
from troth.storage.outbox import outbox, row

_ALL = ("INSERT", "UPDATE", "DELETE")
_KEPT = ("UPDATE", "DELETE")  # of the log's rows, tens of thousands a second: a made-up one does not fit its tree


@dataclass(frozen=True, slots=True)
class Watch:
    """Which changes of a table are privileged, and which column tells its rows apart; `columns` narrows updates."""

    row: str
    kinds: tuple[str, ...] = _ALL
    columns: tuple[str, ...] = ()
    tenant: str | None = None


_OBJECT = ("tenant", "subject", "data_class", "jurisdiction", "unit", "purpose", "consent", "expires_at")
_RECEIPT = ("tenant", "request", "object", "vendor", "model", "sent_at")
_SCOPE = ("tenant", "subject", "state", "reason", "sealed_epoch")

PRIVILEGED: Mapping[str, Watch] = {
    # who people are, and what they may do
    "tenants": Watch("id", tenant="id"),
    "users": Watch("id", tenant="tenant"),
    "role_grants": Watch("user"),
    "sessions": Watch("user"),
    "api_keys": Watch("id"),
    "totp": Watch("user"),
    "recovery_codes": Watch("user"),
    "passkeys": Watch("id"),
    "known_devices": Watch("user"),
    "privacy_settings": Watch("owner"),
    "sso_connections": Watch("id", tenant="tenant"),
    "sso_domains": Watch("connection", tenant="tenant"),
    "sso_links": Watch("id", tenant="tenant"),
    "sso_sessions": Watch("session", tenant="tenant"),
    "service_accounts": Watch("id", tenant="tenant"),
    "certified_devices": Watch("id", tenant="tenant"),
    "certified_sessions": Watch("session", tenant="tenant"),
    "certified_services": Watch("service", tenant="tenant"),
    "certificate_authorities": Watch("number"),
    "oauth_access_tokens": Watch("id", tenant="tenant"),
    "oauth_device_codes": Watch("id"),
    "oauth_refresh_tokens": Watch("session"),
    "custom_roles": Watch("id", tenant="tenant"),
    "elevations": Watch("id", tenant="tenant"),
    "break_glass": Watch("user", tenant="tenant"),
    "access_campaigns": Watch("id", tenant="tenant"),
    "access_items": Watch("campaign", tenant="tenant"),
    "scim_tokens": Watch("id", tenant="tenant"),
    "scim_people": Watch("user", tenant="tenant"),
    "scim_groups": Watch("id", tenant="tenant"),
    "scim_members": Watch("group", tenant="tenant"),
    "admin_review": Watch("id", tenant="tenant"),
    "admin_review_act": Watch("review", tenant="tenant"),
    "admin_review_watch": Watch("tenant", tenant="tenant"),
    # keys
    "unit": Watch("id", tenant="tenant"),
    "key_scope": Watch("tenant", columns=_SCOPE, tenant="tenant"),
    "key_suspension": Watch("tenant", tenant="tenant"),
    "key_root": Watch("root"),
    "key_replacement": Watch("id", tenant="tenant"),
    # what is kept, for how long, for whom, and how it is forgotten
    "vault_object": Watch("id", columns=_OBJECT, tenant="tenant"),
    "vault_concern": Watch("object", tenant="tenant"),
    "vault_print": Watch("object", tenant="tenant"),
    "vault_consent": Watch("id", tenant="tenant"),
    "vault_objection": Watch("id", tenant="tenant"),
    "vault_hold": Watch("id", tenant="tenant"),
    "vault_restriction": Watch("id", tenant="tenant"),
    "vault_retention_rule": Watch("tenant", tenant="tenant"),
    "vault_rule_change": Watch("id", tenant="tenant"),
    "vault_request": Watch("id", tenant="tenant"),
    "vault_subject": Watch("digest"),
    "erasure": Watch("id", tenant="tenant"),
    "erasure_certificate": Watch("id", tenant="tenant"),
    "erasure_decision": Watch("erasure", tenant="tenant"),
    "erasure_step": Watch("erasure"),
    # the service
    "vendors": Watch("id"),
    "receipts": Watch("request", columns=_RECEIPT, tenant="tenant"),
    "usage_row": Watch("request", tenant="tenant"),
    "usage_day": Watch("tenant", tenant="tenant"),
    "budget": Watch("id", tenant="tenant"),
    "budget_spent": Watch("budget", tenant="tenant"),
    "budget_alert": Watch("budget", tenant="tenant"),
    "own_limit": Watch("tenant", tenant="tenant"),
    "redaction_policy": Watch("tenant", tenant="tenant"),
    "routing_policy": Watch("tenant", tenant="tenant"),
    "moderation_policy": Watch("id", tenant="tenant"),
    "moderation_case": Watch("id", tenant="tenant"),
    "moderation_takedown": Watch("id"),
    "moderation_evidence": Watch("id", tenant="tenant"),
    "register_record": Watch("id", tenant="tenant"),
    "register_event": Watch("record", tenant="tenant"),
    "register_item": Watch("record", tenant="tenant"),
    "calendar_feed": Watch("person", tenant="tenant"),
    "calendar_reminder": Watch("id", tenant="tenant"),
    "calendar_webhook": Watch("id", tenant="tenant"),
    "calendar_delivery": Watch("id", tenant="tenant"),
    "tenant_departure": Watch("tenant", tenant="tenant"),
    "tenant_arrival": Watch("tenant", tenant="tenant"),
    "installation": Watch("name"),
    "check_run": Watch("id"),
    "check_day": Watch("day"),
    "check_head": Watch("check_id"),
    "check_schedule": Watch("version"),
    "check_tally": Watch("day"),
    "paper_version": Watch("number"),
    "statement_version": Watch("number"),
    "status_day": Watch("day"),
    "probe_hour": Watch("target"),
    "probe_outage": Watch("id"),
    # the log itself
    "outbox": Watch("log"),
    "audit_logs": Watch("log"),
    "audit_entries": Watch("number", _KEPT),
    "audit_tiles": Watch("number", _KEPT),
    "audit_details": Watch("log", _KEPT, tenant="tenant"),
    "use_counter": Watch("name"),
    "reconciled_place": Watch("log"),
    "reconciliation": Watch("name"),
    "scrub_finding": Watch("object", tenant="tenant"),
}

# Tables that nobody gains by editing beside Troth, and why. A table stands here or above; a test compares.
ORDINARY: Mapping[str, str] = {
    "key_page": "authenticated ciphertext: a changed page does not open",
    "key_manifest": "authenticated, and its digest stands in the log",
    "key_tree": "one number, compared with the manifest that the roots sealed",
    "audit_witnessed": "signed by the log and by witnesses: a changed note does not verify",
    "vault_edge": "which object was made of which; erasing follows it, and a missing line is found by the stocktaking",
    "video_jobs": "where videos stand, by opaque ids; orders and videos are sealed and open for their person alone",
    "vault_orphan": "names of ciphertext without a row",
    "vault_statement": "texts of people, sealed",
    "vault_request_notice": "letters that are due; the request's clocks stand in vault_request",
    "vault_request_closing": "letters that are due",
    "scrub_round": "where the scrub stands; who sets it back has objects read again",
    "request_claim": "keyed digests of a day",
    "sso_attempts": "sign-ins that began in the last ten minutes; what they keep is sealed",
    "oauth_seen": "digests of assertions that were shown; who clears them needs the assertion and a key for the token",
    "sso_seen": "digests of messages that came; who clears them needs the message and an attempt of its own",
    "passkey_challenges": "hashes of five minutes; who adds one still lacks the passkey that must sign it",
    "spent_proofs": "digests of two minutes; who clears them needs a proof that was shown, and the session's token",
    "sign_in_attempts": "counts of a day; who clears them gains tries, not entry",
}

_NAME = "troth_watch"
_FUNCTION = "troth_watch"
_ID = "[^A-Za-z0-9_-]"
_ADDED = re.compile(r'::text|[()"\s]|\b\w+\.')


def watch(connection: Connection) -> None:
    """(Re)make every trigger on the tables that are there. The owner runs it, on PostgreSQL. Idempotent."""
    unwatch(connection)
    for statement in _statements(connection):
        connection.exec_driver_sql(statement)


def unwatch(connection: Connection) -> None:
    """Take every trigger away."""
    if connection.dialect.name == "sqlite":
        for name in sorted(_found(connection), key=_VIEW.__eq__):  # a view goes last, with the triggers upon it
            connection.exec_driver_sql(f'DROP {"VIEW" if name == _VIEW else "TRIGGER"} "{name}"')
        return
    connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS {_FUNCTION}() CASCADE")


def unwatched(connection: Connection) -> list[str]:
    """Names of triggers that are missing, changed, switched off, or not ours; empty when all is as it should be."""
    wanted, found = _wanted(connection), _found(connection)
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def require_watched(database: Database, *, owner: bool) -> None:
    """Notice triggers that are gone or changed: an entry `database.unwatched`, and the owner puts them back.

    Raises `Unavailable` (not-watched) when the role of `database` cannot put them back.
    """
    with database.write(SYSTEM) as connection:
        astray = unwatched(connection)
        if astray:
            connection.execute(insert(outbox), row(_alarm(len(astray))))
            if owner:
                watch(connection)
    if astray and not owner:
        raise Unavailable(
            f"{len(astray)} triggers on privileged tables are missing or changed; find out who did that, then start "
            "once with TROTH_DATA__DATABASE_OWNER_URL set.",
            code="not-watched",
        )


def _alarm(count: int) -> Entry:
    now, request = epoch_ms(SystemClock().now()), new_id("req")
    log, what, who = "operator", "database.unwatched", "svc_start"
    return Entry(log, what, "event", Outcome.FAILED, request, who, None, now, facts={"count": count})


def _statements(connection: Connection) -> list[str]:
    tables = _tables(connection)
    if connection.dialect.name == "sqlite":
        return list(_sqlite(tables).values())
    return [_POSTGRESQL_FUNCTION, *_postgresql(tables).values()]


def _tables(connection: Connection) -> set[str]:
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'table'"
        if connection.dialect.name == "sqlite"
        else "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    )
    return set(connection.execute(text(query)).scalars()) & PRIVILEGED.keys()


def _wanted(connection: Connection) -> dict[str, str]:
    """Each trigger, and by what a change of it shows."""
    tables = _tables(connection)
    if connection.dialect.name == "sqlite":
        return _sqlite(tables)
    return {name: _shape(definition.partition(";")[0]) + _BODY for name, definition in _postgresql(tables).items()}


def _found(connection: Connection) -> dict[str, str]:
    if connection.dialect.name == "sqlite":
        query = "SELECT name, sql FROM sqlite_master WHERE type IN ('trigger', 'view') AND name GLOB 'troth_watch*'"
        return {str(name): str(sql) for name, sql in connection.execute(text(query))}
    # 'A': fires also for whoever sets session_replication_role.
    query = (
        "SELECT t.tgname, pg_get_triggerdef(t.oid, true), t.tgenabled, p.prosrc, p.prosecdef FROM pg_trigger t"
        " JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid"
        " WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal AND t.tgname LIKE 'troth_watch%'"
    )
    return {
        str(name): _shape(definition) + body if enabled == "A" and definer else "off"
        for name, definition, enabled, body, definer in connection.execute(text(query))
    }


def _shape(definition: str) -> str:
    """A trigger's definition without what the server adds: parentheses, quotes, casts and schemas."""
    return _ADDED.sub("", definition)


def _sqlite(tables: set[str]) -> dict[str, str]:
    """SQLite's view and triggers by name, in the order in which they are made; the text is what `sqlite_master` keeps.

    What an entry says is put together in one place, the trigger of a view that is always empty: every connection keeps
    all triggers in memory, 2 MB of them if each says it again.
    """
    made = {_VIEW: _SQLITE_VIEW, _ENTRY: _SQLITE_ENTRY} if tables else {}
    for table in sorted(tables):
        one = PRIVILEGED[table]
        for kind in _KEPT if table == "outbox" else one.kinds:  # each entry goes in and out: 2 us each time
            name, old = f"{_NAME}_{table}_{kind.lower()}", "NEW" if kind == "INSERT" else "OLD"
            of = f" OF {', '.join(one.columns)}" if kind == "UPDATE" and one.columns else ""
            tenant = f'{old}."{one.tenant}"' if one.tenant else "NULL"
            entry = f"""INSERT INTO {_VIEW} VALUES ('{kind.lower()}', '{table}', {old}."{one.row}", {tenant})"""  # noqa: S608
            made[name] = (
                f'CREATE TRIGGER {name} AFTER {kind}{of} ON "{table}" WHEN {SQLITE_UNMARKED} BEGIN {entry}; END'
            )
    return made


def _sqlite_member(name: str, value: str) -> str:
    return (
        f"CASE WHEN length({value}) BETWEEN 1 AND 64 AND {value} NOT GLOB '*{_ID}*' "
        f"""THEN ',"{name}":"' || {value} || '"' ELSE '' END"""
    )


_VIEW, _ENTRY = "troth_watched", f"{_NAME}_entry"
_SQLITE_VIEW = f'CREATE VIEW {_VIEW} ("change", "table", "row", "tenant") AS SELECT NULL, NULL, NULL, NULL WHERE 0'
_SQLITE_LEAF = (
    f"""'{{"actor":"database","facts":{{"change":"' || NEW."change" || '","role":"file"' || """
    f"""{_sqlite_member("row", 'NEW."row"')} || ',"table":"' || NEW."table" || '"' || """
    f"""{_sqlite_member("tenant", 'NEW."tenant"')} || """
    """'},"log":"operator","op":"database.changed","outcome":"done","phase":"event","request":"req_' || """
    """lower(hex(randomblob(13))) || '","time":' || CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) || '}'"""
)
_SQLITE_ENTRY = (
    f"CREATE TRIGGER {_ENTRY} INSTEAD OF INSERT ON {_VIEW} BEGIN "  # noqa: S608
    f"INSERT INTO outbox (log, leaf) VALUES ('operator', CAST({_SQLITE_LEAF} AS BLOB)); END"
)


def _postgresql(tables: set[str]) -> dict[str, str]:
    """PostgreSQL's triggers by name: a row's, and one for TRUNCATE, which has no rows."""
    made = {}
    for table in sorted(tables):
        one = PRIVILEGED[table]
        for kind in (*one.kinds, "TRUNCATE"):
            name = f"{_NAME}_{table}_{kind.lower()}"
            of = f" OF {', '.join(one.columns)}" if kind == "UPDATE" and one.columns else ""
            each, when = ("STATEMENT", "") if kind == "TRUNCATE" else ("ROW", f" WHEN ({UNMARKED})")
            made[name] = (
                f'CREATE TRIGGER {name} AFTER {kind}{of} ON "{table}" FOR EACH {each}{when}'
                f" EXECUTE FUNCTION {_FUNCTION}('{one.row}', '{one.tenant or ''}');"
                f' ALTER TABLE "{table}" ENABLE ALWAYS TRIGGER {name}'
            )
    return made


# It writes as the owner of the tables, `current_user`, whoever fires it, and past the policies of the outbox, which is
# the one beside the changed table: nothing of the caller's search path is used.
_BODY = """
DECLARE
  changed jsonb := CASE TG_OP WHEN 'TRUNCATE' THEN '{}' WHEN 'INSERT' THEN to_jsonb(NEW) ELSE to_jsonb(OLD) END;
  id text := changed ->> TG_ARGV[0];
  tenant text := changed ->> TG_ARGV[1];
  was_system text := coalesce(current_setting('troth.system', true), '');
  was_own text := coalesce(current_setting('troth.own', true), '');
  whose text := CASE
    WHEN session_user = current_user THEN 'owner'
    WHEN EXISTS (SELECT FROM pg_class c, aclexplode(c.relacl) AS given WHERE c.oid = TG_RELID AND
      given.grantee = quote_ident(session_user)::regrole AND given.privilege_type = 'INSERT') THEN 'app'
    ELSE 'other' END;
  leaf text;
BEGIN
  leaf := '{"actor":"database","facts":{"change":"' || lower(TG_OP) || '","role":"'
    || whose || '"'
    || CASE WHEN id ~ '^[A-Za-z0-9_-]{1,64}$' THEN ',"row":"' || id || '"' ELSE '' END
    || ',"table":"' || TG_TABLE_NAME || '"'
    || CASE WHEN tenant ~ '^[A-Za-z0-9_-]{1,64}$' THEN ',"tenant":"' || tenant || '"' ELSE '' END
    || '},"log":"operator","op":"database.changed","outcome":"done","phase":"event","request":"req_'
    || substr(replace(gen_random_uuid()::text, '-', ''), 1, 26) || '","time":'
    || (extract(epoch FROM clock_timestamp()) * 1000)::bigint || '}';
  PERFORM set_config('troth.system', 'on', true), set_config('troth.own', 'on', true);
  EXECUTE 'INSERT INTO ' || quote_ident(TG_TABLE_SCHEMA) || '.outbox (log, leaf) VALUES ($1, $2)'
    USING 'operator', convert_to(leaf, 'UTF8');
  PERFORM set_config('troth.system', was_system, true), set_config('troth.own', was_own, true);
  RETURN NULL;
END
"""
_POSTGRESQL_FUNCTION = (
    f"CREATE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
    " SET search_path = pg_catalog, pg_temp"
    f" AS $body${_BODY}$body$"
)
