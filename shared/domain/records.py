"""An opportunity and a referral as the domain sees them: the deal in neutral form, and what is not part of the deal."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct, field

from shared.domain.cause import Cause
from shared.domain.deal import Deal, Status
from shared.domain.sharing import NO_SHARING, Sharing


class Row(Struct, frozen=True):
    """A row of a related list: its id, and the key of the member that it stands for (`member_sets.key_of`).

    The key is empty if the row stands for none. `about` is what its columns say of the member besides.
    """

    id: str
    key: str
    about: Mapping[str, Any] = {}


type Rows = Mapping[str, tuple[Row, ...]]
"""The rows of related lists, by field."""
NO_ROWS: Rows = {}


class Opportunity(Struct, frozen=True):
    """An opportunity as it was read.

    deal            the values in neutral form
    flagged         whether the seller has ticked Sync with Partner Center
    modified        LastModifiedDate, the condition of a write
    rests_in        how long after the read another save may still be committed under `modified`: until then, the
                    condition is not reliable (docs/protocol.md#stamps)
    stamps          the versions by polling query, where they are reliable (docs/protocol.md#stamps)
    seen            the same, also where a save may still come under them
    problems        by field, why a value cannot be read
    lacking         by field, what a new referral needs of a value and lacks
    sharing         what Microsoft is to see and to do
    stage           the name of the stage
    modified_by     the id of the user who saved last
    is_automated    whether that user is no person (docs/protocol.md#answers-that-nobody-gave)
    reason          the reason of a close; empty if none is chosen, None where the org has no field for it
    reason_details  the seller's own words about it
    answer_by       until when Microsoft awaits an answer, as the record shows it
    rows            by field, the rows of the related list that hold its members
    unsendable      by field and key, the code of why Partner Center does not get a member of the list
    cut             the fields whose text is longer than what is compared
    partial         the lists of which only a part was read, as the org just lost the related list, or hides somebody
    unseen          those of them that name somebody whom the integration user may not see
    name            the whole name with the mark in front of it; None where no name has a mark
    computed        the fields that line items decide: Salesforce ignores a written value
    before          the opportunity before the last write of ours, where this is what that has read back
    """

    id: str
    deal: Deal
    flagged: bool
    modified: datetime
    rests_in: timedelta = timedelta()
    referral_id: str | None = None
    stamps: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, Cause] = field(default_factory=dict)
    sharing: Sharing = NO_SHARING
    stage: str = ""
    modified_by: str | None = None
    is_automated: bool = False
    reason: str | None = None
    reason_details: str = ""
    answer_by: datetime | None = None
    rows: Rows = {}
    unsendable: Mapping[str, Mapping[str, str]] = {}
    cut: frozenset[str] = frozenset()
    partial: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    lacking: Mapping[str, Cause] = {}
    name: str | None = None
    computed: tuple[str, ...] = ()
    seen: Mapping[str, str] = {}
    before: "Opportunity | None" = None


class Referral(Struct, frozen=True):
    """A referral as it was read.

    `status` is the referral's own status, before normal form: the latches are decided by it. `problems` says by field
    why a value cannot be read. `expires` is when an unanswered deal ends, where Partner Center says it. `duns` is the
    D-U-N-S number of the customer. `is_shared` says that Microsoft sees the deal: then it can be registered.
    `is_from_microsoft` says that Microsoft sent it. `msx_id` is the number of the deal in Microsoft's CRM. `raw` is the
    representation, from which a list is rebuilt, so that what we do not map survives; None if it was not read. `cut`
    has the fields whose text is longer than what is compared; None where the referral was not read. `is_listed` says
    that a list showed it: it is read by itself before anything is sent.
    """

    id: str
    etag: str
    deal: Deal
    updated: datetime
    status: Status | None = None
    engagement_id: str | None = None
    organization_id: str | None = None
    created: datetime | None = None
    external_reference: str | None = None
    problems: Mapping[str, Cause] = field(default_factory=dict)
    is_lead: bool = False
    is_target_microsoft: bool = False
    expires: datetime | None = None
    duns: str | None = None
    is_shared: bool = False
    is_from_microsoft: bool = False
    msx_id: str | None = None
    raw: Mapping[str, Any] | None = None
    cut: frozenset[str] | None = None
    is_listed: bool = False

    @property
    def is_unanswered(self) -> bool:
        """Whether this is an inbound deal that nobody has accepted or declined yet."""
        return self.status is not None and self.status.is_unanswered

    @property
    def is_open_lead(self) -> bool:
        """Whether this is a lead that nobody has accepted: an accepted one is a deal (docs/protocol.md#leads)."""
        return self.is_lead and not (self.status is not None and self.status.is_accepted)
