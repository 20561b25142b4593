"""The people of a deal on both sides: contact roles and opportunity team, and the two teams of its referral."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emulators.salesforce.org_switches import switch_team_selling
from tests.unit.sync.harness import Harness

ROLE, TEAM_MEMBER = "OpportunityContactRole", "OpportunityTeamMember"
KIM = {"FirstName": "Kim", "LastName": "Berg", "Email": "kim@northwind.example", "Phone": "+1 206 555 0101"}
LEE = {"FirstName": "Lee", "LastName": "Holm", "Email": "lee@northwind.example", "Phone": "+1 206 555 0102"}
MO = {"firstName": "Mo", "lastName": "Lind", "email": "mo@northwind.example", "phoneNumber": "+1 206 555 0103"}


@contextmanager
def team_selling() -> Iterator[Harness]:
    """A harness whose org has team selling."""
    with Harness() as harness:
        switch_team_selling(harness.salesforce.org, on=True)
        harness.ask_org_again()
        yield harness


def mapping_with(folder: Path, *lines: str) -> Path:
    """A mapping file that extends the default by these lines."""
    path = folder / "people.toml"
    path.write_text("\n".join(('extends = "default"', *lines)), encoding="utf-8")
    return path


# --- contacts


def add_contact(harness: Harness, deal: str, values: dict[str, str], *, is_primary: bool = False) -> str:
    """The seller adds a contact with a role. Returns the contact's id."""
    contact = harness.salesforce.insert("Contact", {**values, "AccountId": harness.account_id()})
    harness.salesforce.insert(ROLE, {"OpportunityId": deal, "ContactId": contact, "IsPrimary": is_primary})
    return contact


def remove_contact(harness: Harness, deal: str, contact: str) -> None:
    """The seller removes the role of a contact. A removed role leaves no trace, so the seller also saves the deal."""
    for role in harness.salesforce.records(ROLE):
        if (role["OpportunityId"], role["ContactId"]) == (deal, contact):
            harness.salesforce.delete(ROLE, role["Id"])
    save(harness, deal)


def deal_with(harness: Harness, *contacts: dict[str, str], **values: object) -> str:
    """A linked deal with these contacts, with nothing left to do. Its calls are forgotten."""
    deal = harness.seller_creates(Sync_with_Partner_Center__c=False, **values)
    for each in contacts:
        add_contact(harness, deal, each, is_primary=each is contacts[0])
    harness.seller_edits(deal, Sync_with_Partner_Center__c=True)
    harness.push_until_quiet()
    return deal


def contacts_there(harness: Harness, deal: str) -> list[str]:
    """The addresses of the referral's contacts."""
    return [person["email"] for person in harness.referral_of(deal)["customerProfile"]["team"]]


def contacts_here(harness: Harness, deal: str) -> list[str]:
    """The addresses of the contacts with a role."""
    roles = [role for role in harness.salesforce.records(ROLE) if role["OpportunityId"] == deal]
    return [harness.salesforce.record("Contact", role["ContactId"])["Email"] for role in roles]


def colleague_lists_contacts(harness: Harness, deal: str, *people: dict[str, Any]) -> str:
    """A colleague makes these people the contacts of the deal. Returns the referral's id."""
    referral = str(harness.referral_of(deal)["id"])
    harness.colleague_edits(referral, customerProfile_team=list(people))
    return referral


# --- our team


def add_user(harness: Harness, name: str, **values: object) -> str:
    """A user with this last name. Returns the id."""
    address = f"{name.lower()}@contoso.example"
    record = {"FirstName": "Ada", "LastName": name, "Username": address, "Email": address, "Phone": "+1 425 555 0100"}
    record["UserType"] = "Standard"
    return harness.salesforce.insert("User", {**record, **values}, user=harness.salesforce.founding.administrator)


def add_to_team(harness: Harness, deal: str, user: str) -> str:
    """The seller adds a user to the opportunity team. Returns the id of the row."""
    return harness.salesforce.insert(TEAM_MEMBER, {"OpportunityId": deal, "UserId": user})


def remove_from_team(harness: Harness, deal: str, row: str) -> None:
    """The seller removes a member. A removed member leaves no trace, so the seller also saves the deal."""
    harness.salesforce.delete(TEAM_MEMBER, row)
    save(harness, deal)


def sellers_there(harness: Harness, deal: str) -> list[str]:
    """The addresses of the referral's sellers."""
    return [person["email"] for person in harness.referral_of(deal)["team"]]


def owner_address(harness: Harness, deal: str) -> str:
    """The address of the deal's owner."""
    return str(harness.salesforce.record("User", harness.opportunity(deal)["OwnerId"])["Email"])


def members_here(harness: Harness, deal: str) -> list[str]:
    """The addresses of the opportunity team."""
    rows = [row for row in harness.salesforce.records(TEAM_MEMBER) if row["OpportunityId"] == deal]
    return [harness.salesforce.record("User", row["UserId"])["Email"] for row in rows]


def colleague_lists_sellers(harness: Harness, deal: str, *people: dict[str, Any]) -> str:
    """A colleague makes these people our team of the deal. Returns the referral's id."""
    referral = str(harness.referral_of(deal)["id"])
    harness.colleague_edits(referral, team=list(people))
    return referral


def seller_named(name: str) -> dict[str, Any]:
    """A colleague as Partner Center has them."""
    address = f"{name.lower()}@contoso.example"
    return {"firstName": "Ada", "lastName": name, "email": address, "phoneNumber": "+1 425 555 0100"}


# --- both


def save(harness: Harness, deal: str) -> None:
    """The seller saves the deal, so that the next push looks at it."""
    harness.seller_edits(deal, NextStep=str(harness.now()))


def mark_of(harness: Harness, deal: str) -> str:
    """The mark that the seller sees."""
    return str(harness.opportunity(deal)["Sync_Status__c"])
