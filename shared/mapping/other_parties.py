"""Read the records of other parties in our engagements: Microsoft's, and other partners'.

Source: docs/reference/partner-center.md#engagement-and-the-microsoft-record.
"""

from collections.abc import Iterable
from copy import replace
from datetime import datetime

from shared.domain.deal import Person, Status
from shared.domain.microsoft_record import TIME_TO_ANSWER, MicrosoftRecord, PartnerRecord, address_mark
from shared.foundation.errors import Unavailable
from shared.mapping.paths import Json, in_referral, normal_text, time_or_none
from shared.mapping.people import MEMBER_KEYS, person_from
from shared.mapping.referral_kind import MICROSOFT, is_target_microsoft

MAX_NAME, MAX_REASON = 80, 255
"""The characters that are kept of a name, an id or a status, and of a reason: the audit shows them."""


def is_foreign(referral: Json, organization_id: str) -> bool:
    """Whether a referral, or its entry in a list, is another party's."""
    return _organization(referral) not in ("", organization_id.casefold())


def record_of_party(referral: Json) -> MicrosoftRecord | PartnerRecord:
    """Return the record of another party. Raises Unavailable without an id or an eTag."""
    if _organization(referral) == MICROSOFT or is_target_microsoft(referral):
        return microsoft_record(referral)
    key, etag = _identity(referral)
    name, status = _text(referral, "/organizationName", MAX_NAME) or key, _status(referral)
    engagement, updated = _text(referral, "/engagementId"), time_or_none(referral.get("updatedDateTime"))
    return PartnerRecord(key, etag, engagement, name, str(status) if status else "none", updated)


def parties_in(
    referrals: Iterable[Json], organization_id: str
) -> tuple[list[MicrosoftRecord | PartnerRecord], dict[str, Json]]:
    """Return the records of other parties in an engagement, completed by our own referrals, and these by their ids."""
    listed = tuple(referrals)
    own = {str(each.get("id")): each for each in listed if not is_foreign(each, organization_id)}
    theirs = (record_of_party(each) for each in listed if is_foreign(each, organization_id))
    return [with_ours(one, own.values()) if isinstance(one, MicrosoftRecord) else one for one in theirs], own


def microsoft_in(referrals: Iterable[Json]) -> MicrosoftRecord | None:
    """Return Microsoft's record among the referrals of an engagement. Raises Unavailable as `record_of_party`."""
    records = (
        record_of_party(each) for each in referrals if _organization(each) == MICROSOFT or is_target_microsoft(each)
    )
    return next((record for record in records if isinstance(record, MicrosoftRecord)), None)


def is_sent_by_microsoft(referrals: Iterable[Json]) -> bool:
    """Whether a referral of an engagement, ours too, was made by an invitation of Microsoft's."""
    inviters = (_text(each, "/inviteContext/invitedBy/organizationId") or "" for each in referrals)
    return any(inviter.casefold() == MICROSOFT for inviter in inviters)


def msx_id_in(referral: Json) -> str | None:
    """Return the number of the deal in Microsoft's CRM. It may stand in Microsoft's record, or in ours."""
    return _text(referral, "/trackingInfo/microsoftMsxId", MAX_NAME)


def microsoft_record(referral: Json) -> MicrosoftRecord:
    """Return Microsoft's record. Raises Unavailable without an id or an eTag."""
    key, etag = _identity(referral)
    inviter = (_text(referral, "/inviteContext/invitedBy/organizationId") or "").casefold()
    return MicrosoftRecord(
        key,
        etag,
        _text(referral, "/engagementId"),
        _status(referral),
        _text(referral, "/statusReason", MAX_REASON),
        msx_id_in(referral),
        _team(referral),
        _notes(referral),
        _answer_by(referral),
        _text(referral, "/inviteContext/assistanceRequestCode"),
        _text(referral, "/inviteContext/notes"),
        inviter == MICROSOFT,
        time_or_none(referral.get("updatedDateTime")),
    )


def with_ours(record: MicrosoftRecord, ours: Iterable[Json]) -> MicrosoftRecord:
    """Return Microsoft's record completed by our own: with its CRM identifier, and with who of the team is ours."""
    ours = tuple(ours)
    own = {address_mark(person) for each in ours for person in _team(each) or () if person.email}
    shared = own & {address_mark(person) for person in record.team or ()}
    msx_id = record.msx_id or next(filter(None, map(msx_id_in, ours)), None)
    return replace(record, msx_id=msx_id, ours=tuple(sorted(shared)) if ours else None)


def _identity(referral: Json) -> tuple[str, str]:
    key, etag = _text(referral, "/id"), _text(referral, "/eTag")
    if not (key and etag):
        raise Unavailable("a referral of another party cannot be read")
    return key.lower(), etag


def _organization(referral: Json) -> str:
    return (_text(referral, "/organizationId") or "").casefold()


def _text(referral: Json, path: str, length: int | None = None) -> str | None:
    value = in_referral(referral, path)
    return normal_text(value, length) if isinstance(value, str) else None


def _status(referral: Json) -> Status | None:
    status, substatus = _text(referral, "/status", MAX_NAME), _text(referral, "/substatus", MAX_NAME)
    return Status(status, substatus or "None") if status else None


def _team(referral: Json) -> tuple[Person, ...] | None:
    members = referral.get("team")
    if not isinstance(members, list):
        return None
    people = (person_from(member, MEMBER_KEYS) for member in members if isinstance(member, dict))
    return tuple(person for person in people if person)


def _notes(referral: Json) -> str | None:
    details = referral.get("details")
    return (_text(details, "/notes") or "") if isinstance(details, dict) and "notes" in details else None


def _answer_by(referral: Json) -> datetime | None:
    until, created = (time_or_none(referral.get(name)) for name in ("expirationDateTime", "createdDateTime"))
    return until or (created + TIME_TO_ANSWER if created else None)
