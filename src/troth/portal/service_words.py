"""What the pages for operators say of keys and places, in plain words."""

from __future__ import annotations

ROOT_KINDS = {
    "local": "a folder on this machine's disks",
    "pkcs11": "a PKCS#11 token (HSM)",
    "openbao": "a key service (OpenBao or Vault)",
    "not set up": "taken out of the settings; its roots are still to be destroyed",
}
ASSURANCE = {
    "A0": "Keys in files, or in a software token. Disks and snapshots may keep traces of what was destroyed.",
    "A1": "A key service deletes the key. A snapshot of its storage that is older brings it back: keep none for long.",
    "A2": "Hardware made the key, never gave it out, and destroys it for good.",
}
# SP 800-57 Part 1, section 7; the words are those of the standard, the colour says whether to look.
KEY_STATES = {
    "active": "kept",
    "pre-activation": "unknown",
    "suspended": "unknown",
    "deactivated": "unknown",
    "compromised": "broken",
    "destroyed": "absent",
    "destroyed-compromised": "absent",
}
REPLACING = {
    "waiting": "waits for a second operator",
    "open": "being replaced",
    "done": "replaced",
    "called-off": "called off",
}
_PLACES = {
    "backup": "Copies in a backup",
    "database": "The database says",
    "key-copies": "Copies of key pages",
    "key-roots": "Roots of keys",
    "log": "Log",
    "marker": "A store says",
    "objects": "Sealed objects",
    "table": "Rows",
}


def place(name: str) -> str:
    """What an entry of the placement inventory counts."""
    return _PLACES.get(name.partition(":")[0], "Other")
