"""The judge of the long run finds each way in which a deal can be lost or doubled."""

import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from emulators.partner_center.emulator import PartnerCenterEmulator
from emulators.salesforce.emulator import SalesforceEmulator
from local.systems import Systems, complete_opportunity
from tests.processes.judge import judge
from tests.processes.people import Edit, People

LINE = "2026-12-02 02:18:04 UTC - To Partner Center: A referral was created."


@pytest.fixture
def people() -> People:
    """A deal of a seller and one of Microsoft's, as the connector leaves them."""
    salesforce, partner_center = SalesforceEmulator(seed=0), PartnerCenterEmulator(seed=0)
    systems = cast("Systems", SimpleNamespace(salesforce=salesforce, partner_center=partner_center))
    known = People(systems, 1, random.Random(0))  # noqa: S311 - a seed repeats
    account = salesforce.insert("Account", {"Name": "Contoso", "BillingCountry": "US"})
    own = salesforce.insert("Opportunity", complete_opportunity("Deal 1", account))
    known.opportunities.append(own)
    made = partner_center.portal_creates({"name": "Deal 1", "externalReferenceId": own})
    known.microsoft_sends()
    sent = known.referrals[0]
    account = salesforce.insert("Account", {"Name": "Customer 1"})
    arrived = salesforce.insert("Opportunity", complete_opportunity("Deal 2", account))
    for key, referral in ((own, made), (arrived, sent)):
        _agree(systems, key, referral)
    return known


def _agree(systems: Systems, key: str, referral: str) -> None:
    """Give both records of a pair the same values."""
    record = dict(systems.salesforce.record("Opportunity", key))
    values: dict[str, Any] = {
        "/name": record["Name"], "/status": "Active", "/substatus": "Accepted", "/details/notes": "",
        "/details/dealValue": record["Amount"], "/details/currency": record["CurrencyIsoCode"],
        "/details/closingDateTime": f"{record['CloseDate']}T00:00:00Z",
        "/details/requirements/solutions": [{"id": "SOL-12345-ABC", "type": "Name"}],
    }  # fmt: skip
    systems.partner_center.raw_patch(referral, values)
    ours = {"Referral_Identifier__c": referral, "Sync_Status__c": "Synced", "Audit__c": LINE}
    systems.salesforce.edit("Opportunity", key, ours)


def _double_referral(people: People) -> None:
    people.systems.partner_center.portal_creates({"externalReferenceId": people.opportunities[0]})


def _double_opportunity(people: People) -> None:
    account = people.systems.salesforce.insert("Account", {"Name": "Another"})
    values = {**complete_opportunity("Deal 2", account), "Referral_Identifier__c": None}
    people.systems.salesforce.insert("Opportunity", values)


def _double_account(people: People) -> None:
    people.systems.salesforce.insert("Account", {"Name": "Contoso"})


def _double_line(people: People) -> None:
    people.systems.salesforce.edit("Opportunity", people.opportunities[0], {"Audit__c": f"{LINE}\n{LINE}"})


def _lost_edit(people: People) -> None:
    people.edits.append(Edit("Salesforce", people.opportunities[0], "Amount", 20_001))


def _lost_edit_of_a_colleague(people: People) -> None:
    people.edits.append(Edit("Partner Center", people.referrals[0], "closingDateTime", "2027-01-05T00:00:00Z"))


def _one_side_differs(people: People) -> None:
    people.systems.salesforce.edit("Opportunity", people.opportunities[0], {"Description": "Another note."})


def _lost_deal(people: People) -> None:
    people.microsoft_sends()


BREAKS: dict[Callable[[People], None], str] = {
    _double_referral: "has 2 referrals",
    _double_opportunity: "there are 3 opportunities and 2 referrals",
    _double_account: "the account Contoso exists 2 times",
    _double_line: "the audit has 2 times",
    _lost_edit: "Amount 20001, entered in Salesforce, is lost",
    _lost_edit_of_a_colleague: "closingDateTime '2027-01-05T00:00:00Z', entered in Partner Center, is lost",
    _one_side_differs: "notes 'Another note.' and ''",
    _lost_deal: "has 0 opportunities",
}


def test_pairs_that_agree_are_in_order(people: People) -> None:
    assert judge(people) == []


@pytest.mark.parametrize(("breaks", "finding"), BREAKS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_what_is_lost_or_doubled_is_found(people: People, breaks: Callable[[People], None], finding: str) -> None:
    breaks(people)

    assert any(finding in each for each in judge(people))


def test_a_value_that_lost_to_another_is_in_the_audit(people: People) -> None:
    _lost_edit(people)
    told = f"{LINE} Amount 20,001.00 USD was discarded."
    people.systems.salesforce.edit("Opportunity", people.opportunities[0], {"Audit__c": told})

    assert judge(people) == []
