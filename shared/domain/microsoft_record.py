"""What Microsoft's own record of a deal says, and what the link keeps of it.

Microsoft is another party of the deal's engagement, with a record of its own. It is read for news only: it never makes
an opportunity, and it is never written. Sources: docs/protocol.md#news-from-microsoft,
docs/reference/partner-center.md#engagement-and-the-microsoft-record.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct, field

from shared.domain.deal import Person, Status, fingerprint

STATUSES: Mapping[str, str] = {
    "New": "Asked",
    "Active": "Accepted",
    "Closed/Declined": "Declined",
    "Closed/Expired": "Expired",
    "Closed/Won": "Won",
    "Closed/Lost": "Lost",
    "Closed/Error": "Error",
}
"""The values of Microsoft Status, by Microsoft's status, or by its status and substatus."""
ASKED, ACCEPTED = "Asked", "Accepted"
TIME_TO_ANSWER = timedelta(days=14)
"""How long Microsoft has, where its record does not say it (docs/reference/partner-center.md#deadlines)."""


class MicrosoftRecord(Struct, frozen=True):
    """Microsoft's record as it was read.

    status         its status; None where the record has none
    reason         why Microsoft closed it
    msx_id         the number of the deal in Microsoft's CRM
    team           the people of the record, who may be our own too; None where the record does not say
    notes          the notes of the record, which may repeat our own; None where the record does not say
    answer_by      until when Microsoft answers
    help_code      what it was asked for
    request_notes  what it was told with the request
    is_sender      whether Microsoft sent the deal: then nobody asked it
    updated        when it changed last, by the service's clock
    ours           the fingerprints of our own people in the team, where our own record was read
    """

    id: str
    etag: str
    engagement_id: str | None = None
    status: Status | None = None
    reason: str | None = None
    msx_id: str | None = None
    team: tuple[Person, ...] | None = None
    notes: str | None = None
    answer_by: datetime | None = None
    help_code: str | None = None
    request_notes: str | None = None
    is_sender: bool = False
    updated: datetime | None = None
    ours: tuple[str, ...] | None = None

    @property
    def shown_status(self) -> str | None:
        """The value of Microsoft Status; None for a status that is missing or not known."""
        status = self.status
        return (STATUSES.get(status.status) or STATUSES.get(str(status))) if status else None


class PartnerRecord(Struct, frozen=True):
    """The record of another partner in the engagement, as it was read."""

    id: str
    etag: str
    engagement_id: str | None
    name: str
    status: str
    updated: datetime | None = None


class HeardRecord(Struct, frozen=True):
    """What the link keeps of Microsoft's record: no names and no notes.

    etag      the version that was heard; empty where it must be read again
    status    the value of Microsoft Status
    raw       the status of the record, by which an unknown one is named once
    parts     the fingerprints of what the opportunity shows, by field
    echo      the fingerprint of the notes that are our own, repeated
    is_shown  whether the opportunity shows it
    ours      the fingerprints of those of its people who are ours
    lacking   the keys of the columns that the org lacked when it was shown
    unknown   keys that a later build stored, as in `Link`
    """

    id: str
    etag: str = ""
    updated: datetime | None = None
    status: str | None = None
    raw: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    echo: str | None = None
    is_shown: bool = False
    ours: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    unknown: Mapping[str, Any] = field(default_factory=dict)


class HeardPartner(Struct, frozen=True):
    """What the link keeps of another partner's record."""

    etag: str
    status: str
    updated: datetime | None = None


class News(Struct, frozen=True):
    """What an opportunity shows of Microsoft's record. An empty text clears a column, None leaves it as it is."""

    microsoft_status: str | None = None
    microsoft_crm_identifier: str | None = None
    microsoft_seller: str | None = None
    microsoft_notes: str | None = None
    microsoft_answer_by: str | None = None

    @property
    def parts(self) -> dict[str, str]:
        """The texts by the keys of their columns in the mapping file, without those that are left as they are."""
        texts = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: text for name, text in texts.items() if text is not None}

    @property
    def marks(self) -> dict[str, str]:
        """The fingerprints of the texts, by the same keys."""
        return {name: fingerprint(text) for name, text in self.parts.items()}


def notes_mark(text: str | None) -> str:
    """The fingerprint of notes. Blanks and line ends do not count, because systems rewrite them."""
    return fingerprint(" ".join((text or "").split()))


def address_mark(person: Person) -> str:
    """The fingerprint of a person's e-mail address."""
    return fingerprint((person.email or "").casefold())


def is_older(updated: datetime | None, known: datetime | None) -> bool:
    """Whether a record is an older state than the known one: it was read before that, and heard after."""
    return updated is not None and known is not None and updated < known
