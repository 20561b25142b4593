"""An opportunity and a referral as the domain sees them: the deal in neutral form, and what is not part of the deal."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field

from shared.domain.cause import Cause
from shared.domain.deal import Deal, Status


class Opportunity(Struct, frozen=True):
    """`stamps` are known only where the server's clock had passed their second; `problems` are by field.

    `modified` is the row's LastModifiedDate, the condition of a write; `settled` says that the server's clock had
    passed that second, so that the condition can be trusted (protocol.md section 5).
    """

    id: str
    deal: Deal
    flagged: bool
    modified: datetime
    settled: bool = True
    referral_id: str | None = None
    stamps: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, Cause] = field(default_factory=dict)
    asks_help: bool = False


class Referral(Struct, frozen=True):
    """`status` is the referral's own, before normal form: the latches are decided on it; `problems` are by field."""

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
