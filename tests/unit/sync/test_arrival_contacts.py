"""All contacts of a referral's customer become contact roles (docs/protocol.md#contacts-of-an-arrival)."""

from collections.abc import Mapping, Sequence

import pytest

from emulators.salesforce.data.hooks import ValidationRule
from shared.sync.ports import BUSY, Outcome
from tests.unit.sync.harness import AFTER_LEASE, Harness
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of


def deal_with_people(harness: Harness, people: Sequence[Mapping[str, object]]) -> str:
    """The opportunity of a new deal whose customer has these contacts."""
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, {"/customerProfile/team": list(people)})
    harness.pull_event(referral)
    return str(opportunity_of(harness, referral)["Id"])


def role_holders(harness: Harness, deal: str) -> list[tuple[str, bool]]:
    """The last name of each contact with a role, and whether the role is the primary one."""
    roles = [role for role in harness.salesforce.records("OpportunityContactRole") if role["OpportunityId"] == deal]
    return [(harness.salesforce.record("Contact", role["ContactId"])["LastName"], role["IsPrimary"]) for role in roles]


def person(name: str, email: str | None = None) -> dict[str, object]:
    return {"firstName": "Kim", "lastName": name, "email": email, "phoneNumber": "+4512345678"}


def test_every_contact_gets_a_role_and_the_first_is_primary(harness: Harness) -> None:
    people = [person("Lind", "lind@f.example"), person("Berg", "berg@f.example"), person("Holm")]
    deal = deal_with_people(harness, people)
    assert role_holders(harness, deal) == [("Lind", True), ("Berg", False), ("Holm", False)]
    assert {contact["AccountId"] for contact in harness.salesforce.records("Contact")} == {
        harness.opportunity(deal)["AccountId"]
    }
    assert harness.count_in_audit(deal, "Contact Roles") == 0
    assert harness.new_calls()["salesforce.graph"] == 1
    harness.run_rounds()
    assert_quiet(harness)


def test_a_contact_that_exists_is_used_and_the_others_are_created(harness: Harness) -> None:
    harness.salesforce.insert("Contact", {"LastName": "Berg-Holm", "Email": "BERG@f.example"})
    for name in ("Twin", "Twin"):
        harness.salesforce.insert("Contact", {"LastName": name, "Email": "twin@f.example"})
    people = [person("Lind", "lind@f.example"), person("Berg", "berg@f.example"), person("Third", "twin@f.example")]
    deal = deal_with_people(harness, people)
    assert role_holders(harness, deal) == [("Lind", True), ("Berg-Holm", False), ("Third", False)]
    assert len(harness.salesforce.records("Contact")) == 5


def test_a_repeated_contact_has_one_role(harness: Harness) -> None:
    deal = deal_with_people(harness, [person("Lind", "lind@f.example"), person("Lind", "lind@f.example")])
    assert role_holders(harness, deal) == [("Lind", True)]
    assert harness.count_in_audit(deal, "Contact Roles") == 0


def test_people_who_share_an_address_are_one_contact_and_the_others_are_counted(harness: Harness) -> None:
    people = [person("Lind", "desk@f.example"), person("Berg", "DESK@f.example"), person("Holm", "holm@f.example")]
    deal = deal_with_people(harness, people)
    assert role_holders(harness, deal) == [("Lind", True), ("Holm", False)]
    sentence = "Contact Roles holds 2 of 3 contacts of the referral. Please see Partner Center for the others."
    assert harness.count_in_audit(deal, sentence) == 1


def test_a_person_without_a_name_is_named_by_what_is_there(harness: Harness) -> None:
    people = [{"phoneNumber": "+4512345678"}, {"title": "Head of IT"}, {"email": "desk@f.example"}, {}, None]
    deal = deal_with_people(harness, people)  # type: ignore[arg-type]  # what a service may send
    assert role_holders(harness, deal) == [("+4512345678", True), ("Head of IT", False), ("desk@f.example", False)]


