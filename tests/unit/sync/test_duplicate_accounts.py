"""Which account a deal has where several match, or where a duplicate rule of the org allows no new one.

Source: docs/protocol.md#the-customers-account.
"""

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from emulators.salesforce.data.duplicate_rules import DuplicateRules
from emulators.salesforce.data.field_shapes import text_field
from emulators.salesforce.data.hooks import ValidationRule
from tests.unit.sync.column_rights import restrict_known_columns
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.inbound_deals import (
    assert_quiet,
    microsoft_sends_deal,
    opportunities_of,
    opportunity_of,
    recover_after_lease,
)

PLACE = {"BillingStreet": "9 Harbour Road", "BillingCity": "Aarhus", "BillingCountry": "DK"}
TWIN = {"Name": "Fabrikam Robotics", "BillingCountry": "DK"}
IDS = {"ids": [{"profileType": "Duns", "id": "12-345-6789"}, {"profileType": "External", "id": "1-AB2CD"}]}


def with_numbers(harness: Harness) -> None:
    """The org has the column for D-U-N-S numbers, which not every org has."""
    harness.salesforce.org.put_field("Account", text_field("DunsNumber", 9, "D-U-N-S Number"))
    harness.ask_org_again()


def account(harness: Harness, **values: object) -> str:
    """The id of a new account, which is younger than those before it."""
    harness.advance_time(1.0)
    return harness.salesforce.insert("Account", {**TWIN, **values})


def arrive(harness: Harness, **customer: object) -> dict[str, Any]:
    """The opportunity of a new deal."""
    referral = microsoft_sends_deal(harness, customerProfile=customer)
    harness.pull_event(referral)
    return opportunity_of(harness, referral)


def audit_of(harness: Harness, opportunity: dict[str, Any]) -> str:
    return "\n".join(harness.audit_texts(opportunity["Id"]))


# --- several accounts match


def test_two_twins_and_three_deals_make_no_further_account(harness: Harness) -> None:
    oldest, other = account(harness), account(harness)
    deals = [arrive(harness) for _ in range(3)]
    assert [deal["AccountId"] for deal in deals] == [oldest] * 3
    assert len(harness.salesforce.records("Account")) == 2
    assert len(harness.salesforce.records("Contact")) == 1
    told = f"2 accounts match the customer. This one is the oldest. The others: {other}."
    assert harness.count_in_audit(deals[0]["Id"], told) == 1
    (event, *_) = harness.first.log.fields_of("referral_incomplete")
    assert (event["code"], event["field"]) == ("account_chosen", "account")
    harness.run_rounds()
    assert_quiet(harness)


@pytest.mark.parametrize(
    ("better", "why"),
    [
        ({"DunsNumber": "123456789"}, "has the same D-U-N-S number"),
        ({"Website": "https://www.fabrikam.example/en"}, "has the web domain of the contacts"),
        ({"BillingStreet": "9, Harbour Road", "BillingCity": "AARHUS"}, "has the same address"),
    ],
)
def test_the_best_of_several_is_taken_and_the_audit_says_why(
    harness: Harness, better: dict[str, object], why: str
) -> None:
    with_numbers(harness)
    for _ in range(2):
        account(harness, DunsNumber="987654321", Website="http://other.example")
    best = account(harness, **better)
    opportunity = arrive(harness, **IDS)
    assert opportunity["AccountId"] == best
    assert f"3 accounts match the customer. This one {why}." in audit_of(harness, opportunity)


def test_an_account_with_the_number_is_used_whatever_its_name(harness: Harness) -> None:
    with_numbers(harness)
    known = account(harness, Name="FBK Holding", BillingCountry="SE", DunsNumber="123456789")
    assert arrive(harness, **IDS)["AccountId"] == known


@pytest.mark.parametrize("column", ["DunsNumber", "Website"])
def test_a_column_that_the_org_hides_stops_no_deal(harness: Harness, column: str) -> None:
    with_numbers(harness)
    twins = [account(harness) for _ in range(2)]
    del harness.salesforce.org.model.get("Account").fields[column.lower()]
    harness.ask_org_again()
    assert arrive(harness, **IDS)["AccountId"] == twins[0]


@pytest.mark.parametrize("ids", [None, {}, [None], [{"profileType": "Duns"}], [{"profileType": "Duns", "id": "x"}]])
def test_ids_of_any_shape_stop_no_deal(harness: Harness, ids: object) -> None:
    with_numbers(harness)
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, {"/customerProfile/ids": ids})
    harness.pull_event(referral)
    assert opportunity_of(harness, referral)


