"""How Troth's own transactions are told from those of other programs; the triggers of `storage.watching` ask.

A mark is no secret: it tells mistakes and shortcuts from Troth's work, and whoever copies it on purpose is not told.
"""

from __future__ import annotations

# PostgreSQL: a setting that ends with the transaction, beside those that row-level security judges by.
MARK = "; SET LOCAL troth.own = 'on'"
UNMARKED = "current_setting('troth.own', true) IS DISTINCT FROM 'on'"

# SQLite has no variables. A connection's limit for ANALYZE, which Troth never runs, can be read in SQL by a trigger,
# is not kept in the file, and is 0 in every other program.
_LIMIT = 71_105
SQLITE_MARK = f"PRAGMA analysis_limit={_LIMIT}"
SQLITE_UNMARKED = f"(SELECT analysis_limit FROM pragma_analysis_limit) IS NOT {_LIMIT}"  # noqa: S608
