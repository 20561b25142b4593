"""An amount in a currency that the org cannot hold stays out of Amount, is shown beside it, and is never sent back.

The rule: docs/protocol.md#currencies.
"""

from collections.abc import Callable, Iterator
from copy import replace
from decimal import Decimal
from pathlib import Path

import pytest

from shared.domain.deal import Money
from shared.domain.link_states import Mark
from tests.unit.sync.crash_points import EVERY_NTH, crash_instance_at, crash_points, every_nth
from tests.unit.sync.harness import Harness, Instance
from tests.unit.sync.inbound_deals import (
    accepted_deal,
    arrived_deal,
    assert_quiet,
    microsoft_sends_deal,
    opportunity_of,
    recover_after_lease,
)

NOT_HELD = "This org does not use that currency"
NOT_SENT = "in a currency that this org does not use"
CONVERSION = 'extends = "default"\n[fields.money.convert]\nto = "USD"\nrates = { EUR = 1.08, JPY = 0.0067 }\n'


@pytest.fixture
def single() -> Iterator[Harness]:
    """An org with US dollars only, under the default mapping."""
    with Harness(multi_currency=False) as harness:
        yield harness


@pytest.fixture
def converting(tmp_path: Path) -> Iterator[Harness]:
    """The same org, with a mapping file that converts euros and yen."""
    path = tmp_path / "converting.toml"
    path.write_text(CONVERSION, "utf-8")
    with Harness(multi_currency=False, mapping=path) as harness:
        yield harness


def shown_money(harness: Harness, deal: str) -> tuple[object, object, object]:
    """Amount, and amount and currency of Partner Center, as the opportunity's page shows them."""
    record = harness.opportunity(deal)
    return record["Amount"], record["Partner_Center_Amount__c"], record["Partner_Center_Currency__c"]


def sent_money(harness: Harness, referral: str) -> tuple[object, object]:
    """Amount and currency of a referral."""
    details = harness.partner_center.referral(referral)["details"]
    return details["dealValue"], details["currency"]


def deactivate(harness: Harness, code: str) -> None:
    """An administrator deactivates a currency of the org; the sync asks for the org's currencies again."""
    harness.salesforce.set_currency_active(code, active=False)
    harness.ask_org_again()


@pytest.mark.parametrize(("value", "currency"), [(1_000_000, "JPY"), (900, "EUR")])
def test_a_deal_in_another_currency_arrives_without_an_amount(single: Harness, value: int, currency: str) -> None:
    referral, deal = arrived_deal(single, details={"dealValue": value, "currency": currency})
    assert shown_money(single, deal) == (None, value, currency)
    assert single.count_in_audit(deal, f'Amount is "{value}.00 {currency}" in Partner Center. {NOT_HELD}') == 1
    assert sent_money(single, referral) == (value, currency)
    assert_quiet(single)
    assert single.count_in_audit(deal, NOT_HELD) == 1


def test_accepting_a_deal_in_another_currency_sends_no_amount(single: Harness) -> None:
    referral, deal = arrived_deal(single, details={"dealValue": 900, "currency": "EUR"})
    single.seller_edits(deal, StageName="Qualification")
    single.run_rounds()
    assert single.partner_center.referral(referral)["status"] == "Active"
    assert sent_money(single, referral) == (900, "EUR")
    assert shown_money(single, deal) == (None, 900, "EUR")
    assert single.opportunity(deal)["Sync_Status__c"] == Mark.DIFFERENCES
    assert_quiet(single)


