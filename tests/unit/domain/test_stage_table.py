"""The stage table: what a stage means, and which stage a status is shown as."""

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
def test_stages_of_one_meaning_are_one_status(stage: str) -> None:
    assert TABLE.status_of(stage) == ACCEPTED


@pytest.mark.parametrize("stage", ["", "Prospecting ", "Unheard of"])
def test_a_stage_that_the_table_does_not_know_means_nothing(stage: str) -> None:
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
def test_a_status_arrives_on_its_stage(status: Status, stage: str | None) -> None:
    assert TABLE.stage_for(status) == stage


def test_a_stage_of_its_own_goes_before_one_that_only_shows_the_status() -> None:
    """`Closed Lost` lists Closed/Won too and `arrives`; a won deal must not look lost."""
    assert TABLE.normal_status(WON) == WON
    assert TABLE.stage_for(WON) == "Closed Won"


def test_the_reason_is_the_stages_own() -> None:
    budget = TABLE.status_of("Lost - Budget")
    assert budget
    assert budget.reason == "Budget"
    assert TABLE.normal_status(Status("Closed", "Expired")) == LOST


def test_the_first_stage_is_the_on_hold_stage() -> None:
    assert TABLE.on_hold == "On Hold"
