"""What people read about a deal that cannot be made: a referral without opportunity, or an opportunity not written to.

Source: docs/protocol.md#the-inbox.
"""

import hashlib
from datetime import datetime

from msgspec import Struct

from shared.domain.answer_clock import answer_by
from shared.domain.cause import Cause
from shared.domain.deal import Company, Deal, Money
from shared.domain.link import Link
from shared.domain.records import Opportunity, Referral

MAY_BE_SHOWN = ""
"""In place of a fingerprint: a record is being written, so one may exist."""


class InboxItem(Struct, frozen=True):
    """A deal that cannot be made, and why. `answer_by` is None where nobody awaits an answer."""

    opportunity_id: str | None
    referral_id: str | None
    name: str | None
    customer: str | None
    money: Money | None
    cause: Cause
    link: str
    answer_by: datetime | None = None

    @property
    def key(self) -> str:
        """The id of the opportunity, or of the referral where there is no opportunity."""
        return self.opportunity_id or self.referral_id or ""

    @property
    def fingerprint(self) -> str:
        """A short hash of everything that people read. Stored rows hold it, so the text that is hashed must not change.

        It holds no personal data.
        """
        one = self.cause
        shown = (self.name, self.customer, self.money, one.code, one.field, one.reason, one.remedy, one.matches)
        text = repr((self.key, self.link, self.answer_by and self.answer_by.isoformat(), shown))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def item_of_referral(referral: Referral, cause: Cause, link: str) -> InboxItem:
    """The item of a referral that makes no opportunity; `link` is its address in Partner Center."""
    until = referral.expires if referral.is_open_lead else answer_by(referral)
    return _item(referral.deal, cause, link, None, referral.id, until)


def item_of_opportunity(opportunity: Opportunity, pair: Link, cause: Cause, link: str) -> InboxItem:
    """The item of an opportunity that the sync may not write to; `link` is its address in Salesforce.

    A record that was read back has no account: the base of the pair names it.
    """
    deal = Deal({**pair.base, **{name: value for name, value in opportunity.deal.items() if value is not None}})
    return _item(deal, cause, link, opportunity.id, pair.referral_id, None)


def item_of_deleted(pair: Link, cause: Cause, link: str) -> InboxItem:
    """The item of an opportunity that was deleted; `link` is the address of its referral in Partner Center."""
    return _item(pair.base, cause, link, pair.opportunity_id, pair.referral_id, None)


def _item(
    deal: Deal, cause: Cause, link: str, opportunity_id: str | None, referral_id: str | None, answer_by: datetime | None
) -> InboxItem:
    name, company, money = deal.get("name"), deal.get("account"), deal.get("money")
    return InboxItem(
        opportunity_id,
        referral_id,
        name if isinstance(name, str) else None,
        company.name if isinstance(company, Company) else None,
        money if isinstance(money, Money) else None,
        cause,
        link,
        answer_by,
    )
