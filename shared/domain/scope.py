"""Whether a referral is ours to sync: our organisation's, of this environment, and not from before the beginning.

Source: docs/protocol.md#who-may-be-linked.
"""

import re
from datetime import datetime

from msgspec import Struct

from shared.domain.leads import Leads
from shared.domain.records import Referral

OPPORTUNITY_ID = re.compile(r"006[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?")
TAGGED = re.compile(rf"(?P<tag>[A-Z0-9-]{{1,16}}):(?P<id>{OPPORTUNITY_ID.pattern})")
CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


class Scope(Struct, frozen=True):
    """The referrals that this environment syncs.

    `tag` is None in production. In other environments each external reference starts with it. `leads` says what becomes
    of a lead.
    """

    organization_id: str
    tag: str | None
    begin: datetime
    leads: Leads = Leads.OFF

    def reference(self, opportunity_id: str) -> str:
        """The external reference of an opportunity's referral."""
        return f"{self.tag}:{opportunity_id}" if self.tag else opportunity_id

    def opportunity_named_by(self, reference: str | None) -> str | None:
        """The 18-character opportunity id in an external reference of this environment; None for any other one."""
        tag, bare = split_reference(reference)
        return long_id(bare) if tag == self.tag and OPPORTUNITY_ID.fullmatch(bare) else None

    def exclusion_reason(self, organization_id: str | None, reference: str | None) -> str | None:
        """Return the reason, as a code for the log, why this environment must not touch a referral; None if it may.

        It is asked about referrals without a link: a linked one is this environment's, whatever its reference says.
        """
        if not self.is_of_ours(organization_id):
            return "foreign_organization"
        if split_reference(reference)[0] != self.tag:
            return "other_environment"
        return None

    def is_of_ours(self, organization_id: str | None) -> bool:
        """Whether a referral is our organisation's own record, of whichever environment."""
        return (organization_id or "").lower() == self.organization_id.lower()

    def unlinked_exclusion_reason(self, referral: Referral) -> str | None:
        """Return the reason, as a code for the log, why no opportunity is created for a referral without a link.

        None means that one is created.
        """
        if referral.is_lead and self.leads is Leads.OFF:
            return "lead"
        if self.leads is Leads.OPPORTUNITY and referral.is_open_lead and referral.status and referral.status.is_final:
            return "lead_closed"
        if referral.is_target_microsoft:
            return "target_microsoft"
        if referral.created and referral.created < self.begin:
            return "before_the_beginning"
        return self.exclusion_reason(referral.organization_id, referral.external_reference)

    def shows_as_lead(self, referral: Referral, *, has_lead: bool) -> bool:
        """Whether a referral that has no link becomes a Lead, which is not synced, or stays the one that it has."""
        return (has_lead or self.leads is Leads.LEAD) and referral.is_open_lead


def split_reference(reference: str | None) -> tuple[str | None, str]:
    """The tag and the opportunity id of an external reference; the tag is None if it has none.

    A colleague may enter any text, also one with a colon: only a tag before an opportunity id names an environment.
    Blanks around it say nothing.
    """
    text = (reference or "").strip()
    match = TAGGED.fullmatch(text)
    return (match["tag"], match["id"]) if match else (None, text)


def long_id(identifier: str) -> str:
    """The 18-character form of a Salesforce id (docs/reference/salesforce.md#record-ids)."""
    if len(identifier) != SHORT_ID:
        return identifier
    groups = (identifier[start : start + 5] for start in range(0, SHORT_ID, 5))
    checks = (sum(1 << place for place, letter in enumerate(group) if letter.isupper()) for group in groups)
    return identifier + "".join(CHECKSUM[check] for check in checks)


SHORT_ID = 15
