"""What people do: sellers in Salesforce, colleagues in the portal of Partner Center, and Microsoft."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.sharing import KINDS_OF_HELP
from tests.simulation.held_values import HELP_COLUMN, OPEN, Record, of_opportunity
from tests.simulation.people import CURRENCIES, People

OPEN_STAGES = ("Prospecting", "Qualification", "Needs Analysis", "Negotiation/Review")
CUSTOMERS = {"Northwind Traders": "US", "Fabrikam Robotics": "DK"}
"""Customers and their countries. Sellers have an account of the first one; only Microsoft knows the second one."""
TICK = "Sync_with_Partner_Center__c"

AUTOMATION = "automation of the org that sets stages"
HELP = "people who ask Microsoft for help"
Entered = Mapping[str, object]
"""The values that a person enters in a record."""


@dataclass(frozen=True)
class Move:
    """Something that people do; `act` returns whether it was possible. `field` is the value that it changes.

    A move with `also` happens only in seeds that have it.
    """

    name: str
    weight: int
    act: Callable[[People], bool]
    field: str = ""
    also: str = ""


def of_seller(
    name: str, weight: int, field: str, choose: Callable[[People, Any], Entered | None], also: str = ""
) -> Move:
    """An edit of one of the opportunities; `choose` returns None where the move is not possible."""

    def act(people: People) -> bool:
        record = people.choose(people.opportunities())
        values = choose(people, record) if record else None
        return record is not None and values is not None and people.save_opportunity(record, values)

    return Move(f"seller {name}", weight, act, field, also)


def of_colleague(
    name: str, weight: int, field: str, choose: Callable[[People, Any], Entered | None], also: str = ""
) -> Move:
    """An edit of one of the referrals that are not closed."""

    def act(people: People) -> bool:
        record = people.choose([record for record in people.referrals() if record["status"] != "Closed"])
        values = choose(people, record) if record else None
        return record is not None and values is not None and people.save_referral(record, values)

    return Move(f"colleague {name}", weight, act, field, also)


# --- what ends a deal, or the sync of it


def _close(_: People, record: Record, stage: str) -> Entered | None:
    return None if record["StageName"].startswith("Closed") else {"StageName": stage}


def _negative(people: People, _: Record) -> Entered:
    return {"Amount": -float(people.amount())}


def _untick(_: People, record: Record) -> Entered | None:
    return {TICK: False} if record[TICK] else None


# --- stages


def _another(people: People, record: Record, *stages: str) -> Entered:
    return {"StageName": people.chance.choice([stage for stage in stages if stage != record["StageName"]])}


def _is_open(record: Record) -> bool:
    return of_opportunity(record)["status"] == OPEN


def _forward(people: People, record: Record) -> Entered | None:
    return _another(people, record, *OPEN_STAGES) if _is_open(record) else None


def _accept(people: People, record: Record) -> Entered | None:
    return _another(people, record, *OPEN_STAGES) if record["StageName"] == "On Hold" else None


def _return_to_hold(_: People, record: Record) -> Entered | None:
    return {"StageName": "On Hold"} if _is_open(record) else None


def _is_closed_there(people: People, record: Record) -> bool:
    referral = people.referral_of(record)
    return referral is not None and referral["status"] == "Closed"


def _take_back(people: People, record: Record) -> Entered | None:
    is_closed = record["StageName"].startswith("Closed")
    return {"StageName": "Qualification"} if is_closed and not _is_closed_there(people, record) else None


def _change_closed(people: People, record: Record) -> Entered | None:
    is_closed = record["StageName"].startswith("Closed") and _is_closed_there(people, record)
    return _another(people, record, "Qualification", "Closed Won", "Closed Lost") if is_closed else None


def _answer(status: str, *substatuses: str, before: str) -> Callable[[People, Record], Entered | None]:
    """A colleague's move of the status from `before`. It latches the edits of a seller that a run is about to send."""

    def choose(people: People, record: Record) -> Entered | None:
        wanted = {"status": status, "substatus": people.chance.choice(substatuses)}
        return None if record["status"] != before else wanted

    return choose


# --- new deals


def _seller_adds(people: People) -> bool:
    if not people.may_add_a_deal():
        return False
    stage = people.chance.choices(("Qualification", "Prospecting", "On Hold", "Closed Won"), (6, 2, 1, 1))[0]
    return people.add_opportunity(
        Name=f"Deal {next(people.numbers)}",
        StageName=stage,
        Amount=people.amount() if people.chance.random() < 0.85 else None,
        CloseDate=people.day(),
        Description=people.text("Seller", None) if people.chance.random() < 0.8 else None,
        Sync_with_Partner_Center__c=people.chance.random() < 0.9,
    )


