"""Key domains from settings. A kind that needs an extra is imported when it was chosen, and refused by name without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from troth.kernel.errors import Invalid, Unavailable
from troth.keys.domains import Domain
from troth.keys.roots.binding import Binding
from troth.keys.roots.local import LocalRoot
from troth.keys.roots.port import Root
from troth.keys.signers.port import SigningKeys
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
from troth.storage.blobs import BlobStore, LocalBlobs
from troth.storage.s3_blobs import Bucket, S3Blobs, read_credentials

if TYPE_CHECKING:
    from troth.keys.roots.module import TokenPlace
    from troth.keys.roots.transit import ServicePlace


def domains_of(keys: Keys, data: Data) -> list[Domain]:
    """The domains in the order of the settings, which is the order in which they are asked.

    Nothing is contacted: a provider that is away is met later. Raises `Unavailable` for a missing extra.
    """
    return [Domain(root_of(one, data), _copies(one, data)) for one in keys.domains]


def _copies(domain: KeyDomain, data: Data) -> BlobStore:
    """Where a domain keeps its copies of the key pages. Raises `Unavailable` for a missing extra or credentials."""
    place = domain.copies_bucket
    if place is None:
        return LocalBlobs(copies_folder(domain, data))
    keys = read_credentials(place.credentials)
    return S3Blobs(Bucket(place.bucket, place.prefix.strip("/"), place.region, place.endpoint, *keys))


def root_of(domain: KeyDomain, data: Data) -> Root:
    """The provider of a domain. Raises `Unavailable` for a missing extra."""
    binding = Binding(data.keys / "domains" / f"{domain.name}.mark")
    if isinstance(domain, LocalDomain):
        return LocalRoot(roots_folder(domain, data), domain.name, binding)
    if isinstance(domain, Pkcs11Domain):
        return _token(domain, data, binding)
    return _service(domain, binding)


def signing_keys_of(domain: KeyDomain, data: Data, purpose: str) -> SigningKeys:
    """Signing keys of a purpose on the token, or in the service, of a domain.

    Raises `Invalid` (signer-domain) for a domain of files, `Unavailable` for a missing extra.
    """
    if isinstance(domain, Pkcs11Domain):
        token = _token_place(domain, data)
        from troth.keys.signers.pkcs11 import Pkcs11SigningKeys  # noqa: PLC0415 - an extra

        return Pkcs11SigningKeys(token, f"troth/{purpose}")
    if isinstance(domain, OpenBaoDomain):
        service = _service_place(domain)
        from troth.keys.signers.openbao import OpenBaoSigningKeys  # noqa: PLC0415 - an extra

        return OpenBaoSigningKeys(service, f"troth-{purpose.replace('/', '-')}")
    raise Invalid(
        "A signing key is kept by a key domain of the kind pkcs11 or openbao; name one.", code="signer-domain"
    )


def _token(domain: Pkcs11Domain, data: Data, binding: Binding) -> Root:
    place = _token_place(domain, data)
    from troth.keys.roots.pkcs11 import Pkcs11Root  # noqa: PLC0415 - an extra

    return Pkcs11Root(place, binding, domain.name)


def _token_place(domain: Pkcs11Domain, data: Data) -> TokenPlace:
    try:
        from troth.keys.roots.module import TokenPlace  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise _missing("Keys on a PKCS#11 token need an extra: pip install 'troth[hsm]'.") from error
    refused = data.keys / "domains" / f"{domain.name}.pin-refused"
    return TokenPlace(domain.library, domain.token, domain.pin_file, refused)


def _service(domain: OpenBaoDomain, binding: Binding) -> Root:
    place = _service_place(domain)
    from troth.keys.roots.openbao import OpenBaoRoot  # noqa: PLC0415 - an extra

    return OpenBaoRoot(place, binding, domain.name)


def _service_place(domain: OpenBaoDomain) -> ServicePlace:
    try:
        from troth.keys.roots.transit import ServicePlace  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise _missing("Keys in OpenBao need an extra: pip install 'troth[openbao]'.") from error
    return ServicePlace(
        domain.address,
        domain.mount,
        domain.token_file,
        domain.authority,
        domain.namespace,
        domain.timeout_seconds,
    )


def _missing(advice: str) -> Unavailable:
    return Unavailable(advice, code="extra-missing")
