"""Deals with contact roles, edits beside the opportunity, and which deals a push looks at."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from emulators.base.journal import JournalEntry
from tests.unit.sync.harness import Harness

FIVE_MINUTES = 5


def add_contact(harness: Harness, deal: str, last_name: str = "Lind", **values: object) -> tuple[str, str]:
    """A contact of the deal's customer, with its role in the deal. Returns both ids."""
    account = harness.opportunity(deal)["AccountId"]
    contact = harness.salesforce.insert("Contact", {"LastName": last_name, "AccountId": account, **values})
    role = {"OpportunityId": deal, "ContactId": contact, "Role": "Decision Maker"}
    return contact, harness.salesforce.insert("OpportunityContactRole", role)


def add_user(harness: Harness, name: str, **values: object) -> str:
    """The id of a new user."""
    address = f"{name.replace(' ', '.')}@acme.example"
    user = {"Username": address, "Email": address, "LastName": name, "FirstName": "Sam"}
    return harness.salesforce.insert("User", {**user, **values})


def deal_of(harness: Harness, name: str) -> str:
    """A linked deal with a customer, an owner and a contact of its own."""
    owner = add_user(harness, name, Phone="+1 555 0100")
    deal = harness.seller_creates(Name=name, AccountId=harness.account_id(name), OwnerId=owner)
    add_contact(harness, deal, FirstName="Ada", Email="ada@fabrikam.example", Phone="+45 1")
    return deal


def two_deals(harness: Harness) -> tuple[str, str]:
    """Two linked deals that share nothing, once nothing is left to do and the overlap of every query has passed."""
    deals = deal_of(harness, "First"), deal_of(harness, "Second")
    push_often(harness, 20)
    harness.forget_calls()
    return deals


def push_often(harness: Harness, count: int = FIVE_MINUTES) -> None:
    """One push each minute."""
    for _ in range(count):
        harness.push()


@contextmanager
def looked_at(harness: Harness, *deals: str) -> Iterator[Callable[[], list[str]]]:
    """Gives a function that returns which of the deals a run has worked on since: their rows were written."""
    before = {deal: _version(harness, deal) for deal in deals}
    yield lambda: [deal for deal in deals if _version(harness, deal) != before[deal]]


def _version(harness: Harness, deal: str) -> str | None:
    entry = harness.store.link(deal)
    return entry.etag if entry else None


def edit_role(harness: Harness, deal: str) -> None:
    (role,) = roles_of(harness, deal)
    harness.salesforce.edit("OpportunityContactRole", role["Id"], {"Role": "Evaluator"})


def edit_contact(harness: Harness, deal: str) -> None:
    (role,) = roles_of(harness, deal)
    harness.salesforce.edit("Contact", role["ContactId"], {"Phone": "+45 2"})


def edit_owner(harness: Harness, deal: str) -> None:
    harness.salesforce.edit("User", harness.opportunity(deal)["OwnerId"], {"Phone": "+1 555 0200"})


def edit_account(harness: Harness, deal: str) -> None:
    harness.salesforce.edit("Account", harness.opportunity(deal)["AccountId"], {"Phone": "+45 3"})


def add_role(harness: Harness, deal: str) -> None:
    add_contact(harness, deal, "Berg", FirstName="Bo", Email="bo@fabrikam.example", Phone="+45 4")


def delete_deal(harness: Harness, deal: str) -> None:
    harness.salesforce.delete("Opportunity", deal)


def roles_of(harness: Harness, deal: str) -> list[dict[str, Any]]:
    return [role for role in harness.salesforce.records("OpportunityContactRole") if role["OpportunityId"] == deal]


def polls_in(journal: list[JournalEntry]) -> list[tuple[str, ...]]:
    """The kinds of the queries of each Composite with several queries: those of the polls."""
    found = (tuple(tag for tag in entry.tags if tag.startswith("query")) for entry in journal)
    return [queries for queries in found if len(queries) > 1]
