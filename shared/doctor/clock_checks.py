"""Check the clocks: this machine's against those of Partner Center and Salesforce.

A wrong clock breaks the sign-in to Salesforce, because its assertion is valid for three minutes only
(docs/reference/salesforce.md#token-request).
"""

from datetime import timedelta

from shared.doctor.finding import Verdict, failed, ok, skipped
from shared.doctor.installation import Installation

MAX_DIFFERENCE = timedelta(seconds=60)
REMEDY = "Synchronise the clock of this machine with a time server."


def check_partner_center_clock(installation: Installation) -> Verdict:
    """Compare this machine's clock with Partner Center's."""
    ahead = installation.partner_center_probe[1]
    return skipped("the answer had no date") if ahead is None else _verdict_on_clock("Partner Center", ahead)


def check_salesforce_clock(installation: Installation) -> Verdict:
    """Compare this machine's clock with Salesforce's."""
    start = installation.now()
    answer = installation.salesforce.query("SELECT Id FROM Organization LIMIT 1")
    return _verdict_on_clock("Salesforce", answer.at - start)


def _verdict_on_clock(side: str, ahead: timedelta) -> Verdict:
    seconds = round(abs(ahead).total_seconds())
    finding = f"{side}'s clock is {seconds} s {'ahead of' if ahead > timedelta() else 'behind'} this machine's"
    return ok(finding) if abs(ahead) <= MAX_DIFFERENCE else failed(finding, REMEDY)
