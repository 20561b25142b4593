"""A deal whose solutions are rows of the related list, and the catalogue of the org."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.unit.sync.harness import Harness

CATALOGUE, ROWS = "Cosell_Solution__c", "Cosell_Deal_Solution__c"
FROM_ROWS = 'extends = "default"\n\n[fields.solutions]\nsource = "rows"\n'
SHOWING_ROWS = 'extends = "default"\n\n[fields.solutions]\nshow_rows = true\n'


@contextmanager
def reading_rows(folder: Path, text: str = FROM_ROWS) -> Iterator[Harness]:
    """A harness whose mapping file reads the rows."""
    with harness_with_rows(folder, text) as harness:
        yield harness


def harness_with_rows(folder: Path, text: str = FROM_ROWS) -> Harness:
    """The same, not yet entered."""
    mapping = folder / "rows.toml"
    mapping.write_text(text, encoding="utf-8")
    return Harness(mapping=mapping)


def list_solution(harness: Harness, solution_id: str | None, **values: object) -> str:
    """The id of the solution's record in the catalogue, which is made at the first call."""
    known = [each for each in harness.salesforce.records(CATALOGUE) if each["Solution_Id__c"] == solution_id]
    if known:
        return str(known[0]["Id"])
    record = {"Name": f"Contoso {solution_id}", "Solution_Id__c": solution_id, "Co_sell_Ready__c": True}
    return harness.salesforce.insert(CATALOGUE, {**record, "Active__c": True, **values})


def seller_adds(harness: Harness, deal: str, *solution_ids: str) -> list[str]:
    """The ids of the rows that a seller adds. They touch the deal, so that the next push looks at it."""
    rows = [
        harness.salesforce.insert(ROWS, {"Opportunity__c": deal, "Solution__c": list_solution(harness, one)})
        for one in solution_ids
    ]
    touch(harness, deal)
    return rows


def seller_removes(harness: Harness, deal: str, *solution_ids: str) -> None:
    for row in rows_of(harness, deal):
        if id_of(harness, row) in solution_ids:
            harness.salesforce.delete(ROWS, row["Id"])
    touch(harness, deal)


def colleague_lists(harness: Harness, deal: str, *solution_ids: str, **tag: str) -> str:
    """A colleague makes these the solutions of the deal. Returns the referral's id."""
    referral = harness.referral_of(deal)
    known = {each["id"]: each for each in referral["details"]["requirements"].get("solutions") or ()}
    tags = [known.get(one) or {"id": one, "type": "Name", "name": f"{one} of Contoso", **tag} for one in solution_ids]
    harness.colleague_edits(referral["id"], details_requirements_solutions=tags)
    return str(referral["id"])


def touch(harness: Harness, deal: str) -> None:
    harness.seller_edits(deal, NextStep=f"at {harness.now():%H:%M:%S}")


def rows_of(harness: Harness, deal: str) -> list[dict[str, Any]]:
    return [dict(row) for row in harness.salesforce.records(ROWS) if row["Opportunity__c"] == deal]


def id_of(harness: Harness, row: dict[str, Any]) -> str:
    return str(harness.salesforce.record(CATALOGUE, row["Solution__c"])["Solution_Id__c"])


def ids_in_salesforce(harness: Harness, deal: str) -> list[str]:
    return sorted(id_of(harness, row) for row in rows_of(harness, deal))


def ids_in_partner_center(harness: Harness, deal: str) -> list[str]:
    return sorted(tag["id"] for tag in harness.referral_of(deal)["details"]["requirements"]["solutions"])


def deal_with(harness: Harness, *solution_ids: str) -> str:
    """The id of a linked deal with these rows, that has nothing left to do."""
    deal = harness.seller_creates(Products__c=None)
    seller_adds(harness, deal, *solution_ids)
    harness.push_until_quiet()
    return deal
