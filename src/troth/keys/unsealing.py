"""Opening the root page of a manifest with the roots of its domains."""

from __future__ import annotations

from collections.abc import Sequence

from troth.kernel.errors import Gone, IntegrityError, TrothError, Unavailable
from troth.keys.manifest import Manifest
from troth.keys.pages import Ref
from troth.keys.roots.port import Root
from troth.keys.shares import KEY, SHARE, joined


def unsealed(manifest: Manifest, roots: Sequence[Root]) -> Ref:
    """The root page of a manifest, opened by the first domain that can, or by all of them together when it is split.

    Raises `Unavailable` (a domain that is needed does not answer), `IntegrityError` (rolled back, or changed).
    """
    seals = {one.domain: one for one in manifest.domains}
    parts: dict[str, bytes] = {}
    refusals: list[TrothError] = []
    for root in roots:
        if (seal := seals.get(root.domain)) is None or (parts and not manifest.split):
            continue
        try:
            parts[root.domain] = root.open(seal.root, seal.key, manifest.aad(purpose(manifest), root.domain))
        except (Gone, Unavailable, IntegrityError) as error:
            refusals.append(error)
    page = bytes.fromhex(manifest.root_page)
    if manifest.split and parts.keys() == seals.keys():
        return Ref(page, joined(parts, page))
    if parts and not manifest.split:
        return Ref(page, next(iter(parts.values())))
    raise _unopened(refusals, missing=manifest.split and len(parts) + len(refusals) < len(seals))


def _unopened(refusals: Sequence[TrothError], *, missing: bool) -> TrothError:
    for kind in (Unavailable, IntegrityError):
        for refusal in refusals:
            if isinstance(refusal, kind):
                return refusal
    if missing:
        return Unavailable("The root is split, and a key domain that holds a share is not set.", code="key-share")
    return IntegrityError(
        "The key tree is sealed under a root that no longer exists: the key tables were rolled back. "
        "Restore the newest ones.",
        code="tree-rolled-back",
    )


def purpose(manifest: Manifest) -> str:
    """What a domain's part of the root page's key is sealed as."""
    return SHARE if manifest.split else KEY