def test_two_deals_with_one_number_do_not_make_an_account_at_the_same_time(harness: Harness) -> None:
    with_numbers(harness)
    names = ("Fabrikam Robotics", "Fabrikam Automation")
    first, second = [microsoft_sends_deal(harness, customerProfile={**IDS, "name": name}) for name in names]
    slow, other = harness.new_instance(), harness.new_instance()
    slow.process.interrupt_at("salesforce.create", lambda: other.pull_event(second))
    slow.pull_event(first)
    assert opportunities_of(harness, second) == []


def refuse_country(harness: Harness) -> None:
    harness.salesforce.org.hooks.rules.append(ValidationRule("Account", "BillingCountry", "Not so."))


def hide_country_from_writers(harness: Harness) -> None:
    restrict_known_columns(harness, read_only=["Account.BillingCountry"])


@pytest.mark.parametrize("refuse", [refuse_country, hide_country_from_writers])
def test_an_account_whose_country_cannot_be_written_is_made_once(
    harness: Harness, refuse: Callable[[Harness], None]
) -> None:
    refuse(harness)
    deals = [arrive(harness) for _ in range(3)]
    assert len(harness.salesforce.records("Account")) == 1
    assert "Account Fabrikam Robotics has no known country." in audit_of(harness, deals[2])


def test_an_account_in_the_country_goes_before_those_without_one(harness: Harness) -> None:
    account(harness, BillingCountry=None)
    known = account(harness)
    opportunity = arrive(harness)
    assert opportunity["AccountId"] == known
    assert "match the customer" not in audit_of(harness, opportunity)


HOLD = 'extends = "default"\n[fields.account]\nseveral = "hold"\n'


@pytest.mark.parametrize("mend", ["merge", "rename"])
def test_a_deal_is_held_with_the_candidates_where_the_file_says_so(tmp_path: Path, mend: str) -> None:
    (tmp_path / "held.toml").write_text(HOLD)
    with Harness(mapping=tmp_path / "held.toml") as harness:
        first, second = account(harness), account(harness)
        referral = microsoft_sends_deal(harness)
        harness.pull_event(referral)
        (record,) = harness.salesforce.records("Cosell_Inbox__c")
        assert (record["Code__c"], record["Matches__c"]) == ("several_accounts", f"{first}, {second}")
        assert record["Cause__c"] == "Several accounts match the customer, Fabrikam Robotics (DK)."
        if mend == "merge":
            harness.salesforce.delete("Account", first)
        else:
            harness.salesforce.edit("Account", first, {"Name": "Another company"})
        harness.run_rounds(1, after=HOUR)
        assert opportunity_of(harness, referral)["AccountId"] == second
        assert harness.salesforce.records("Cosell_Inbox__c") == []
        assert len(harness.salesforce.records("Account")) == (1 if mend == "merge" else 2)


# --- a duplicate rule allows no new account


@pytest.fixture
def strict(harness: Harness) -> Harness:
    """An org with the standard duplicate rules."""
    harness.salesforce.org.put_switch(DuplicateRules())
    return harness


@pytest.mark.parametrize(
    "only",
    [
        {"Name": "Fabrikam Robotics Ltd."},
        {"Name": "FABRIKAM ROBOTICS, Inc", "BillingCountry": "Denmark"},
        {"Name": "Fabrikam Robotic", "Website": "fabrikam.example"},
        {"Name": "Fabrikam Robotic", "DunsNumber": "123456789", "BillingCountry": "SE"},
    ],
)
def test_the_only_account_that_is_surely_the_customer_is_taken(strict: Harness, only: dict[str, object]) -> None:
    with_numbers(strict)
    account(strict, **(PLACE | {"Name": "Fabrikam Robotics", "BillingCountry": "SE"}))
    known = account(strict, **(PLACE | only))
    opportunity = arrive(strict, **(IDS if "DunsNumber" in only else {}))
    assert opportunity["AccountId"] == known
    assert len(strict.salesforce.records("Account")) == 2
    told = f"The one that it found is used: {only['Name']}."
    assert told in audit_of(strict, opportunity) or "DunsNumber" in only
    assert [contact["AccountId"] for contact in strict.salesforce.records("Contact")] == [known]
    strict.run_rounds()
    assert_quiet(strict)


def _rename(harness: Harness, first: str, _: str) -> None:
    harness.salesforce.edit("Account", first, {"Name": "Fabrikam Robotics"})


def _merge(harness: Harness, _: str, second: str) -> None:
    harness.salesforce.delete("Account", second)


def _create(harness: Harness, *_: str) -> None:
    account(harness, **PLACE)  # a person sees the alert, and saves all the same


