"""`cosell salesforce solutions`, run against the emulated org, over TLS and with a real sign-in."""

from pathlib import Path

import pytest
from typer.testing import Result

from emulators.salesforce import SalesforceEmulator
from emulators.salesforce.data.hooks import ValidationRule
from local.systems import Systems
from shared.cli.environment import Environment, write_environment
from tests.unit.cli.salesforce_commands import document_of, run_cosell, start_bare_org
from tests.unit.cli.stand_in_sf import ADMIN, put_sf_on_path

CATALOGUE = "Cosell_Solution__c"
LIST = "Solution Identifier,Solution Name,Type,Publisher Name\nSOL-1,Ledger,3P,Contoso\nSOL-2,Payroll,3P,Contoso\n"


@pytest.fixture
def org(systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SalesforceEmulator:
    """An org with the package, and the environment `local`."""
    monkeypatch.chdir(tmp_path)
    write_environment(Environment("local", systems.environ))
    return systems.salesforce


def load(text: str | bytes, *words: str) -> Result:
    Path("solutions.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return run_cosell("solutions", "solutions.csv", *words)


def catalogue(org: SalesforceEmulator) -> dict[str, dict[str, object]]:
    return {str(each["Solution_Id__c"]): dict(each) for each in org.records(CATALOGUE)}


def test_the_list_becomes_the_catalogue_and_a_second_load_changes_nothing(org: SalesforceEmulator) -> None:
    result = load(LIST)
    assert result.exit_code == 0, result.output
    assert "2 created, 0 changed, 0 deactivated, 0 unchanged, 0 refused." in result.output
    record = catalogue(org)["SOL-1"]
    assert (record["Name"], record["Publisher__c"], record["Solution_Type__c"]) == ("Ledger", "Contoso", "3P")
    assert (record["Co_sell_Ready__c"], record["Active__c"]) == (True, True)
    stamps = {key: each["SystemModstamp"] for key, each in catalogue(org).items()}
    assert document_of(load(LIST, "--json"))["unchanged"] == 2
    assert {key: each["SystemModstamp"] for key, each in catalogue(org).items()} == stamps


def test_only_what_differs_is_changed_and_what_the_list_lacks_stays(org: SalesforceEmulator) -> None:
    load(LIST)
    changed = LIST.replace("Ledger", "Ledger 2").replace("SOL-2,Payroll,3P,Contoso\n", "SOL-3,Tax,3P,Contoso\n")
    document = document_of(load(changed, "--json"))
    assert (document["created"], document["changed"], document["deactivated"]) == (["SOL-3"], ["SOL-1"], [])
    assert catalogue(org)["SOL-1"]["Name"] == "Ledger 2"
    assert catalogue(org)["SOL-2"]["Active__c"] is True


def test_solutions_that_the_list_lacks_become_inactive_on_demand(org: SalesforceEmulator) -> None:
    load(LIST)
    document = document_of(load(LIST.replace("SOL-2,Payroll,3P,Contoso\n", ""), "--deactivate-missing", "--json"))
    assert (document["deactivated"], document["unchanged"]) == (["SOL-2"], 1)
    assert catalogue(org)["SOL-2"]["Active__c"] is False


def test_a_dry_run_says_what_would_change_and_changes_nothing(org: SalesforceEmulator) -> None:
    result = load(LIST, "--dry-run")
    assert result.exit_code == 0
    assert "SOL-1 would be created" in result.output
    assert "2 to be created, 0 to be changed" in result.output
    assert catalogue(org) == {}


def test_a_long_list_is_written_two_hundred_in_one_call(org: SalesforceEmulator) -> None:
    lines = "".join(f"SOL-{number},Solution {number},3P,Contoso\n" for number in range(450))
    result = load(LIST.splitlines(keepends=True)[0] + lines)
    assert result.exit_code == 0, result.output
    assert len(catalogue(org)) == 450
    assert sum("collections.upsert" in entry.tags for entry in org.journal) == 3


def test_a_wrong_file_names_each_line_and_writes_nothing(org: SalesforceEmulator) -> None:
    result = load(LIST + "Ledger,No id,3P,Contoso\n,Nothing,3P,Contoso\n", "--json")
    assert result.exit_code == 2
    assert "solutions.csv: line 4: 'Ledger' is no solution id." in document_of(result)["message"]
    assert "solutions.csv: line 5: has no solution id." in document_of(result)["message"]
    assert catalogue(org) == {}


def test_a_file_that_is_not_there_is_named(org: SalesforceEmulator) -> None:
    result = run_cosell("solutions", "missing.csv", "--json")
    assert (result.exit_code, catalogue(org)) == (2, {})
    assert "missing.csv: cannot be read" in document_of(result)["message"]


def test_what_the_org_refuses_is_named_with_its_line_and_the_rest_is_written(org: SalesforceEmulator) -> None:
    load("Solution ID,Name\nSOL-1,Ledger\n")
    refused = str(org.records(CATALOGUE)[0]["Id"])
    org.org.hooks.rules.append(ValidationRule(CATALOGUE, "Name", "Names are fixed.", refused))
    result = load("Solution ID,Name\nSOL-1,Other\nSOL-2,Payroll\n", "--json")
    assert result.exit_code == 3
    [told] = document_of(result)["refused"]
    assert (told["line"], told["id"]) == (2, "SOL-1")
    assert "Names are fixed." in told["reason"]
    assert told["remedy"]
    assert catalogue(org)["SOL-2"]["Name"] == "Payroll"


def test_an_org_without_the_objects_says_how_to_get_them(
    systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sf = put_sf_on_path(tmp_path / "bin", monkeypatch)
    start_bare_org(systems, sf, monkeypatch, tmp_path)
    result = load(LIST, *ADMIN, "--json")
    assert result.exit_code == 3
    assert "Run `cosell salesforce deploy" in document_of(result)["message"]