def test_a_sellers_amount_is_not_sent_and_told_once_for_each_amount(single: Harness) -> None:
    referral, deal = accepted_deal(single, details={"dealValue": 900, "currency": "EUR"})
    for amount in (1000, 1200):
        single.seller_edits(deal, Amount=amount)
        single.run_rounds()
        assert sent_money(single, referral) == (900, "EUR")
        assert (
            single.count_in_audit(deal, f'Amount "{amount}.00 USD" was not sent: Partner Center keeps "900.00 EUR"')
            == 1
        )
    single.seller_edits(deal, NextStep="Call.", Description="A new note.")
    single.run_rounds()
    assert sent_money(single, referral) == (900, "EUR")
    assert single.partner_center.referral(referral)["details"]["notes"] == "A new note."
    assert (shown_money(single, deal), single.count_in_audit(deal, NOT_SENT)) == ((1200, 900, "EUR"), 2)
    assert single.opportunity(deal)["Sync_Status__c"] == Mark.DIFFERENCES
    assert_quiet(single)


def test_an_own_deal_in_the_orgs_currency_travels_both_ways(single: Harness) -> None:
    deal = single.shared_deal(Amount=5000)
    referral = single.referral_of(deal)["id"]
    assert sent_money(single, referral) == (5000, "USD")
    single.colleague_edits(referral, details_dealValue=6000)
    single.run_rounds()
    assert shown_money(single, deal) == (6000, None, None)
    single.seller_edits(deal, Amount=7000)
    single.run_rounds()
    assert sent_money(single, referral) == (7000, "USD")
    assert single.opportunity(deal)["Sync_Status__c"] == Mark.SYNCED
    assert single.count_in_audit(deal, NOT_HELD) == 0


def test_a_colleagues_other_currency_leaves_amount_as_it_is_until_the_deal_is_back_in_the_orgs(single: Harness) -> None:
    deal = single.shared_deal(Amount=5000)
    referral = single.referral_of(deal)["id"]
    single.colleague_edits(referral, details_dealValue=4500, details_currency="EUR")
    single.run_rounds()
    assert shown_money(single, deal) == (5000, 4500, "EUR")
    assert single.count_in_audit(deal, f'Amount is "4500.00 EUR" in Partner Center. {NOT_HELD}') == 1
    single.colleague_edits(referral, details_dealValue=5100, details_currency="USD")
    single.run_rounds()
    assert shown_money(single, deal) == (5100, None, None)
    assert sent_money(single, referral) == (5100, "USD")
    assert single.opportunity(deal)["Sync_Status__c"] == Mark.SYNCED
    assert_quiet(single)


def test_another_amount_in_another_currency_is_told_and_shown(single: Harness) -> None:
    referral, deal = accepted_deal(single, details={"dealValue": 900, "currency": "EUR"})
    single.colleague_edits(referral, details_dealValue=950)
    single.run_rounds()
    assert shown_money(single, deal) == (None, 950, "EUR")
    assert single.count_in_audit(deal, NOT_HELD) == 2
    assert_quiet(single)


def test_an_existing_opportunity_keeps_its_amount_when_it_is_linked_to_a_deal_in_another_currency(
    single: Harness,
) -> None:
    referral = microsoft_sends_deal(single, details={"dealValue": 900, "currency": "EUR"})
    single.colleague_edits(referral, status="Active", substatus="Accepted")
    deal = single.seller_creates(Amount=800, Referral_Identifier__c=referral)
    single.run_rounds()
    assert shown_money(single, deal) == (800, 900, "EUR")
    assert sent_money(single, referral) == (900, "EUR")
    assert single.count_in_audit(deal, 'Amount "800.00 USD" was not sent') == 1
    assert_quiet(single)


def test_an_inactive_currency_of_an_org_with_several_is_kept_out(harness: Harness) -> None:
    deactivate(harness, "GBP")
    referral, deal = arrived_deal(harness, details={"dealValue": 700, "currency": "GBP"})
    assert shown_money(harness, deal) == (None, 700, "GBP")
    assert harness.opportunity(deal)["CurrencyIsoCode"] == "USD"
    assert harness.count_in_audit(deal, NOT_HELD) == 1
    assert sent_money(harness, referral) == (700, "GBP")
    assert_quiet(harness)


