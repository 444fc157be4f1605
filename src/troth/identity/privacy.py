"""What people and tenants can open up, each closed until they do so themselves (promise GOV-16, GDPR article 25(2)).

Only a value that somebody chose is stored: whoever is new, and every setting that is new, is private.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, insert, select

from troth.identity.store import privacy_settings
from troth.kernel.errors import Invalid
from troth.storage.database import Database

# Setting -> its values, the most private first: that one holds until another is chosen.
SETTINGS: Mapping[str, tuple[str, ...]] = {
    "training": ("off", "by-consent"),
    "sharing": ("off", "tenant"),
    "retention": ("shortest", "tenant-maximum"),
    "content-in-logs": ("off",),
    "analytics": ("off", "aggregate"),
}
PRIVATE: Mapping[str, str] = {name: values[0] for name, values in SETTINGS.items()}


class PrivacySettings:
    """The settings of tenants and users, by their ids."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, owner: str) -> dict[str, str]:
        """Every setting of one owner."""
        chosen = select(privacy_settings.c.name, privacy_settings.c.value).where(privacy_settings.c.owner == owner)
        with self._database.read() as connection:
            return {**PRIVATE, **{name: value for name, value in connection.execute(chosen) if name in SETTINGS}}

    def change(self, owner: str, name: str, value: str) -> None:
        """Choose one value. Raises `Invalid` for a setting or value that does not exist."""
        if value not in SETTINGS.get(name, ()):
            raise Invalid("There is no such privacy setting or value; show yours to see them.", code="unknown-setting")
        mine = (privacy_settings.c.owner == owner) & (privacy_settings.c.name == name)
        with self._database.write() as connection:
            connection.execute(delete(privacy_settings).where(mine))
            if value != PRIVATE[name]:
                connection.execute(insert(privacy_settings), {"owner": owner, "name": name, "value": value})
