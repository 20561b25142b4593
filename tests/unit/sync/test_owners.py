"""A deal that arrives belongs to a person, by the rules of the mapping file (docs/mapping.md#owners)."""

from functools import partial

import pytest

from tests.unit.emulators.salesforce.control_calls import control
from tests.unit.sync.harness import Harness, Instance
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of, recover_after_lease
from tests.unit.sync.owned_deals import (
    ANNA,
    BERT,
    DEFAULT_OWNER,
    arrives,
    deactivate,
    make_user,
    org_with_owners,
    owner_of,
    user_id,
)
from tests.unit.sync.real_orgs import share_by_criteria

SELLER = {"firstName": "Sue", "lastName": "Seller", "email": "sue@microsoft.com", "phoneNumber": "+1 425 555 0100"}
OURS = {"firstName": "Anna", "lastName": "Example", "email": ANNA, "phoneNumber": "+1 425 555 0101"}
NEW = {"firstName": "New", "lastName": "Contact", "email": "new@customer.example", "phoneNumber": "+45 11 11 11 11"}
TO_ANNA = '[[owners]]\nby = "user"\nuser = "anna@partner.example"\n'
RULES = {
    "country": ('by = "country"\nusers = { US = "anna@partner.example" }', {"country": "US"}, [SELLER]),
    "small letters": ('by = "country"\nusers = { us = "anna@partner.example" }', {"country": "US"}, [SELLER]),
    "region": (
        'by = "region"\nusers = { US-WA = "anna@partner.example" }', {"country": "US", "state": "WA"}, [SELLER],
    ),
    "region by the name of its state": (
        'by = "region"\nusers = { US-WA = "anna@partner.example" }', {"country": "US", "state": "Washington"}, [SELLER],
    ),
    "region with its country": (
        'by = "region"\nusers = { US-WA = "anna@partner.example" }', {"country": "US", "state": "us-wa"}, [SELLER],
    ),
    "Microsoft's seller": (
        'by = "microsoft_seller"\nusers = { "sue@microsoft.com" = "anna@partner.example" }', {}, [SELLER],
    ),
    "our seller": ('by = "our_seller"', {}, [SELLER, OURS]),
    "our seller under another address": (
        'by = "our_seller"\nusers = { "a.example@old.example" = "anna@partner.example" }', {},
        [{**OURS, "email": "a.example@old.example"}],
    ),
    "a user": ('by = "user"\nuser = "ANNA@partner.example"', {}, [SELLER]),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "address", "team"), RULES.values(), ids=RULES)
def test_each_rule_finds_the_owner(rule: str, address: dict[str, str], team: list[object]) -> None:
    customer = {"address": {"country": "US", "city": "Seattle", "addressLine1": "1 Main Street", **address}}
    with org_with_owners(f"[[owners]]\n{rule}\n{DEFAULT_OWNER}") as harness:
        assert owner_of(harness, customerProfile=customer, team=team) == ANNA


@pytest.mark.parametrize(
    "rule",
    [
        'by = "country"\nusers = { DE = "anna@partner.example" }',
        'by = "region"\nusers = { US-WA = "anna@partner.example" }',
        'by = "microsoft_seller"\nusers = { "tom@microsoft.com" = "anna@partner.example" }',
        'by = "our_seller"',
        'by = "account_owner"',
    ],
)
def test_a_rule_that_says_nothing_about_a_deal_is_passed_over_without_a_word(rule: str) -> None:
    customer = {"address": {"country": "US", "city": "Portland", "addressLine1": "1 Main Street", "state": "OR"}}
    with org_with_owners(f"[[owners]]\n{rule}\n{DEFAULT_OWNER}") as harness:
        deal = arrives(harness, customerProfile=customer, team=[SELLER])
        assert deal["OwnerId"] == user_id(harness, BERT)
        assert harness.count_in_audit(deal["Id"], "Owner rule") == 0


def test_the_owner_of_the_account_owns_its_deals() -> None:
    with org_with_owners(f'[[owners]]\nby = "account_owner"\n{DEFAULT_OWNER}') as harness:
        account = harness.account_id("Contoso Harbour", "US")
        harness.salesforce.edit("Account", account, {"OwnerId": user_id(harness, ANNA)})
        customer = {"name": "Contoso Harbour", "address": {"country": "US", "city": "Seattle"}}
        assert owner_of(harness, customerProfile=customer) == ANNA


