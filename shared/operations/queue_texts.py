"""Says in words why a pair is in the retry queue, and whether it is late: longer there than the schedule lets it be.

Source: docs/events.md#causes-of-pair_due, docs/protocol.md#the-retry-queue.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from shared.domain.answering import DECLINE, HOLD_WIN
from shared.domain.audit import IRREVERSIBLE
from shared.domain.counted_changes import MASS_CHANGE
from shared.domain.link import Link
from shared.domain.link_states import State
from shared.domain.mapping_change import MAPPING_CHANGE
from shared.domain.policy import PAUSED, Policy
from shared.store.stored_values import OPERATOR, WAITING, RetryEntry

EVERY = timedelta(minutes=5)
"""A try that is due is made at the next run. No push runs more rarely than this."""
APPROVAL = frozenset({MASS_CHANGE, MAPPING_CHANGE})
"""Causes that wait for `cosell approve`."""
REFUSED = "refused"
"""The cause of a referral of which no opportunity can be made: only a person can end that."""
REASONS: Mapping[str, str] = {
    "ambiguous": "The answer to a write was lost, so the app looks whether it took effect",
    "busy": "Another run had the deal, so the app looks at it once more",
    "close_as_test": "`cosell close-test-referrals` closes it",
    "compare": "The daily compare found it",
    "deleted": "The opportunity is deleted, and is looked for",
    "event": "Its event came with many others, and the next run works them together",
    "held": "A person must act first",
    "hidden": "The integration user does not see the opportunity, which is looked for",
    "just_saved": "The record was saved a moment ago, and must rest half a minute",
    "lead_kept_changing": "People changed the lead before each write",
    "locked": "Salesforce has locked the record",
    "mapping_change": "A field that is newly sent waits for `cosell approve`",
    "mass_change": "Unusually many changes wait for `cosell approve`",
    "not_listed": "Partner Center does not list our own referral in the engagement yet",
    "not_read_back": "Salesforce did not show what it accepted",
    "not_shown": "Microsoft or a partner has a record in one of our deals, and one of the two cannot be read yet",
    OPERATOR: "An operator has asked for it",
    "opportunity_kept_changing": "People changed the opportunity before each write",
    "org_changed": "Salesforce refused what it had named before, so it is asked again",
    "owner_not_told": "The Audit must show that the owner was not notified",
    PAUSED: "Its direction is paused: `cosell resume` lets it go on",
    "poisoned": "Its event kept failing",
    "referral_kept_changing": "People changed the referral before each write",
    REFUSED: "No opportunity can be made of it",
    "settling": "It is not known yet whether its creation took effect",
    "side_paused": "A side is paused",
    "sign_in": "The sign-in to a side failed",
    "StoreConflict": "Another run had the deal, so the app looks at it once more",
    "visible_again": "The opportunity was missing, and was there when it was looked for",
    "waiting": "It waits for a set time",
}
"""Sentences without their full stop, by the cause of a retry entry. Any other cause is the class of an error."""
APPROVED = "An operator has approved it"
"""The sentence of an entry whose cause waited for an approval, without its full stop."""
FOR_CLOSE = "It waits because a change that cannot be undone must stand for a while before it is sent"
FOR_WARNING = "It waits for the next warning that nobody has answered the deal"
CLOSES = frozenset({DECLINE, HOLD_WIN, IRREVERSIBLE})
"""The codes of a close that is sent once it has stood for its time."""
LOGGED_ERRORS = frozenset({"ambiguous", "sign_in"})
"""The causes of `REASONS` that come from an error, so that `pair_failed` has it."""


def reason_of(cause: str) -> str:
    """Return why a pair is in the retry queue, as a sentence without its full stop."""
    return REASONS.get(cause, f"The last try ended with the error {cause}")


def reason_of_entry(entry: RetryEntry, link: Link | None) -> str:
    """Return the reason of an entry as `reason_of`; of a set time, what happens then, where the link tells it."""
    if entry.cause != WAITING or link is None:
        return reason_of(entry.cause)
    if any(record.code in CLOSES for record in link.waiting.values()):
        return FOR_CLOSE
    is_unanswered = link.state is State.ON_HOLD and link.answer_by is not None
    return FOR_WARNING if is_unanswered else reason_of(entry.cause)


def is_approved(entry: RetryEntry) -> bool:
    """Whether an operator has approved what the pair waits for, and the app has not worked it since."""
    return entry.cause in APPROVAL and entry.asked is not None


def late_text(cause: str) -> str:
    """Return what a person can do about a pair that is late: wait, and where the log has more."""
    if cause == OPERATOR:
        return "The app has not worked on it since: see above when its last runs ended."
    is_error = cause not in REASONS or cause in LOGGED_ERRORS
    logged = "pair_failed) has the error" if is_error else "pair_due) has each try"
    return f"The app tries again by itself. The log of the app ({logged}."


def is_late(entry: RetryEntry, now: datetime, run_time: timedelta) -> bool:
    """Whether a pair that is tried again waits longer than the schedule lets it. `run_time` is the longest of a run.

    That is: its due try was not made, or its tries have failed for longer than the longest wait between two of them.
    What only a person can end is late at once.
    """
    if not entry.is_failure:
        return False
    has_failed = entry.cause != OPERATOR and now - (entry.since or entry.at) > Policy().longest_wait
    return entry.cause == REFUSED or has_failed or now - entry.at > EVERY + run_time
