"""The content of an event, sealed: under the person whom its texts are about, else under a unit that is nobody's.

The digest of the content stands in the log and in the chain; who has the key of its unit destroyed leaves both whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, and_

from troth.governance.forms.form import Form
from troth.governance.records import Event
from troth.governance.tables import events
from troth.kernel.errors import Gone, Invalid
from troth.kernel.personal import PersonalFields
from troth.keys.field_moving import SealedColumn

SUBJECT: Final = "svc_registers"  # whose account unit seals what is about nobody: so no erasure of a person
LABEL: Final = "register-event"


def _of_subject(tenant: str, subject: str) -> ColumnElement[bool]:
    return and_(events.c.tenant == tenant, events.c.subject == subject)


SEALED: Final = (SealedColumn(events, "content", LABEL, _of_subject),)  # for whoever must move it to fresh keys


def subject_of(form: Form, move: str, values: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """Whose texts the values hold: that of the person field which a text names in `of`, or nobody's.

    `before`: what stands in the record already. Raises Invalid(two-people) for texts about different people.
    """
    rule = form.opened if move == "open" else form.moves.get(move)
    fields = {**form.fields, **(rule.asks if rule is not None else {})}
    texts = [fields[name] for name in values if name in fields and fields[name].single in ("text", "long")]
    named = {values.get(field.of[0], before.get(field.of[0])) for field in texts if field.of}
    people = {str(one) for one in named if one is not None}
    if len(people) > 1:
        raise Invalid("Enter texts about different people in moves of their own.", code="two-people")
    return next(iter(people), SUBJECT)


def sealed(fields: PersonalFields, tenant: str, subject: str, event: Event) -> bytes:
    """The content of an event for its row. Raises `Gone` for an erased person, `Unavailable`."""
    return fields.seal(tenant, subject, LABEL, _content(event))


def sealed_all(fields: PersonalFields, tenant: str, several: Sequence[tuple[str, Event]]) -> list[bytes]:
    """The same for many (subject, event), with few writes of keys."""
    return fields.seal_all(tenant, LABEL, [(subject, _content(event)) for subject, event in several])


def event_of(fields: PersonalFields, row: Mapping[str, Any]) -> Event:
    """The event of a row, without its content where that was erased. Raises `IntegrityError` for altered bytes."""
    content = _opened(fields, row)
    return Event(
        form=row["form"], form_version=int(row["form_version"]), record=row["record"], sequence=int(row["sequence"]),
        at=int(row["at"]), actor=row["actor"], move=row["move"], state=row["state"],
        values=None if content is None else content["values"],
        salt=b"" if content is None else bytes.fromhex(content["salt"]),
        digest=row["digest"], previous=row["previous"],
    )  # fmt: skip


def _content(event: Event) -> bytes:
    return json.dumps({"salt": event.salt.hex(), "values": event.values}, ensure_ascii=False).encode()


def _opened(fields: PersonalFields, row: Mapping[str, Any]) -> dict[str, Any] | None:
    if row["content"] is None:
        return None
    try:
        content: dict[str, Any] = json.loads(
            fields.open(row["tenant"], row["subject"], LABEL, bytes(row["content"])).decode()
        )
    except Gone:  # the keys went a moment before the row
        return None
    return content
