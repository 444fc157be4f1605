"""What remains somewhere after an erasure, said plainly, from what its steps left in the ledger. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from troth.vault.certificate import Bundle, Keys
from troth.vault.ledger import DESTROY, SUBJECT, WHOLE, Erasure

EMPTIED, SERVER = "emptied", "server"  # what became of the database's journal
_AWAY = (
    "Backup places that did not answer: {}. Which backups lie there could not be seen; they are in no list above and "
    "count as not covered."
)
_BUNDLES = (
    "The tenant was packed {} times for another installation while some of this may have been kept. Those bundles are "
    "sealed for that installation, outside these keys, and are not covered: whoever has them and its key can open them."
)
_SHARED = (
    "{} of the objects share a key with others: their ciphertext is deleted here, but copies in backups stay readable "
    "until that key is destroyed, after the last of them expires ({}); another certificate then completes this one."
)
_OUTSIDE = (
    "Not covered: what left Troth before the erasure, such as answers delivered to people and content that vendors "
    "hold under their own terms."
)
_MODELS = (
    "Model weights are out of scope: a model that was trained on this before, with consent, is named by the lineage of "
    "its data set and is not changed by this erasure."
)
_VENDORS = "What the vendors listed above received is theirs to delete by their agreement, at the latest when it says."
_LOG = "The audit log and this ledger keep opaque ids, numbers and times; the person appears as a digest."
_RELEASED = (
    "Objects with other owners stay for them, without this person's access and without the name they gave. Copies of "
    "the database from before may hold that name until the object itself is erased."
)
_ASSURANCE = {  # what a class does not cover (docs/explanation/assurance.md); A2 has nothing to add
    "A0": "Assurance class A0: a root was a file, Troth's own or a software token's, and was deleted. A copy of that "
    "file made outside Troth, such as a file-system snapshot or an image of the disk, would undo this erasure for "
    "whoever also holds the ciphertext.",
    "A1": "Assurance class A1: a root was in a key service and was deleted there. A snapshot or backup of that "
    "service's storage from before would bring it back, and undo this erasure for whoever restores it and also holds "
    "the ciphertext.",
}
_LOST = (
    "Key domains given up as lost: {}. Their roots were not confirmed destroyed. Whoever finds such a domain and also "
    "holds old copies of the key pages and of the ciphertext could open what was kept before it was given up."
)
_LETTER = (
    "If the person asked for this by a request that ends with a letter, the address that it goes to is kept under a "
    "key of its own until it has gone, at most 30 days; copies of the database from that time open no more after that."
)
_INDEX = (
    "Copies of the database made before the erasure keep a keyed hash of the e-mail address beside the opaque id. Who "
    "holds such a copy and also this deployment's secret can confirm a guessed address; nothing else can be read."
)
_SERVER_LOG = (
    "The database server's write-ahead log, its archive and its free pages may hold dropped rows, with that same hash, "
    "until the server recycles them."
)


def residual(erasure: Erasure, keys: Keys | None, bundles: list[Bundle], results: Mapping[str, Any]) -> list[str]:
    """The certificate's sentences. `results` are what the steps left behind, by step."""
    return [_OUTSIDE, _LOG, _MODELS, *_copies(bundles, results), *_stays(erasure, results), *_keys(keys, results)]


def _copies(bundles: list[Bundle], results: Mapping[str, Any]) -> Iterator[str]:
    if results["clear"]["vendors"]:
        yield _VENDORS
    if away := results["elsewhere"]["away"]:
        yield _AWAY.format(", ".join(away))
    if bundles:
        yield _BUNDLES.format(len(bundles))


def _stays(erasure: Erasure, results: Mapping[str, Any]) -> Iterator[str]:
    if results.get("release", {}).get("released", {}).get("count"):
        yield _RELEASED
    if withheld := results["tombstone"].get("withheld", 0):
        yield f"{withheld} objects stay because a legal hold binds them; they are no part of this erasure."
    if erasure.scope == SUBJECT:
        yield _LETTER
    if erasure.scope in WHOLE:
        yield _INDEX
    if results["journal"]["journal"] == SERVER:
        yield _SERVER_LOG


def _keys(keys: Keys | None, results: Mapping[str, Any]) -> Iterator[str]:
    classes = {root.assurance for root in keys.roots} if keys else set()
    yield from (text for name, text in _ASSURANCE.items() if name in classes)
    if lost := results.get("destroy-rest", {}).get("lost") or results.get(DESTROY, {}).get("lost", ()):
        yield _LOST.format(", ".join(lost))
    if count := results["clear"]["by_deletion"]["count"]:
        yield _SHARED.format(count, results["clear"]["until"])
