"""The clock of an unanswered deal in the tests: its end, and what warns of it."""

from datetime import UTC, datetime, timedelta

from tests.unit.sync.harness import Harness

DAY = 24 * 3600.0
END = datetime(2026, 12, 6, 10, 0, tzinfo=UTC)
WARNING = "Microsoft awaits the answer to this deal until 2026-12-06 10:00 UTC. Then it expires."
REASON = {"Closing_Reason__c": "Not a customer"}
ACTION = "/actions/standard/"
REFUSAL = '[{"message": "insufficient access rights", "errorCode": "INSUFFICIENT_ACCESS"}]'


def shown(harness: Harness, deal: str) -> datetime | None:
    """What *Answer By* of the opportunity shows."""
    text = harness.opportunity(deal)["Answer_By__c"]
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def go_to(harness: Harness, at: datetime) -> None:
    """Let time pass until then."""
    harness.advance_time((at - harness.now()).total_seconds())


def before_end(harness: Harness, **left: float) -> None:
    """Let time pass until so much of the 14 days is left."""
    go_to(harness, END - timedelta(**left))


def warnings(harness: Harness, deal: str) -> int:
    """How many lines of the audit warn of the end."""
    return harness.count_in_audit(deal, WARNING)


def give_owner(harness: Harness, deal: str) -> None:
    """A person owns the opportunity."""
    harness.seller_edits(deal, OwnerId=harness.salesforce.seller)
    harness.push()
    harness.push()


def titles(harness: Harness) -> list[str]:
    """The titles of all notifications."""
    return [str(sent["title"]) for sent in harness.salesforce.org.notifications]
