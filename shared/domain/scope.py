"""Who may be linked (protocol.md section 1): our own, this environment's, none from before the beginning."""

import re
from datetime import datetime

from msgspec import Struct

from shared.domain.records import Referral

OPPORTUNITY_ID = re.compile(r"006[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?")
TAGGED = re.compile(r"(?P<tag>[A-Z0-9-]{1,16}):(?P<id>.+)")
CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


class Scope(Struct, frozen=True):
    """`tag` is None in production; elsewhere it goes in front of every external reference."""

    organization_id: str
    tag: str | None
    begin: datetime

    def reference(self, opportunity_id: str) -> str:
        """The external reference of an opportunity's referral."""
        return f"{self.tag}:{opportunity_id}" if self.tag else opportunity_id

    def opportunity_of(self, reference: str | None) -> str | None:
        """The 18-character opportunity id that an external reference of this environment names; None for any other."""
        tag, bare = split_reference(reference)
        return long_id(bare) if tag == self.tag and OPPORTUNITY_ID.fullmatch(bare) else None

    def excludes(self, organization_id: str | None, reference: str | None) -> str | None:
        """Why a referral is none of this environment's business: a code for the log; None where it is."""
        if (organization_id or "").lower() != self.organization_id.lower():
            return "foreign_organization"
        if split_reference(reference)[0] != self.tag:
            return "other_environment"
        return None

    def excludes_unlinked(self, referral: Referral) -> str | None:
        """Why a referral without a link makes no opportunity."""
        if referral.is_lead:
            return "lead"
        if referral.is_target_microsoft:
            return "target_microsoft"
        if referral.created and referral.created < self.begin:
            return "before_the_beginning"
        return self.excludes(referral.organization_id, referral.external_reference)


def split_reference(reference: str | None) -> tuple[str | None, str]:
    """Tag and rest of an external reference; a reference without a tag has None."""
    match = TAGGED.fullmatch(reference or "")
    return (match["tag"], match["id"]) if match else (None, reference or "")


def long_id(identifier: str) -> str:
    """The 18-character form of a Salesforce id (reference/salesforce.md 2.15)."""
    if len(identifier) != SHORT_ID:
        return identifier
    groups = (identifier[start : start + 5] for start in range(0, SHORT_ID, 5))
    checks = (sum(1 << place for place, letter in enumerate(group) if letter.isupper()) for group in groups)
    return identifier + "".join(CHECKSUM[check] for check in checks)


SHORT_ID = 15
