"""PostgreSQL: the role that serves can add to the log, and neither change nor delete what stands there.

It may insert into the three tables of the log, move a head on and fill a tile that is not full; the columns that say
which log, which tile and which minimum index are not its to change. Triggers hold what it may change within bounds: a
log and its signed part only grow, the signed part never beyond the log, and hashes are only added behind those of a
tile. Four functions of the owner do the rest: `troth_log_first` raises the minimum index over signed entries only that
are older than `FLOOR_DAYS` by the clock of the database, `troth_log_drop` takes entries below it (both are pruning),
`troth_log_cut` what stands behind the signed part only (a replay from the mirror), and `troth_log_clear` empties a
database in which nothing is signed yet (a restore). What was signed and is above the minimum stays, whatever this role
asks for; the owner of the tables is not held. SQLite has no roles: who may write its file may do anything.
docs/decisions/0076-completeness.md
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select, text
from sqlalchemy.sql import func

FLOOR_DAYS = 400  # a year, and a month to look back on it: reviews and certificates name entries that a reader wants
_HEAD_COLUMNS = ("size", "root", "signed_size", "checkpoint", "signed_at")
_TABLES = text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
_HELD = text(
    "SELECT bool_or(has_table_privilege(current_user, c.oid, kind)) FROM pg_class c,"
    " unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) kind WHERE c.relnamespace = current_schema()::regnamespace"
    " AND c.relname IN ('audit_entries', 'audit_logs', 'audit_tiles')"
)
DROP = select(func.troth_log_drop(bindparam("number"), bindparam("start"), bindparam("end")))
CLEAR = select(func.troth_log_clear())
CUT = select(func.troth_log_cut(bindparam("number"), bindparam("size"), bindparam("root")))
FIRST = select(func.troth_log_first(bindparam("number"), bindparam("first")))


def make_append_only(connection: Connection, schema: str, role: str | None = None) -> None:
    """(Re)make functions and triggers, and take from `role` every other way to what was written. The owner runs it.

    `schema` and `role` are quoted identifiers; without a role (one role for everything) nothing is taken away.
    """
    here = set(connection.execute(_TABLES).scalars())
    if not {"audit_entries", "audit_tiles", "audit_logs"} <= here:
        return
    connection.exec_driver_sql(_FUNCTIONS.replace("SCHEMA_", schema))
    if not is_bounded(connection):  # making a trigger locks its table
        connection.exec_driver_sql(_TRIGGERS.replace("SCHEMA_", schema))
    connection.exec_driver_sql(_OWNED)
    if role is None:
        return
    columns = ", ".join(_HEAD_COLUMNS)
    connection.exec_driver_sql(
        f"REVOKE UPDATE, DELETE, TRUNCATE ON {schema}.audit_entries FROM {role};"
        f"REVOKE UPDATE, DELETE, TRUNCATE ON {schema}.audit_tiles, {schema}.audit_logs FROM {role};"
        f"GRANT UPDATE ({columns}) ON {schema}.audit_logs TO {role};"
        f"GRANT UPDATE (hashes) ON {schema}.audit_tiles TO {role};"
        f"GRANT EXECUTE ON FUNCTION {schema}.troth_log_drop(bigint, bigint, bigint) TO {role};"
        f"GRANT EXECUTE ON FUNCTION {schema}.troth_log_cut(bigint, bigint, bytea) TO {role};"
        f"GRANT EXECUTE ON FUNCTION {schema}.troth_log_first(bigint, bigint) TO {role};"
        f"GRANT EXECUTE ON FUNCTION {schema}.troth_log_clear() TO {role}"
    )


def make_free(connection: Connection) -> None:
    """Take triggers and functions away, for a downgrade."""
    for name in ("head_bounds()", "tile_bounds()", "first(bigint, bigint)", "cut(bigint, bigint, bytea)"):
        connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS troth_log_{name} CASCADE")


def can_rewrite(connection: Connection) -> bool:
    """Whether the role of this connection may change or delete whole rows of the log, or is held by no trigger."""
    return bool(connection.execute(_HELD).scalar()) or not is_bounded(connection)


def is_bounded(connection: Connection) -> bool:
    """Whether the two triggers are there, switched on for everybody, and say what they should."""
    found = {str(name): str(body) for name, body in connection.execute(_BOUNDS)}
    return found == {"troth_log_head_bounds": _HEAD_BODY, "troth_log_tile_bounds": _TILE_BODY}


# 23: of each row, before INSERT and UPDATE; 19: before UPDATE only. `WHEN` could switch one off, and so could columns.
_BOUNDS = text(
    "SELECT t.tgname, p.prosrc FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " JOIN pg_proc p ON p.oid = t.tgfoid WHERE c.relnamespace = current_schema()::regnamespace"
    " AND t.tgenabled = 'A' AND t.tgqual IS NULL AND t.tgattr::text = '' AND p.proowner = c.relowner"
    " AND (c.relname, t.tgname, t.tgtype) IN"
    " (('audit_logs', 'troth_log_head_bounds', 23), ('audit_tiles', 'troth_log_tile_bounds', 19))"
)

# They run as whoever asks, so inside the owner's functions as the owner, who may do what these permit.
_OWNER = """pg_has_role(current_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = TG_RELID), 'USAGE')"""
_REFUSED = f"""
  IF fits IS TRUE OR {_OWNER} THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'what stands in the log stays' USING ERRCODE = 'insufficient_privilege';