def test_the_owner_of_an_account_that_a_duplicate_rule_names_owns_the_deal() -> None:
    with org_with_owners(f'[[owners]]\nby = "account_owner"\n{DEFAULT_OWNER}') as harness:
        place = {"BillingStreet": "9 Harbour Road", "BillingCity": "Aarhus", "BillingCountry": "Denmark"}
        twin = {"Name": "Fabrikam Robotics A/S", "OwnerId": user_id(harness, ANNA), **place}
        account = harness.salesforce.insert("Account", twin)
        control(harness.salesforce, "duplicate_rules")
        deal = arrives(harness)
        assert (deal["AccountId"], deal["OwnerId"]) == (account, user_id(harness, ANNA))
        assert harness.count_in_audit(deal["Id"], "owner") == 0


def test_the_name_of_a_state_is_read_where_the_org_has_lists() -> None:
    rule = '[[owners]]\nby = "region"\nusers = { US-WA = "anna@partner.example" }\n'
    address = {"country": "US", "state": "Washington", "city": "Seattle", "addressLine1": "1 Main Street"}
    with org_with_owners(rule + DEFAULT_OWNER) as harness:
        control(harness.salesforce, "address_picklists")
        harness.ask_org_again()
        assert owner_of(harness, customerProfile={"address": address}) == ANNA


@pytest.mark.parametrize(("state", "told"), [("Cascadia", 1), ("Oregon", 0), ("OR", 0), (None, 0)])
def test_a_state_that_may_be_one_of_the_rule_in_other_words_is_told(state: str | None, told: int) -> None:
    rule = '[[owners]]\nby = "region"\nusers = { US-WA = "anna@partner.example" }\n'
    address = {"country": "US", "state": state, "city": "Seattle", "addressLine1": "1 Main Street"}
    with org_with_owners(rule + DEFAULT_OWNER) as harness:
        deal = arrives(harness, customerProfile={"address": address})
        assert deal["OwnerId"] == user_id(harness, BERT)
        text = 'Owner rule region does not know the state "Cascadia".'
        assert harness.count_in_audit(deal["Id"], text) == told


def test_what_is_new_belongs_to_the_owner_and_what_exists_keeps_its_own() -> None:
    with org_with_owners(TO_ANNA) as harness:
        deal = arrives(harness, customerProfile={"team": [NEW]})
        anna = user_id(harness, ANNA)
        assert harness.salesforce.record("Account", deal["AccountId"])["OwnerId"] == anna
        assert [each["OwnerId"] for each in harness.salesforce.records("Contact")] == [anna]
        assert len(harness.salesforce.records("OpportunityContactRole")) == 1
        harness.salesforce.edit("Account", deal["AccountId"], {"OwnerId": harness.salesforce.seller})
        second = arrives(harness, customerProfile={"team": [NEW]})
        assert second["AccountId"] == deal["AccountId"]
        assert harness.salesforce.record("Account", deal["AccountId"])["OwnerId"] == harness.salesforce.seller


def test_without_rules_the_user_of_the_sync_owns_the_deal_and_nobody_is_asked_for(harness: Harness) -> None:
    deal = arrives(harness)
    assert deal["OwnerId"] == harness.sign_in.user
    assert harness.salesforce.org.notifications == []
    assert not any("FROM+User" in entry.path or "FROM%20User" in str(entry) for entry in harness.salesforce.journal)


# --- users who cannot own a deal


def spoil_unknown(harness: Harness) -> None:
    admin = harness.salesforce.founding.administrator
    values = {"Username": "other@partner.example", "Email": "other@partner.example"}
    harness.salesforce.edit("User", user_id(harness, ANNA), values, user=admin)


def spoil_ambiguous(harness: Harness) -> None:
    spoil_unknown(harness)
    for name in ("anna.one@partner.example", "anna.two@partner.example"):
        make_user(harness, name, Email=ANNA)


def spoil_kind(harness: Harness) -> None:
    admin = harness.salesforce.founding.administrator
    harness.salesforce.edit("User", user_id(harness, ANNA), {"UserType": "CloudIntegrationUser"}, user=admin)


