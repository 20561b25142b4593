"""The stage table gives the status that a stage means, and the stage on which a status arrives.

Source: docs/protocol.md#status.
"""

import pytest

from shared.domain.deal import Status
from shared.domain.stage_table import Stage, StageTable

ACCEPTED, WON, LOST = Status("Active", "Accepted"), Status("Closed", "Won"), Status("Closed", "Lost", "Others")
TABLE = StageTable(
    (
        Stage("On Hold", Status("New", "Pending"), (Status("New", "Received"),)),
        Stage("Prospecting", ACCEPTED),
        Stage("Qualification", ACCEPTED, arrives=True),
        Stage("Closed Won", WON),
        Stage("Lost - Budget", Status("Closed", "Lost", "Budget")),
        Stage("Closed Lost", LOST, (Status("Closed", "Expired"), WON), arrives=True),
    )
)


@pytest.mark.parametrize("stage", ["Prospecting", "prospecting", "PROSPECTING", "Qualification"])
def test_stages_with_the_same_meaning_have_the_same_status(stage: str) -> None:
    assert TABLE.status_of(stage) == ACCEPTED


@pytest.mark.parametrize("stage", ["", "Prospecting ", "Unheard of"])
def test_an_unknown_stage_has_no_status(stage: str) -> None:
    assert TABLE.status_of(stage) is None


@pytest.mark.parametrize(
    ("status", "stage"),
    [
        (Status("New", "Received"), "On Hold"),
        (ACCEPTED, "Qualification"),
        (WON, "Closed Won"),
        (Status("Closed", "Lost"), "Closed Lost"),
        (Status("Closed", "Expired"), "Closed Lost"),
        (Status("Closed", "Error"), None),
        (Status("None", "None"), None),
    ],
)
def test_each_status_arrives_on_its_stage(status: Status, stage: str | None) -> None:
    assert TABLE.stage_for(status) == stage


def test_a_stage_that_means_a_status_goes_before_one_that_only_lists_it() -> None:
    """`Closed Lost` also lists Closed/Won and has `arrives`, but a won deal must not look lost."""
    assert TABLE.normal_status(WON) == WON
    assert TABLE.stage_for(WON) == "Closed Won"


def test_a_status_carries_the_reason_of_its_stage() -> None:
    budget = TABLE.status_of("Lost - Budget")
    assert budget
    assert budget.reason == "Budget"
    assert TABLE.normal_status(Status("Closed", "Expired")) == LOST


def test_the_first_stage_is_the_on_hold_stage() -> None:
    assert TABLE.on_hold == "On Hold"
