"""Content credentials (C2PA 2.x): every generated picture says that it was made by a machine, and by whose."""

from troth.gateway.provenance.credentials import Credentials, Provenance, SourceType

__all__ = ["Credentials", "Provenance", "SourceType"]
