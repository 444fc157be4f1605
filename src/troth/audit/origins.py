"""What a log is called and under which key its checkpoints are checked."""

from __future__ import annotations

from troth.audit.note import VerifierKey
from troth.kernel.signer import Signer


class Origins:
    """Origin lines `<host>/log/<log>`. All logs share one Ed25519 key, under a key name of their own: their origin.

    So a verifier key is good for one log only, and an entry of one tenant proves nothing in another's.
    """

    def __init__(self, host: str, public_key: bytes) -> None:
        self._host = host
        self._public_key = public_key

    @classmethod
    def of(cls, signer: Signer, host: str | None = None) -> Origins:
        """The origins of a signer; the host is the signer's name unless it is given."""
        return cls(host or signer.name, signer.public_key)

    def origin(self, log: str) -> str:
        """The first line of the log's checkpoints."""
        return f"{self._host}/log/{log}"

    def key(self, log: str) -> VerifierKey:
        """The key that a verifier of this log trusts; its text form is `str(key)`."""
        return VerifierKey(self.origin(log), self._public_key)
