"""Solutions that sellers pick in the related list: rows of the deal, each of a record of the catalogue."""

from pathlib import Path

from emulators.salesforce.data.errors import ApiError
from tests.simulation.held_values import Record
from tests.unit.sync.harness import Harness
from tests.unit.sync.solution_rows import ROWS, id_of, list_solution, rows_of

MAPPING = Path(__file__).parent / "rows.toml"


def ids_in_rows(harness: Harness, record: Record) -> list[str]:
    """The ids of the rows of a deal; one that is in two rows is there twice."""
    return [id_of(harness, row) for row in rows_of(harness, record["Id"])]


def add_row(harness: Harness, record: Record, solution_id: str) -> bool:
    """A seller adds a row; False where Salesforce refuses it."""
    try:
        harness.salesforce.insert(
            ROWS, {"Opportunity__c": record["Id"], "Solution__c": list_solution(harness, solution_id)}
        )
    except ApiError:
        return False
    return True


def remove_row(harness: Harness, record: Record, solution_id: str) -> bool:
    """A seller deletes all rows of a solution; False where Salesforce refuses it."""
    try:
        for row in rows_of(harness, record["Id"]):
            if id_of(harness, row) == solution_id:
                harness.salesforce.delete(ROWS, row["Id"])
    except ApiError:
        return False
    return True