END """
_HEAD_BODY = f"""
DECLARE
  fits boolean;
BEGIN
  IF TG_OP = 'INSERT' THEN
    fits := NEW.size = 0 AND NEW.signed_size = 0 AND NEW.first = 0;
  ELSE
    fits := NEW.size >= OLD.size AND NEW.signed_size BETWEEN OLD.signed_size AND NEW.size AND NEW.first = OLD.first
      AND (NEW.size > OLD.size OR NEW.root = OLD.root) AND (OLD.checkpoint IS NULL OR NEW.checkpoint IS NOT NULL);
  END IF;{_REFUSED}"""
_TILE_BODY = f"""
DECLARE
  fits boolean := length(NEW.hashes) <= 8192 AND substring(NEW.hashes FROM 1 FOR length(OLD.hashes)) = OLD.hashes;
BEGIN{_REFUSED}"""
_TRIGGERS = f"""
CREATE OR REPLACE FUNCTION SCHEMA_.troth_log_head_bounds() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body${_HEAD_BODY}$body$;
CREATE OR REPLACE FUNCTION SCHEMA_.troth_log_tile_bounds() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body${_TILE_BODY}$body$;
CREATE OR REPLACE TRIGGER troth_log_head_bounds BEFORE INSERT OR UPDATE ON SCHEMA_.audit_logs
FOR EACH ROW EXECUTE FUNCTION SCHEMA_.troth_log_head_bounds();
CREATE OR REPLACE TRIGGER troth_log_tile_bounds BEFORE UPDATE ON SCHEMA_.audit_tiles
FOR EACH ROW EXECUTE FUNCTION SCHEMA_.troth_log_tile_bounds();
ALTER TABLE SCHEMA_.audit_logs ENABLE ALWAYS TRIGGER troth_log_head_bounds;
ALTER TABLE SCHEMA_.audit_tiles ENABLE ALWAYS TRIGGER troth_log_tile_bounds
"""

# A superuser, or a member of the owning role, may have made them: they are the owner's all the same.
_OWNED = """
DO $body$
DECLARE
  one record;
BEGIN
  FOR one IN SELECT p.oid::regprocedure AS made, r.rolname AS owner FROM pg_class c
    JOIN pg_roles r ON r.oid = c.relowner JOIN pg_proc p ON p.pronamespace = c.relnamespace AND p.proowner <> c.relowner
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = 'audit_logs'
    AND left(p.proname, 10) = 'troth_log_'
  LOOP
    EXECUTE 'ALTER FUNCTION ' || one.made || ' OWNER TO ' || quote_ident(one.owner);
  END LOOP;