def test_a_deal_whose_currency_was_deactivated_later_keeps_travelling(harness: Harness) -> None:
    deal = harness.shared_deal(Amount=700, CurrencyIsoCode="GBP")
    referral = harness.referral_of(deal)["id"]
    deactivate(harness, "GBP")
    harness.colleague_edits(referral, details_dealValue=800)
    harness.run_rounds()
    assert (harness.opportunity(deal)["Amount"], harness.opportunity(deal)["CurrencyIsoCode"]) == (800, "GBP")
    harness.seller_edits(deal, Amount=900)
    harness.run_rounds()
    assert sent_money(harness, referral) == (900, "GBP")
    assert harness.opportunity(deal)["Sync_Status__c"] == Mark.SYNCED


def test_rates_of_the_mapping_file_convert_what_arrives_and_the_audit_says_so(converting: Harness) -> None:
    referral, deal = arrived_deal(converting, details={"dealValue": 900, "currency": "EUR"})
    assert shown_money(converting, deal) == (972, 900, "EUR")
    assert converting.count_in_audit(deal, 'This org shows "972.00 USD" for it, at the rate 1.08.') == 1
    converting.seller_edits(deal, StageName="Qualification")
    converting.run_rounds()
    assert sent_money(converting, referral) == (900, "EUR")
    converting.colleague_edits(referral, details_dealValue=1000)
    converting.run_rounds()
    assert shown_money(converting, deal) == (1080, 1000, "EUR")
    assert sent_money(converting, referral) == (1000, "EUR")
    assert_quiet(converting)


def test_a_sellers_amount_beside_a_converted_one_is_not_sent(converting: Harness) -> None:
    referral, deal = accepted_deal(converting, details={"dealValue": 900, "currency": "EUR"})
    converting.seller_edits(deal, Amount=1000)
    converting.run_rounds()
    assert sent_money(converting, referral) == (900, "EUR")
    assert converting.count_in_audit(deal, 'Amount "1000.00 USD" was not sent') == 1
    assert shown_money(converting, deal) == (1000, 900, "EUR")
    assert_quiet(converting)


def test_a_converted_amount_is_no_edit_when_the_deal_comes_back_to_the_orgs_currency(converting: Harness) -> None:
    referral, deal = accepted_deal(converting, details={"dealValue": 900, "currency": "EUR"})
    converting.colleague_edits(referral, details_dealValue=990, details_currency="USD")
    converting.run_rounds()
    assert shown_money(converting, deal) == (990, None, None)
    assert sent_money(converting, referral) == (990, "USD")
    assert_quiet(converting)


def test_a_currency_without_a_rate_is_kept_out(converting: Harness) -> None:
    _, deal = arrived_deal(converting, details={"dealValue": 900, "currency": "CHF"})
    assert shown_money(converting, deal) == (None, 900, "CHF")
    assert converting.count_in_audit(deal, NOT_HELD) == 1


def test_a_converted_amount_that_salesforce_refuses_is_not_written_again_and_again(converting: Harness) -> None:
    deal = converting.shared_deal(Amount=500)
    converting.refuse_writes_of("Amount", deal)
    referral = converting.referral_of(deal)["id"]
    converting.colleague_edits(referral, details_dealValue=900, details_currency="EUR")
    converting.run_rounds()
    assert converting.opportunity(deal)["Amount"] == 500
    assert converting.opportunity(deal)["Sync_Status__c"] == Mark.FAILED
    assert sent_money(converting, referral) == (900, "EUR")
    assert_quiet(converting)


def test_an_org_with_the_earlier_package_has_no_fields_for_it_and_says_so_in_the_audit() -> None:
    with Harness(multi_currency=False) as harness:
        fields = harness.salesforce.org.model.get("Opportunity").fields
        for name in ("partner_center_amount__c", "partner_center_currency__c"):
            del fields[name]
        harness.ask_org_again()
        referral, deal = arrived_deal(harness, details={"dealValue": 900, "currency": "EUR"})
        assert harness.opportunity(deal)["Amount"] is None
        assert harness.count_in_audit(deal, NOT_HELD) == 1
        assert sent_money(harness, referral) == (900, "EUR")
        assert_quiet(harness)