SPOILT = {
    "missing": (spoil_unknown, "this org has no user"),
    "inactive": (lambda harness: deactivate(harness, ANNA), "is not active"),
    "ambiguous": (spoil_ambiguous, "several active users have the address"),
    "of another kind": (spoil_kind, "cannot own deals"),
}


@pytest.mark.parametrize(("spoil", "text"), SPOILT.values(), ids=SPOILT)
def test_a_user_who_cannot_own_falls_through_to_the_next_and_the_audit_tells_it(spoil: object, text: str) -> None:
    assert callable(spoil)
    with org_with_owners(TO_ANNA + DEFAULT_OWNER) as harness:
        arrives(harness)  # a user who could own a deal before is asked for at each deal
        spoil(harness)
        deal = arrives(harness)
        assert deal["OwnerId"] == user_id(harness, BERT)
        assert harness.count_in_audit(deal["Id"], text) == 1
        events = harness.first.log.fields_of("owner_passed_over")
        assert [event["opportunity_id"] for event in events] == [deal["Id"]]


def test_an_active_user_is_meant_where_an_inactive_one_has_the_same_address() -> None:
    with org_with_owners('[[owners]]\nby = "user"\nuser = "shared@partner.example"\n') as harness:
        make_user(harness, "old@partner.example", Email="shared@partner.example", IsActive=False)
        make_user(harness, "new@partner.example", Email="shared@partner.example")
        assert owner_of(harness) == "new@partner.example"


def test_where_no_rule_finds_a_user_the_sync_owns_the_deal_and_the_audit_tells_it() -> None:
    with org_with_owners('[[owners]]\nby = "country"\nusers = { DE = "anna@partner.example" }\n') as harness:
        deal = arrives(harness)
        assert deal["OwnerId"] == harness.sign_in.user
        assert harness.count_in_audit(deal["Id"], "the user of the sync owns this") == 1


def test_a_deal_of_fifty_contacts_has_an_owner_too() -> None:
    people = [{**NEW, "email": f"p{number}@customer.example"} for number in range(50)]
    with org_with_owners(TO_ANNA) as harness:
        assert owner_of(harness, customerProfile={"team": people}) == ANNA


def test_the_user_of_the_sync_is_no_owner_by_a_rule() -> None:
    rule = '[[owners]]\nby = "user"\nuser = "integration@contoso.example"\n'
    with org_with_owners(rule + DEFAULT_OWNER) as harness:
        deal = arrives(harness)
        assert deal["OwnerId"] == user_id(harness, BERT)
        assert harness.count_in_audit(deal["Id"], "cannot own deals") == 1


def test_a_user_name_goes_before_the_address_of_somebody_else() -> None:
    with org_with_owners(TO_ANNA) as harness:
        make_user(harness, "other@partner.example", Email=ANNA)
        assert owner_of(harness) == ANNA


# --- Salesforce refuses the owner


def test_a_refused_owner_behind_an_inactive_one_falls_through_to_the_third() -> None:
    third = '[[owners]]\nby = "our_seller"\nusers = { "x@y.example" = "x@y.example" }\n'
    third += '[[owners]]\nby = "country"\nusers = { DK = "carl@partner.example" }\n'
    with org_with_owners(TO_ANNA + DEFAULT_OWNER + third) as harness:
        carl = make_user(harness, "carl@partner.example")
        deactivate(harness, ANNA)
        harness.salesforce.permission_sets[user_id(harness, BERT)] = ()
        deal = arrives(harness)
        assert deal["OwnerId"] == carl
        assert harness.count_in_audit(deal["Id"], "is not active") == 1
        assert harness.count_in_audit(deal["Id"], "Salesforce refused Bert Example") == 1


def test_an_owner_without_read_access_to_opportunities_falls_through() -> None:
    with org_with_owners(TO_ANNA + DEFAULT_OWNER) as harness:
        harness.salesforce.permission_sets[user_id(harness, ANNA)] = ()
        deal = arrives(harness)
        assert deal["OwnerId"] == user_id(harness, BERT)
        assert harness.count_in_audit(deal["Id"], "refused anna@partner.example") == 0
        assert harness.count_in_audit(deal["Id"], "Salesforce refused Anna Example") == 1
        assert harness.salesforce.record("Account", deal["AccountId"])["OwnerId"] == user_id(harness, BERT)


