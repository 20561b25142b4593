"""Checks of the clocks: an assertion to Salesforce lives three minutes, and a server time decides what is settled."""

from datetime import timedelta

from shared.doctor.finding import Verdict, failed, ok, skipped
from shared.doctor.installation import Installation

MOST = timedelta(seconds=60)
REMEDY = "Let this machine take its time from the network, and check the same for the app's region."


def check_partner_center_clock(patient: Installation) -> Verdict:
    """Ours against Partner Center's."""
    ahead = patient.partner_center_probe[1]
    return skipped("the answer had no date") if ahead is None else _judged("Partner Center", ahead)


def check_salesforce_clock(patient: Installation) -> Verdict:
    """Ours against Salesforce's."""
    before = patient.now()
    return _judged("Salesforce", patient.salesforce.query("SELECT Id FROM Organization LIMIT 1").at - before)


def _judged(side: str, ahead: timedelta) -> Verdict:
    seconds = round(abs(ahead).total_seconds())
    found = f"{side}'s clock is {seconds} s {'ahead of' if ahead > timedelta() else 'behind'} ours"
    return ok(found) if abs(ahead) <= MOST else failed(found, REMEDY)