@pytest.mark.parametrize("wrong", [1, 3, 5, 12])
def test_wrong_addresses_stop_neither_the_deal_nor_the_other_contacts(harness: Harness, wrong: int) -> None:
    bad = [person(f"N{number}", f"n{number} at f.example") for number in range(wrong)]
    people = [bad[0], person("Lind", "lind@f.example"), *bad[1:], person("Holm", "holm@f.example"), person("Berg")]
    deal = deal_with_people(harness, people)
    assert role_holders(harness, deal) == [("Lind", True), ("Holm", False), ("Berg", False)]
    assert harness.new_calls()["salesforce.graph"] == 1
    told = "Contacts without a valid e-mail address were left out: Kim N0 (n0 at f.example)"
    assert harness.count_in_audit(deal, told) == 1
    assert harness.count_in_audit(deal, f"N9 (n9 at f.example) and {wrong - 10} more.") == (wrong > 10)
    assert harness.count_in_audit(deal, f"Contact Roles holds 3 of {wrong + 3} contacts") == 1
    (event,) = harness.first.log.fields_of("referral_incomplete")
    assert (event["code"], event["field"]) == ("bad_addresses", "contacts")
    harness.run_rounds()
    assert_quiet(harness)


def test_a_contact_that_salesforce_refuses_stops_neither_the_deal_nor_the_others(harness: Harness) -> None:
    harness.salesforce.org.hooks.rules.append(ValidationRule("Contact", "LastName", "No Berg.", value="Berg"))
    people = [person("Lind", "lind@f.example"), person("Berg", "berg@f.example"), person("Holm", "holm@f.example")]
    deal = deal_with_people(harness, people)
    assert role_holders(harness, deal) == [("Lind", True), ("Holm", False)]
    told = "Salesforce refused the contact Kim Berg: No Berg. Change the record"
    assert harness.count_in_audit(deal, told) == 1
    assert harness.count_in_audit(deal, "Contact Roles holds 2 of 3 contacts") == 1
    (event,) = harness.first.log.fields_of("referral_incomplete")
    assert (event["code"], event["field"]) == ("contact_refused", "contacts")
    assert harness.new_calls()["salesforce.graph"] == 2
    assert len(harness.salesforce.records("Account")) == 1


@pytest.mark.parametrize("refused", ["Contact", "OpportunityContactRole"])
def test_a_deal_arrives_without_contacts_if_salesforce_refuses_them_all(harness: Harness, refused: str) -> None:
    field = {"Contact": "LastName", "OpportunityContactRole": "ContactId"}[refused]
    harness.salesforce.org.hooks.rules.append(ValidationRule(refused, field, "Not so."))
    deal = deal_with_people(harness, [person(f"N{number}", f"n{number}@f.example") for number in range(9)])
    assert role_holders(harness, deal) == []
    assert harness.salesforce.records("Contact") == []
    assert harness.count_in_audit(deal, "Salesforce refused the contact") == 3
    assert harness.count_in_audit(deal, "Contact Roles holds 0 of 9 contacts") == 1
    assert harness.new_calls()["salesforce.graph"] == 4
    harness.run_rounds()
    assert_quiet(harness)


def test_at_most_fifty_contacts_arrive_in_one_call_and_the_rest_is_told(harness: Harness) -> None:
    """The addresses are as long as they can be, and need the most characters in the address of the query."""
    people = [person(f"N{number}", "'" * 60 + f"{number:04}@{'x' * 5}.example") for number in range(120)]
    deal = deal_with_people(harness, people)
    names = [name for name, _ in role_holders(harness, deal)]
    assert names == [f"N{number}" for number in range(50)]
    assert harness.count_in_audit(deal, "Contact Roles holds 50 of 120 contacts") == 1
    harness.colleague_edits(
        str(harness.opportunity(deal)["Referral_Identifier__c"]), status="Active", substatus="Accepted"
    )
    harness.run_rounds()
    assert harness.count_in_audit(deal, "Contact Roles") == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert_quiet(harness)


def test_a_refused_contact_renews_the_claim(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.salesforce.org.hooks.rules.append(ValidationRule("Contact", "LastName", "Not so."))
    slow, other = harness.new_instance(), harness.new_instance()
    outcomes: list[Outcome | None] = []
    for skip in (0, 1):  # each graph takes more than half of the lease
        slow.process.interrupt_at("salesforce.create", lambda: harness.advance_time(AFTER_LEASE * 0.6), skip=skip)
    slow.process.interrupt_at("salesforce.create", lambda: outcomes.append(other.pull_event(referral)), skip=1)
    slow.pull_event(referral)
    assert outcomes == [BUSY]
    assert opportunity_of(harness, referral)