END $body$
"""

_FUNCTIONS = """
CREATE OR REPLACE FUNCTION SCHEMA_.troth_log_drop(which bigint, beginning bigint, ending bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  was_system text := coalesce(current_setting('troth.system', true), '');
  least bigint;
  gone bigint;
BEGIN
  PERFORM set_config('troth.system', 'on', true);
  SELECT l.first INTO least FROM SCHEMA_.audit_logs l WHERE l.number = which;
  PERFORM set_config('troth.system', was_system, true);
  IF least IS NULL OR ending > least THEN
    RAISE EXCEPTION 'entries at or above the minimum index stay' USING ERRCODE = 'insufficient_privilege';
  END IF;
  DELETE FROM SCHEMA_.audit_entries e WHERE e.number = which AND e.position >= beginning AND e.position < ending;
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $body$;
CREATE OR REPLACE FUNCTION SCHEMA_.troth_log_first(which bigint, ending bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  was_system text := coalesce(current_setting('troth.system', true), '');
  floor_at bigint := (extract(epoch FROM clock_timestamp()) * 1000)::bigint - FLOOR_MS_;
  head record;
BEGIN
  PERFORM set_config('troth.system', 'on', true);
  SELECT l.log, l.first, l.signed_size INTO head FROM SCHEMA_.audit_logs l WHERE l.number = which FOR UPDATE;
  IF head.log IS NULL OR head.log = 'meta' OR ending > head.signed_size OR EXISTS (SELECT 1 FROM SCHEMA_.audit_entries e
    WHERE e.number = which AND e.position >= head.first AND e.position < ending AND e.time > floor_at) THEN
    RAISE EXCEPTION 'entries that are young or not signed stay' USING ERRCODE = 'insufficient_privilege';
  END IF;
  UPDATE SCHEMA_.audit_logs SET first = ending WHERE number = which AND first < ending;
  PERFORM set_config('troth.system', was_system, true);
END $body$;
CREATE OR REPLACE FUNCTION SCHEMA_.troth_log_cut(which bigint, ending bigint, hash bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  was_system text := coalesce(current_setting('troth.system', true), '');
  head record;
BEGIN
  PERFORM set_config('troth.system', 'on', true);
  SELECT l.size, l.signed_size INTO head FROM SCHEMA_.audit_logs l WHERE l.number = which FOR UPDATE;
  IF head.size IS NULL OR ending < head.signed_size OR ending > head.size THEN
    RAISE EXCEPTION 'what was signed stays' USING ERRCODE = 'insufficient_privilege';
  END IF;
  UPDATE SCHEMA_.audit_logs SET size = ending, root = hash WHERE number = which;
  PERFORM set_config('troth.system', was_system, true);
  DELETE FROM SCHEMA_.audit_entries e WHERE e.number = which AND e.position >= ending;
  FOR high IN 0..7 LOOP
    DELETE FROM SCHEMA_.audit_tiles t WHERE t.number = which AND t.level = high
      AND t.tile >= ((ending >> (8 * high)) + 255) >> 8;
    UPDATE SCHEMA_.audit_tiles t SET hashes = substring(t.hashes FROM 1 FOR (32 * ((ending >> (8 * high)) & 255))::int)
      WHERE t.number = which AND t.level = high AND t.tile = ending >> (8 * high) >> 8;
  END LOOP;
END $body$;
CREATE OR REPLACE FUNCTION SCHEMA_.troth_log_clear() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  was_system text := coalesce(current_setting('troth.system', true), '');
BEGIN
  PERFORM set_config('troth.system', 'on', true);
  IF EXISTS (SELECT 1 FROM SCHEMA_.audit_logs l WHERE l.signed_size > 0) THEN
    RAISE EXCEPTION 'what was signed stays' USING ERRCODE = 'insufficient_privilege';
  END IF;
  DELETE FROM SCHEMA_.audit_tiles;
  DELETE FROM SCHEMA_.audit_entries;
  DELETE FROM SCHEMA_.audit_logs;
  PERFORM set_config('troth.system', was_system, true);
END $body$;
REVOKE ALL ON FUNCTION SCHEMA_.troth_log_clear() FROM PUBLIC;
REVOKE ALL ON FUNCTION SCHEMA_.troth_log_drop(bigint, bigint, bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION SCHEMA_.troth_log_cut(bigint, bigint, bytea) FROM PUBLIC;
REVOKE ALL ON FUNCTION SCHEMA_.troth_log_first(bigint, bigint) FROM PUBLIC
""".replace("FLOOR_MS_", str(FLOOR_DAYS * 86_400_000))
