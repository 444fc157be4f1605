"""Key domains from settings. A kind that needs an extra is imported when it was chosen, and refused by name without."""

from __future__ import annotations

from troth.kernel.errors import Unavailable
from troth.keys.domains import Domain
from troth.keys.roots.binding import Binding
from troth.keys.roots.local import LocalRoot
from troth.keys.roots.port import Root
from troth.settings.key_domains import (
    KeyDomain,
    Keys,
    LocalDomain,
    OpenBaoDomain,
    Pkcs11Domain,
    copies_folder,
    roots_folder,
)
from troth.settings.sections import Data
from troth.storage.blobs import LocalBlobs


def domains_of(keys: Keys, data: Data) -> list[Domain]:
    """The domains in the order of the settings, which is the order in which they are asked.

    Nothing is contacted: a provider that is away is met later. Raises `Unavailable` for a missing extra.
    """
    return [Domain(root_of(one, data), LocalBlobs(copies_folder(one, data))) for one in keys.domains]


def root_of(domain: KeyDomain, data: Data) -> Root:
    """The provider of a domain. Raises `Unavailable` for a missing extra."""
    binding = Binding(data.keys / "domains" / f"{domain.name}.mark")
    if isinstance(domain, LocalDomain):
        return LocalRoot(roots_folder(domain, data), domain.name, binding)
    return _token(domain, binding) if isinstance(domain, Pkcs11Domain) else _service(domain, binding)


def _token(domain: Pkcs11Domain, binding: Binding) -> Root:
    try:
        from troth.keys.roots.module import TokenPlace  # noqa: PLC0415 - an extra
        from troth.keys.roots.pkcs11 import Pkcs11Root  # noqa: PLC0415
    except ImportError as error:
        raise _missing("Keys on a PKCS#11 token need an extra: pip install 'troth[hsm]'.") from error
    return Pkcs11Root(TokenPlace(domain.library, domain.token, domain.pin_file), binding, domain.name)


def _service(domain: OpenBaoDomain, binding: Binding) -> Root:
    try:
        from troth.keys.roots.openbao import OpenBaoRoot  # noqa: PLC0415 - an extra
        from troth.keys.roots.transit import ServicePlace  # noqa: PLC0415
    except ImportError as error:
        raise _missing("Keys in OpenBao need an extra: pip install 'troth[openbao]'.") from error
    place = ServicePlace(
        domain.address,
        domain.mount,
        domain.token_file,
        domain.authority,
        domain.namespace,
        domain.timeout_seconds,
    )
    return OpenBaoRoot(place, binding, domain.name)


def _missing(advice: str) -> Unavailable:
    return Unavailable(advice, code="extra-missing")
