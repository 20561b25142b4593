"""The doctor says what the org has of the rows that the mapping file reads: solutions, and the opportunity team."""

from dataclasses import replace

import pytest

from emulators.salesforce.org_switches import switch_team_selling
from local.systems import Systems
from shared.doctor.finding import Result
from shared.mapping.solutions_field import SolutionsField
from tests.unit.doctor.conftest import Doctor

ROW, CATALOGUE = "Cosell_Deal_Solution__c", "Cosell_Solution__c"
PATHS = (f"{ROW}.Solution__c", "OpportunityTeamMember.UserId")


@pytest.fixture
def reads_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mapping file that reads rows of both kinds."""
    monkeypatch.setattr(SolutionsField, "helpful_columns", lambda _: PATHS)
    monkeypatch.setattr(SolutionsField, "related_list", "Cosell_Solutions__r")


@pytest.fixture
def reads_no_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mapping file that reads the opportunity alone."""
    monkeypatch.setattr(SolutionsField, "helpful_columns", lambda _: ())


def load_one(systems: Systems) -> None:
    systems.salesforce.insert(CATALOGUE, {"Name": "Ledger", "Solution_Id__c": "SOL-1"})


@pytest.mark.usefixtures("reads_rows")
def test_a_catalogue_without_an_active_solution_fails_with_the_command_that_loads_it(doctor: Doctor) -> None:
    verdict = doctor.failed_verdict("solutions")
    assert "has no active solution" in verdict.found
    assert "cosell salesforce solutions FILE.csv" in verdict.remedy


@pytest.mark.usefixtures("reads_no_rows")
def test_a_mapping_file_without_rows_needs_no_object_of_solutions(doctor: Doctor, systems: Systems) -> None:
    systems.salesforce.bare = True
    systems.salesforce.reset_state()
    verdict = doctor.run("solutions")["solutions"]
    systems.salesforce.bare = False
    systems.salesforce.reset_state()
    assert (verdict.result, "from a text field" in verdict.found) == (Result.OK, True)


@pytest.mark.usefixtures("reads_rows")
def test_an_org_with_the_package_and_a_catalogue_has_the_solutions(doctor: Doctor, systems: Systems) -> None:
    load_one(systems)
    assert (
        doctor.run("solutions")["solutions"].found
        == f"{ROW} holds the solutions of a deal, and {CATALOGUE} the catalogue"
    )


@pytest.mark.usefixtures("reads_rows")
def test_an_org_with_an_earlier_package_lacks_the_solutions(doctor: Doctor, systems: Systems) -> None:
    systems.salesforce.bare = True
    systems.salesforce.reset_state()
    verdict = doctor.failed_verdict("solutions")
    systems.salesforce.bare = False
    systems.salesforce.reset_state()
    assert f"the org has no object {ROW}" in verdict.found
    assert f"the org has no object {CATALOGUE}" in verdict.found
    assert "cosell salesforce deploy" in verdict.remedy


@pytest.mark.usefixtures("reads_rows")
def test_objects_of_another_shape_fail(doctor: Doctor, systems: Systems) -> None:
    row, catalogue = (systems.salesforce.org.model.get(name) for name in (ROW, CATALOGUE))
    row.fields["key__c"] = replace(row.fields["key__c"], unique=False)
    del catalogue.fields["solution_id__c"]
    row.deletable = False
    verdict = doctor.failed_verdict("solutions")
    assert f"{ROW}.Key__c is not both an external id and unique" in verdict.found
    assert f"{CATALOGUE}.Solution_Id__c does not exist" in verdict.found
    assert f"{ROW}: records are not deletable" in verdict.found
    systems.salesforce.reset_state()
    load_one(systems)
    assert doctor.run("solutions")["solutions"].result is Result.OK


@pytest.mark.usefixtures("reads_rows")
def test_the_doctor_tells_whether_the_org_has_teams(doctor: Doctor, systems: Systems) -> None:
    without = doctor.run("team")["team"]
    switch_team_selling(systems.salesforce.org, on=True)
    with_teams = doctor.run("team")["team"]
    switch_team_selling(systems.salesforce.org, on=False)
    assert (without.result, with_teams.result) == (Result.OK, Result.OK)
    assert "has no opportunity teams" in without.found
    assert with_teams.found == "our team is the owner and the opportunity team"