@pytest.mark.parametrize("mend", [_rename, _merge, _create])
def test_otherwise_the_deal_is_held_with_the_candidates_and_arrives_once_mended(
    strict: Harness, mend: Callable[[Harness, str, str], None]
) -> None:
    first = account(strict, **(PLACE | {"Name": "Fabrikam Robotics Ltd."}))
    second = account(strict, **(PLACE | {"Name": "Fabrikam Robotics A/S"}))
    referral = microsoft_sends_deal(strict)
    strict.pull_event(referral)
    (record,) = strict.salesforce.records("Cosell_Inbox__c")
    assert (record["Code__c"], record["Matches__c"]) == ("account_candidates", f"{first}, {second}")
    assert "refuses a new account for Fabrikam Robotics (DK)" in record["Cause__c"]
    assert "give the right one this name and country, merge them" in record["Remedy__c"]
    before = strict.salesforce.records("Cosell_Inbox__c")
    strict.run_rounds(1, after=HOUR)
    assert strict.salesforce.records("Cosell_Inbox__c") == before, "it is shown once, and not written again"
    mend(strict, first, second)
    accounts = len(strict.salesforce.records("Account"))
    strict.run_rounds(1, after=HOUR)
    assert opportunity_of(strict, referral)["AccountId"]
    assert strict.salesforce.records("Cosell_Inbox__c") == []
    assert len(strict.salesforce.records("Account")) == accounts


def test_an_account_that_the_user_may_not_read_is_named_all_the_same(harness: Harness) -> None:
    hidden = "001000000000001AAA"
    harness.salesforce.org.hooks.duplicates["Account"] = (hidden,)
    harness.pull_event(microsoft_sends_deal(harness))
    (record,) = harness.salesforce.records("Cosell_Inbox__c")
    assert (record["Code__c"], record["Matches__c"]) == ("account_candidates", hidden)


def test_no_deal_that_a_rule_stops_ends_the_run(strict: Harness) -> None:
    for name in ("Fabrikam Robotics Ltd.", "Fabrikam Robotics A/S"):
        account(strict, **(PLACE | {"Name": name}))
    stopped = microsoft_sends_deal(strict)
    free = microsoft_sends_deal(strict, customerProfile={"name": "Contoso"})
    strict.sweep()
    assert opportunities_of(strict, stopped) == []
    assert opportunity_of(strict, free)


@pytest.mark.parametrize("number", range(12))
def test_no_crash_makes_a_second_account_or_contact_where_rules_match(number: int) -> None:
    with Harness() as harness:
        harness.salesforce.org.put_switch(DuplicateRules())
        known = account(harness, **(PLACE | {"Name": "Fabrikam Robotics Ltd."}))
        lead = {"FirstName": "Ada", "LastName": "Lind", "Email": "ada.lind@fabrikam.example", "Company": "Fabrikam"}
        harness.salesforce.insert("Lead", lead)
        referral = microsoft_sends_deal(harness)
        crashing = harness.new_instance()
        crashing.process.crash_at(number, after=True)
        crashing.crashes_during(lambda instance: instance.pull_event(referral))
        recover_after_lease(harness)
        assert opportunity_of(harness, referral)["AccountId"] == known
        assert len(harness.salesforce.records("Account")) == len(harness.salesforce.records("Contact")) == 1
        assert_quiet(harness)


NAMES = ["Fabrikam Robotics", "FABRIKAM ROBOTICS", "Fabrikam Robotics Ltd.", "Fabrikam Robotics A/S", "Contoso"]
PARTS: list[Mapping[str, object]] = [
    PLACE, {"BillingCountry": "SE"}, {"BillingCountry": None}, {"Website": "fabrikam.example"},
    {"DunsNumber": "123456789"}, {"DunsNumber": "987654321"},
]  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_whatever_accounts_there_are_several_deals_make_at_most_one_more(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    with Harness() as harness:
        with_numbers(harness)
        for _ in range(chance.randrange(5)):
            account(harness, **({"Name": chance.choice(NAMES), **chance.choice(PARTS), **chance.choice(PARTS)}))
        if chance.random() < 0.7:
            harness.salesforce.org.put_switch(DuplicateRules())
        before = len(harness.salesforce.records("Account"))
        deals = [microsoft_sends_deal(harness, customerProfile=chance.choice([IDS, {}])) for _ in range(3)]
        for deal in deals:
            harness.pull_event(deal)
        arrived = [found for deal in deals for found in opportunities_of(harness, deal)]
        held = harness.salesforce.records("Cosell_Inbox__c")
        assert len(arrived) + len(held) == 3
        assert len(harness.salesforce.records("Account")) - before <= 1
        assert all(found["AccountId"] for found in arrived)
