"""The doctor's check of linked opportunities that the integration user no longer sees."""

from datetime import UTC, datetime

from shared.app import App
from shared.doctor.finding import Result
from shared.domain.deal import Side
from shared.store.stored_values import HIDDEN, RetryEntry
from tests.unit.doctor.conftest import Doctor

NAME = "hidden deals"
AT = datetime(2026, 11, 22, tzinfo=UTC)


def test_hidden_deals_are_named_with_the_remedy(doctor: Doctor) -> None:
    assert doctor.run(NAME)[NAME].result is Result.OK
    app = App()
    for number in range(7):
        app.store.put_retry_entry(RetryEntry(Side.SALESFORCE, f"006{number}", AT, HIDDEN))
    app.close()
    verdict = doctor.failed_verdict(NAME)
    assert verdict.found == "the integration user no longer sees 0060, 0061, 0062, 0063, 0064 and 2 more"
    assert "View All on Opportunity" in verdict.remedy