def arrives(harness: Harness) -> None:
    microsoft_sends_deal(harness, details={"dealValue": 900, "currency": "DKK"}, status="Active", substatus="Accepted")


def both_edit(harness: Harness) -> None:
    """The seller edits Amount, and a colleague the amount in Danish crowns."""
    referral, deal = accepted_deal(harness, details={"dealValue": 800, "currency": "DKK"})
    harness.seller_edits(deal, Amount=1000)
    harness.colleague_edits(referral, details_dealValue=900)


def sweep_and_push(instance: Instance) -> None:
    instance.sweep()
    instance.push()


@pytest.mark.parametrize(("arrange", "amount", "told"), [(arrives, None, 1), (both_edit, 1000, 2)])
@pytest.mark.parametrize("every", EVERY_NTH)
def test_a_crash_at_any_call_keeps_the_amount_out_and_tells_each_fact_once(
    arrange: Callable[[Harness], None], amount: int | None, told: int, every: int
) -> None:
    for number in every_nth(crash_points(arrange, sweep_and_push)[0], every):
        with Harness() as harness:
            arrange(harness)
            doomed = harness.new_instance()
            crash_instance_at(doomed, number)
            assert doomed.crashes_during(sweep_and_push)
            survivor = recover_after_lease(harness)
            (referral,) = harness.our_referrals()
            deal = opportunity_of(harness, referral["id"])["Id"]
            assert sent_money(harness, referral["id"]) == (900, "DKK")
            assert shown_money(harness, deal) == (amount, 900, "DKK")
            assert harness.count_in_audit(deal, NOT_HELD) == told
            assert harness.count_in_audit(deal, NOT_SENT) == told - 1
            assert_quiet(harness, survivor)


def test_an_amount_that_an_earlier_version_entered_is_not_sent_and_is_named(tmp_path: Path) -> None:
    """The earlier version took every amount as one in `fixed_currency`."""
    default = Path("shared/mapping/default.toml").read_text("utf-8")
    path = tmp_path / "older.toml"
    path.write_text(default.replace('currency = "CurrencyIsoCode"', 'fixed_currency = "USD"'), "utf-8")
    with Harness(multi_currency=False, mapping=path) as harness:
        referral, deal = accepted_deal(harness, details={"dealValue": 1_000_000, "currency": "USD"})
        link = harness.store.link(deal)
        assert link is not None
        yen = Money(Decimal("1000000.00"), "JPY")
        base = link.value.base.with_values({"money": yen})
        older = replace(link.value, base=base, mapping=None, sources={}, etag=None)
        harness.store.replace_link(link, older)
        harness.colleague_edits(referral, details_currency="JPY")
        harness.run_rounds()
        assert sent_money(harness, referral) == (1_000_000, "JPY")
        assert shown_money(harness, deal) == (1_000_000, 1_000_000, "JPY")
        assert harness.count_in_audit(deal, 'Amount "1000000.00 USD" was not sent') == 1
        assert_quiet(harness)


def test_an_amount_without_a_currency_in_partner_center_is_left_alone(harness: Harness) -> None:
    deal = harness.shared_deal(Amount=5000)
    referral = harness.referral_of(deal)["id"]
    harness.partner_center.raw_patch(referral, {"/details/dealValue": 4000, "/details/currency": None})
    harness.seller_edits(deal, Amount=6000)
    harness.run_rounds()
    assert sent_money(harness, referral) == (4000, None)
    assert harness.opportunity(deal)["Amount"] == 6000
    assert harness.opportunity(deal)["Sync_Status__c"] == Mark.DIFFERENCES
    assert harness.count_in_audit(deal, "Amount or its currency is empty.") == 1
    assert_quiet(harness)
