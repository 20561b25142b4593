"""A column of the connector's own amount that Salesforce refuses stops no arrival (docs/protocol.md#currencies)."""

from collections.abc import Iterator
from functools import partial

import pytest

from shared.domain.link_states import Mark
from tests.unit.sync.crash_points import EVERY_NTH, every_nth
from tests.unit.sync.harness import AFTER_LEASE, HOUR, Harness, Instance
from tests.unit.sync.inbound_deals import (
    accepted_deal,
    arrived_deal,
    assert_quiet,
    microsoft_sends_deal,
    opportunity_of,
    recover_after_lease,
)

NOT_HELD = "This org does not use that currency"


@pytest.fixture
def single() -> Iterator[Harness]:
    """An org with US dollars only, under the default mapping."""
    with Harness(multi_currency=False) as harness:
        yield harness


def shown_amount(harness: Harness, deal: str) -> tuple[object, object]:
    """Partner Center's amount and currency, as the opportunity's page shows them."""
    record = harness.opportunity(deal)
    return record["Partner_Center_Amount__c"], record["Partner_Center_Currency__c"]


@pytest.mark.parametrize("column", ["Partner_Center_Amount__c", "Partner_Center_Currency__c"])
@pytest.mark.parametrize("is_accepted", [False, True])
def test_a_refused_column_of_the_connector_stops_no_arrival_and_is_told(
    single: Harness, column: str, is_accepted: bool
) -> None:
    single.refuse_writes_of(column)
    arrive = accepted_deal if is_accepted else arrived_deal
    referral, deal = arrive(single, details={"dealValue": 900, "currency": "EUR"})
    assert shown_amount(single, deal) == (None, None)
    refused = 'Partner Center Amount "900.00 EUR" was not carried over: Salesforce refused it'
    assert single.count_in_audit(deal, refused) == 1
    assert single.count_in_audit(deal, f'Amount is "900.00 EUR" in Partner Center. {NOT_HELD}') == 1
    assert single.opportunity(deal)["Sync_Status__c"] == Mark.FAILED
    single.run_rounds()
    assert single.count_in_audit(deal, refused) == 1
    single.clear_faults()
    single.run_rounds()
    single.new_instance().push(HOUR)
    assert shown_amount(single, deal) == (900, "EUR")
    assert single.partner_center.referral(referral)["details"]["dealValue"] == 900
    assert_quiet(single)


@pytest.mark.parametrize("every", EVERY_NTH)
def test_a_run_that_stops_around_such_an_arrival_loses_no_amount(every: int) -> None:
    for number in every_nth(range(70), every):
        with Harness(multi_currency=False) as harness:
            harness.refuse_writes_of("Partner_Center_Amount__c")
            referral = microsoft_sends_deal(harness, details={"dealValue": 900, "currency": "EUR"})
            harness.first.process.crash_at(number, after=True)
            if not harness.first.crashes_during(partial(Instance.pull_event, referral_id=referral)):
                break
            survivor = recover_after_lease(harness)
            survivor.pull_event(referral, after=AFTER_LEASE)
            harness.clear_faults()
            survivor.push(HOUR)
            survivor.push(HOUR)
            assert shown_amount(harness, opportunity_of(harness, referral)["Id"]) == (900, "EUR"), number
    assert number > 6
