"""Content credentials (C2PA 2.x): every generated picture says that it was made by a machine, and by whose."""

from troth.gateway.provenance.credentials import Credentials, SourceType, TimeStamps
from troth.gateway.provenance.manifests import Provenance

__all__ = ["Credentials", "Provenance", "SourceType", "TimeStamps"]
