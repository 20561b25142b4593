"""A deal in a currency that the org does not use, from Microsoft's event to what a seller and a colleague see."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import shared.app
from shared.clients.salesforce import org_shape
from tests.e2e.world import WAIT_SECONDS, World
from tests.unit.sync.inbound_deals import DETAILS

pytestmark = pytest.mark.slow


@pytest.fixture
def single(world: World) -> Iterator[World]:
    """The world with an org that has US dollars only, under the default mapping."""
    world.systems.salesforce.multi_currency = False
    world.systems.reset()
    yield world
    world.systems.salesforce.multi_currency = True


def send_event(world: World, referral: str) -> None:
    """Let the app receive and apply an event of a referral."""
    assert world.post_event(*world.systems.partner_center.signed_event(referral)).status_code == 202
    world.host.wait_idle(WAIT_SECONDS)


def arrived(world: World, value: int, currency: str) -> tuple[str, str]:
    """The ids of a referral that Microsoft has sent by event, and of its opportunity."""
    details = {**DETAILS, "dealValue": value, "currency": currency}
    referral = world.systems.partner_center.microsoft_sends(details=details)
    send_event(world, referral)
    return referral, str(world.opportunities_by_referral()[referral]["Id"])


def opportunity(world: World, record_id: str) -> dict[str, Any]:
    return world.systems.salesforce.record("Opportunity", record_id)


def money_of(world: World, referral: str) -> tuple[object, object]:
    details = world.systems.partner_center.referral(referral)["details"]
    return details["dealValue"], details["currency"]


def push_twice(world: World) -> None:
    for _ in range(2):
        world.host.run_now("push_opportunities")


@pytest.mark.parametrize(("value", "currency"), [(1_000_000, "JPY"), (900, "EUR")])
def test_a_deal_in_another_currency_is_shown_as_it_is_and_never_changed(
    single: World, value: int, currency: str
) -> None:
    referral, deal = arrived(single, value, currency)
    single.systems.salesforce.edit("Opportunity", deal, {"StageName": "Qualification"})  # the seller accepts
    push_twice(single)
    assert single.systems.partner_center.referral(referral)["status"] == "Active"
    single.systems.salesforce.edit("Opportunity", deal, {"Amount": 5_000})
    push_twice(single)
    record = opportunity(single, deal)
    assert money_of(single, referral) == (value, currency)
    assert (record["Amount"], record["Partner_Center_Amount__c"], record["Partner_Center_Currency__c"]) == (
        5_000, value, currency,
    )  # fmt: skip
    assert (record["Sync_Status__c"], record["Sync_Mark__c"]) == ("Synced with differences", "⚠")
    assert record["Audit__c"].count(f'Amount is "{value}.00 {currency}" in Partner Center.') == 1
    assert record["Audit__c"].count('Amount "5000.00 USD" was not sent') == 1


def test_an_own_deal_travels_both_ways_in_an_org_with_one_currency(single: World) -> None:
    deal = single.seller_creates(Amount=5_000)
    push_twice(single)
    referral = opportunity(single, deal)["Referral_Identifier__c"]
    assert money_of(single, referral) == (5_000, "USD")
    single.let_records_rest()
    single.systems.partner_center.portal_edits(
        referral, [{"op": "replace", "path": "/details/dealValue", "value": 6_000}]
    )  # fmt: skip
    send_event(single, referral)
    push_twice(single)
    record = opportunity(single, deal)
    assert (record["Amount"], record["Sync_Status__c"]) == (6_000, "Synced")


def test_a_mapping_file_that_fixes_the_currency_is_accepted_and_keeps_other_amounts_out(
    single: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    default = Path("shared/mapping/default.toml").read_text("utf-8")
    older = "".join(line for line in default.splitlines(keepends=True) if not line.startswith("partner_center_"))
    path = tmp_path / "older.toml"
    path.write_text(older.replace('currency = "CurrencyIsoCode"', 'fixed_currency = "USD"'), "utf-8")
    monkeypatch.setenv("MAPPING", str(path))
    shared.app.reset()
    referral, deal = arrived(single, 900, "EUR")
    push_twice(single)
    record = opportunity(single, deal)
    assert (record["Amount"], record["Partner_Center_Amount__c"]) == (None, 900)
    assert money_of(single, referral) == (900, "EUR")


def test_a_running_app_learns_of_a_deactivated_currency(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(org_shape, "ASK_AGAIN", org_shape.ASK_AGAIN * 0)
    assert opportunity(world, arrived(world, 900, "GBP")[1])["Amount"] == 900
    world.systems.salesforce.set_currency_active("GBP", active=False)
    record = opportunity(world, arrived(world, 950, "GBP")[1])
    assert (record["Amount"], record["Partner_Center_Amount__c"], record["Partner_Center_Currency__c"]) == (
        None, 950, "GBP",
    )  # fmt: skip


def test_an_org_is_asked_for_its_currencies_once_and_not_at_each_push(world: World) -> None:
    world.seller_creates()
    push_twice(world)
    push_twice(world)
    described = [entry for entry in world.systems.salesforce.journal if "describe" in entry.tags]
    assert len(described) == 1
