"""Check that the integration user still sees each linked opportunity (docs/protocol.md#states-of-a-link)."""

from datetime import UTC, datetime

from shared.doctor.finding import Verdict, failed, ok
from shared.doctor.installation import Installation
from shared.domain.deal import Side
from shared.store.stored_values import HIDDEN

LONGEST_QUEUE = 5000
"""So many retry entries are read."""
NAMED = 5
SHOW_THEM = (
    "Give the integration user View All on Opportunity, or a sharing rule: the check read access says more. "
    "They are then found within an hour. If somebody emptied the recycle bin, close the referrals in Partner Center."
)


def check_hidden_deals(installation: Installation) -> Verdict:
    """Name linked opportunities that the app saw once and does not see any more."""
    entries = installation.app.store.retry_entries(Side.SALESFORCE, datetime.max.replace(tzinfo=UTC), LONGEST_QUEUE)
    hidden = [entry.key for entry in entries if entry.cause == HIDDEN]
    if not hidden:
        return ok("the integration user sees every linked opportunity that was looked at")
    more = f" and {len(hidden) - NAMED} more" if len(hidden) > NAMED else ""
    return failed(f"the integration user no longer sees {', '.join(hidden[:NAMED])}{more}", SHOW_THEM)