def test_a_refused_owner_of_a_referral_with_contacts_loses_none_of_them() -> None:
    with org_with_owners(TO_ANNA) as harness:
        harness.salesforce.permission_sets[user_id(harness, ANNA)] = ()
        customer = {"team": [NEW]}
        deal = arrives(harness, customerProfile=customer)
        assert deal["OwnerId"] == harness.sign_in.user
        assert len(harness.salesforce.records("OpportunityContactRole")) == 1


def test_a_value_that_is_refused_is_no_refusal_of_the_owner() -> None:
    with org_with_owners(TO_ANNA) as harness:
        harness.refuse_writes_of("Name", times=1)
        deal = arrives(harness)
        assert deal["OwnerId"] == user_id(harness, ANNA)
        assert harness.count_in_audit(deal["Id"], "Salesforce refused") == 0


# --- private sharing


def make_private(harness: Harness) -> None:
    """An org in which the user of the sync reads everything, and edits only what is theirs."""
    documents = harness.salesforce.deployments.documents.kept
    key = ("PermissionSet", "Cosell_Integration")
    documents[key] = documents[key].replace(b"<license>Salesforce API Integration</license>", b"")
    harness.salesforce.permission_sets[harness.sign_in.user] = ("Cosell_Integration",)
    for sobject in ("Account", "Contact", "Opportunity"):
        harness.salesforce.org.sharing.models[sobject] = "Private"
    harness.ask_org_again()


def test_in_a_private_org_the_owner_gets_the_deal_with_all_its_contacts() -> None:
    people = [{**NEW, "email": f"p{number}@customer.example"} for number in range(3)]
    with org_with_owners(TO_ANNA) as harness:
        make_private(harness)
        deal, anna = arrives(harness, customerProfile={"team": people}), user_id(harness, ANNA)
        assert deal["OwnerId"] == anna
        assert len(harness.salesforce.records("OpportunityContactRole")) == 3
        assert harness.count_in_audit(deal["Id"], "Salesforce refused the contact") == 0
        owners = [each["OwnerId"] for name in ("Account", "Contact") for each in harness.salesforce.records(name)]
        assert owners == [anna] * 4


def test_in_a_private_org_with_the_sharing_rule_edits_travel_both_ways() -> None:
    with org_with_owners(TO_ANNA) as harness:
        share_by_criteria(harness.salesforce)
        harness.ask_org_again()
        deal, anna = arrives(harness), user_id(harness, ANNA)
        assert deal["OwnerId"] == anna
        harness.salesforce.edit("Opportunity", deal["Id"], {"StageName": "Qualification", "Amount": 7}, user=anna)
        harness.run_rounds(2)
        referral = deal["Referral_Identifier__c"]
        assert harness.partner_center.referral(referral)["details"]["dealValue"] == 7
        harness.colleague_edits(referral, details_dealValue=9)
        harness.run_rounds(1)
        assert harness.opportunity(deal["Id"])["Amount"] == 9


# --- crashes


@pytest.mark.slow
def test_a_crash_at_any_point_makes_one_deal_of_one_owner_who_is_told() -> None:
    with org_with_owners(TO_ANNA) as harness:
        calls = len(calls_of_an_arrival(harness))
    for number in range(calls):
        with org_with_owners(TO_ANNA) as harness:
            referral = microsoft_sends_deal(harness)
            harness.first.process.crash_at(number, after=True)
            assert harness.first.crashes_during(partial(Instance.pull_event, referral_id=referral))
            recover_after_lease(harness)
            deal = opportunity_of(harness, referral)
            assert deal["OwnerId"] == user_id(harness, ANNA), number
            told = [each["recipientIds"] for each in harness.salesforce.org.notifications]
            assert told in ([[deal["OwnerId"]]], [[deal["OwnerId"]]] * 2), number
            assert_quiet(harness)


def calls_of_an_arrival(harness: Harness) -> list[str]:
    harness.pull_event(microsoft_sends_deal(harness))
    return harness.first.process.calls