def _microsoft_sends(people: People, customer: str = "") -> bool:
    if not people.may_add_a_deal():
        return False
    name = customer or people.chance.choice(list(CUSTOMERS))
    mail = f"contact@{name.split()[0].lower()}.example"
    person = {"firstName": "Ada", "lastName": "Lind", "email": mail, "phoneNumber": "+4512345678"}
    details = {
        "dealValue": people.amount(),
        "currency": people.chance.choice(CURRENCIES),
        "closingDateTime": f"{people.day()}T00:00:00Z",
        "notes": people.text("Microsoft", None) if people.chance.random() < 0.8 else None,
    }
    address = {"addressLine1": "1 Main Street", "city": "Harbour", "country": CUSTOMERS[name]}
    profile = {"name": name, "address": address, "team": [person]}
    people.add_referral(name=f"Deal {next(people.numbers)}", customerProfile=profile, details=details)
    return True


def _microsoft_sends_two(people: People) -> bool:
    """Two deals of one customer, whom Salesforce may not know yet."""
    name = people.chance.choice(list(CUSTOMERS))
    return _microsoft_sends(people, name) and _microsoft_sends(people, name)


def _automation_sets_a_stage(people: People) -> bool:
    """A scheduled flow sets a stage that nobody has chosen."""
    record = people.choose([one for one in people.opportunities() if _is_open(one) or one["StageName"] == "On Hold"])
    if record is None:
        return False
    return people.automation_saves(record, _another(people, record, "Qualification", "Closed Won", "Closed Lost"))


def _seller_asks_for_help(people: People) -> bool:
    """A seller chooses help, or clears it, and mostly completes what Microsoft demands."""
    record = people.choose(people.opportunities())
    if record is None:
        return False
    values: dict[str, object] = {HELP_COLUMN: people.chance.choice((*KINDS_OF_HELP.values(), None))}
    if people.chance.random() < 0.4:
        values["Notes_to_Microsoft__c"] = people.chance.choice((None, "By phone, please.", "A demo in May, please."))
    if people.chance.random() < 0.5:
        values["OwnerId"] = people.harness.salesforce.seller
    if not people.save_opportunity(record, values):
        return False
    if not people.has_contact(record):
        people.add_contact(record)
    return True


def _colleague_asks_for_help(people: People) -> bool:
    """A colleague asks Microsoft in the portal, which shows them that nobody has asked yet."""
    record = people.choose([one for one in people.referrals() if one["status"] == "Active"])
    return record is not None and people.ask_in_portal(record, people.chance.choice(list(KINDS_OF_HELP)))


NEW_DEALS = (
    Move("seller adds a deal", 6, _seller_adds),
    Move("microsoft sends a deal", 4, _microsoft_sends),
    Move("microsoft sends two deals", 3, _microsoft_sends_two),
)
MOVES = (
    *NEW_DEALS,
    of_seller("changes the amount", 10, "money", lambda people, _: {"Amount": people.amount()}),
    of_seller("empties the amount", 1, "money", lambda _, old: {"Amount": None} if old["Amount"] else None),
    of_seller("enters a negative amount", 1, "money", _negative),
    of_seller("changes the currency", 3, "money",
            lambda people, old: {"CurrencyIsoCode": people.currency(old["CurrencyIsoCode"])}),
    of_seller("changes the close date", 8, "closing", lambda people, _: {"CloseDate": people.day()}),
    of_seller("changes the notes", 8, "notes",
            lambda people, old: {"Description": people.text("Seller", old["Description"])}),
    of_seller("empties the notes", 1, "notes", lambda _, old: {"Description": None} if old["Description"] else None),
    of_seller("moves the stage forward", 6, "status", _forward),
    of_seller("accepts", 6, "status", _accept),
    of_seller("wins", 3, "status", lambda people, old: _close(people, old, "Closed Won")),
    of_seller("loses", 2, "status", lambda people, old: _close(people, old, "Closed Lost")),
    of_seller("takes a close back", 6, "status", _take_back),
    of_seller("changes the stage of a closed deal", 1, "status", _change_closed),
    of_seller("returns a deal to On Hold", 1, "status", _return_to_hold),
    of_seller("unticks", 2, "", _untick),
    of_seller("ticks", 6, "", lambda _, old: None if old[TICK] else {TICK: True}),
    of_colleague("changes the amount", 8, "money", lambda people, _: {"details_dealValue": people.amount()}),
    of_colleague("changes the currency", 3, "money",
               lambda people, old: {"details_currency": people.currency(old["details"]["currency"])}),
    of_colleague("changes the close date", 6, "closing",
               lambda people, _: {"details_closingDateTime": f"{people.day()}T00:00:00Z"}),
    of_colleague("changes the notes", 8, "notes",
               lambda people, old: {"details_notes": people.text("Colleague", old["details"]["notes"])}),
    of_colleague("empties the notes", 1, "notes",
               lambda _, old: {"details_notes": None} if old["details"]["notes"] else None),
    of_colleague("accepts", 4, "status", _answer("Active", "Accepted", before="New")),
    of_colleague("declines", 1, "status", _answer("Closed", "Declined", before="New")),
    of_colleague("closes", 2, "status", _answer("Closed", "Won", "Lost", before="Active")),
    Move("automation sets a stage", 12, _automation_sets_a_stage, "status", AUTOMATION),
    Move("seller asks for help", 70, _seller_asks_for_help, "", HELP),
    Move("colleague asks for help", 5, _colleague_asks_for_help, "", HELP),
)  # fmt: skip
