"""Row-level security on PostgreSQL: the database itself keeps the rows of one tenant from everybody else's work.

Every table that names a tenant has row-level security enabled and forced, with two policies: `troth_tenant` admits the
rows of the tenant in `troth.tenant`, `troth_system` admits all while `troth.system` is on. Both settings live for one
transaction (`storage.database`). Tables belong to an owner role that only migrations use; the application's role owns
nothing, is no superuser and does not bypass policies. docs/decisions/0050-row-security-by-scope.md
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, text

from troth.kernel.errors import Unavailable
from troth.kernel.scope import SYSTEM
from troth.storage.append_only import can_rewrite, make_append_only
from troth.storage.database import Database
from troth.storage.migrate import HEAD, current, upgrade
from troth.storage.watching import require_watched

_HERE = "nullif(current_setting('troth.tenant', true), '')"
_ALL = "current_setting('troth.system', true) = 'on'"
_OF_USER = 'EXISTS (SELECT 1 FROM users WHERE users.id = {table}."{column}")'

# How tables without a column `tenant` tell whose their rows are. A table with that column needs no line here.
RULES: Mapping[str, str] = {
    "tenants": f"id = {_HERE}",
    "outbox": f"log = {_HERE}",
    "audit_logs": f"log = {_HERE}",
    "audit_witnessed": f"log = {_HERE}",
    "privacy_settings": f"owner = {_HERE} OR " + _OF_USER.format(table="privacy_settings", column="owner"),
    "erasure_step": "EXISTS (SELECT 1 FROM erasure WHERE erasure.id = erasure_step.erasure)",
    "vault_edge": "EXISTS (SELECT 1 FROM vault_object WHERE vault_object.id = vault_edge.child)",
} | {
    table: _OF_USER.format(table=table, column="user")
    for table in (
        *("sessions", "api_keys", "totp", "recovery_codes", "passkeys", "known_devices", "role_grants"),
        *("oauth_device_codes", "oauth_refresh_tokens"),
    )
}

_TENANT_TABLES = text(
    "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant'"
    " AND NOT a.attisdropped WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')"
)
_TABLES = text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
_PROTECTED = text(
    "SELECT c.relname FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace"
    " AND c.relrowsecurity AND c.relforcerowsecurity AND 2 = (SELECT count(*) FROM pg_policies p"
    " WHERE p.schemaname = current_schema() AND p.tablename = c.relname"
    " AND p.policyname IN ('troth_tenant', 'troth_system'))"
)
# MEMBER: also what the role could become by SET ROLE.
_POWERS = text(
    "SELECT bool_or(r.rolsuper OR r.rolbypassrls), EXISTS (SELECT 1 FROM pg_class c WHERE"
    " c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')"
    " AND pg_has_role(current_user, c.relowner, 'MEMBER'))"
    " FROM pg_roles r WHERE pg_has_role(current_user, r.oid, 'MEMBER')"
)


def settle(database: Database, *, owner_url: str | None = None, single_role: bool = False) -> None:
    """Bring the schema up to date and see that rows are kept apart. On SQLite, which has one writer, only the schema.

    `owner_url` names the role that owns the tables; `single_role` says that one role does both on purpose. Raises
    `Unavailable`: `no-owner-role` (schema out of date and nobody to change it), `role-too-strong`, `rows-not-isolated`,
    `not-watched` (triggers on privileged tables are gone and nobody here can put them back).
    """
    if database.dialect == "sqlite":
        _raise(database)
        return
    if owner_url:
        _as_owner(owner_url, _role(database))
    elif single_role:
        _raise(database)
        with database.write(SYSTEM) as connection:
            protect(connection)
            make_append_only(connection, _quoted(connection, _schema(connection)))
    elif current(database) != HEAD:
        raise Unavailable(
            "The database's schema is not up to date; set TROTH_DATA__DATABASE_OWNER_URL to the role that owns it.",
            code="no-owner-role",
        )
    else:
        require_watched(database, owner=False)
    require_isolated(database, single_role=single_role)


def protect(connection: Connection) -> None:
    """Enable, force and (re)write the policies of every table that names a tenant. Idempotent; the owner runs it.

    Changes nothing, and takes no lock, when all is as it should be already.
    """
    rules = rules_of(connection)
    if set(rules) <= set(connection.execute(_PROTECTED).scalars()):
        return
    statements = [line for table, rule in sorted(rules.items()) for line in _policies(table, rule)]
    connection.exec_driver_sql(";\n".join(statements))


def unprotect(connection: Connection) -> None:
    """The reverse of `protect`, for a downgrade."""
    for table in rules_of(connection):
        connection.exec_driver_sql(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY')
        for policy in ("troth_tenant", "troth_system"):
            connection.exec_driver_sql(f'DROP POLICY IF EXISTS {policy} ON "{table}"')


def grant(connection: Connection, role: str) -> None:
    """Let the application's role read and write rows, and of the log only add. Idempotent; the owner runs it."""
    schema, name = (_quoted(connection, value) for value in (_schema(connection), role))
    connection.exec_driver_sql(
        f"GRANT USAGE ON SCHEMA {schema} TO {name};"
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {name};"
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {name}"
    )
    make_append_only(connection, schema, name)


def rules_of(connection: Connection) -> dict[str, str]:
    """The condition of every table that must be protected."""
    here = set(connection.execute(_TABLES).scalars())
    named = {str(table): f"tenant = {_HERE}" for table in connection.execute(_TENANT_TABLES).scalars()}
    return {table: rule for table, rule in RULES.items() if table in here} | named


def require_isolated(database: Database, *, single_role: bool = False) -> None:
    """Raises `Unavailable` unless every table is protected and, but for `single_role`, the role is weak enough."""
    with database.read() as connection:
        bypasses, owns = connection.execute(_POWERS).one()
        rewrites = can_rewrite(connection)
        bare = set(rules_of(connection)) - set(connection.execute(_PROTECTED).scalars())
    if bare:
        raise Unavailable(
            f"Row-level security is missing on {len(bare)} tables; start once with TROTH_DATA__DATABASE_OWNER_URL set.",
            code="rows-not-isolated",
        )
    if (bypasses or owns) and not single_role:
        raise Unavailable(
            "The application's database role owns the tables, is a superuser or bypasses row-level security; give it a "
            "role of its own, or set TROTH_DATA__DATABASE_SINGLE_ROLE=true to go without that wall.",
            code="role-too-strong",
        )
    if rewrites and not single_role:
        raise Unavailable(
            "The application's database role can change what stands in the log; start once with "
            "TROTH_DATA__DATABASE_OWNER_URL set, which takes that right away.",
            code="log-not-append-only",
        )


def _raise(database: Database) -> None:
    """The schema, by a role that owns it; triggers that somebody took from a schema of today are noticed."""
    known = current(database) == HEAD
    upgrade(database)
    if known:
        require_watched(database, owner=True)


def _as_owner(url: str, role: str) -> None:
    owner = Database(url, pool_size=1)
    try:
        _raise(owner)
        with owner.write(SYSTEM) as connection:
            protect(connection)
            grant(connection, role)
    finally:
        owner.close()


def _role(database: Database) -> str:
    with database.read() as connection:
        return str(connection.execute(text("SELECT current_user")).scalar_one())


def _policies(table: str, rule: str) -> list[str]:
    return [
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
        f'DROP POLICY IF EXISTS troth_tenant ON "{table}"',
        f'DROP POLICY IF EXISTS troth_system ON "{table}"',
        f'CREATE POLICY troth_tenant ON "{table}" USING ({rule}) WITH CHECK ({rule})',
        f'CREATE POLICY troth_system ON "{table}" USING ({_ALL}) WITH CHECK ({_ALL})',
    ]


def _schema(connection: Connection) -> str:
    return str(connection.execute(text("SELECT current_schema()")).scalar_one())


def _quoted(connection: Connection, name: str) -> str:
    return str(connection.dialect.identifier_preparer.quote_identifier(name))
