"""`cosell salesforce add-section`, run from the command line against the emulated org."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from emulators.salesforce import SalesforceEmulator
from emulators.salesforce.metadata.package import Component
from emulators.salesforce.metadata.xml_schema import parse_xml
from local.systems import Systems
from shared.cli.main import app
from shared.cli.output import Output
from tests.unit.cli.printed_commands import printed_commands
from tests.unit.cli.salesforce_commands import LAYOUT, document_of, layout_xml, run_cosell, start_bare_org
from tests.unit.cli.stand_in_sf import ADMIN, put_sf_on_path

pytestmark = pytest.mark.slow


@pytest.fixture
def org(systems: Systems, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SalesforceEmulator:
    """An org without our metadata, in which the administrator is logged in."""
    return start_bare_org(systems, put_sf_on_path(tmp_path / "bin", monkeypatch), monkeypatch, tmp_path)


def test_the_section_is_shown_and_deployed_after_the_answer_yes(org: SalesforceEmulator) -> None:
    run_cosell("deploy", *ADMIN)
    original = layout_xml(org)
    result = run_cosell("add-section", "Opportunity Layout", "--yes", *ADMIN)
    assert result.exit_code == 0, result.output
    assert "+        <label>Microsoft co-sell</label>" in result.output
    changed = layout_xml(org)
    assert changed.count("Microsoft co-sell") == 1
    assert "RelatedHistoryList" in changed
    assert original != changed
    again = run_cosell("add-section", "Opportunity Layout", "--yes", *ADMIN, "--json")
    assert (again.exit_code, document_of(again)) == (
        0,
        {"ok": True, "layout": LAYOUT, "changed": False, "fields": []},
    )
    assert layout_xml(org) == changed


def test_without_the_answer_yes_nothing_is_changed(org: SalesforceEmulator) -> None:
    run_cosell("deploy", *ADMIN)
    original = layout_xml(org)
    result = run_cosell("add-section", LAYOUT, *ADMIN, "--json")
    assert result.exit_code == 1
    assert "Microsoft co-sell" in document_of(result)["difference"]
    assert layout_xml(org) == original


@pytest.mark.parametrize("name", ["opportunity (sales) layout", "Opportunity-Opportunity %28Sales%29 Layout"])
def test_a_layout_is_found_by_the_name_that_people_see(org: SalesforceEmulator, name: str) -> None:
    run_cosell("deploy", *ADMIN)
    assert run_cosell("add-section", name, "--yes", *ADMIN).exit_code == 0
    assert "Microsoft co-sell" in layout_xml(org, "Opportunity-Opportunity %28Sales%29 Layout")
    assert "Microsoft co-sell" not in layout_xml(org)


def test_a_missing_layout_is_reported_with_the_existing_ones(org: SalesforceEmulator) -> None:
    result = run_cosell("add-section", "Deal Layout", *ADMIN)
    assert result.exit_code == 2
    assert "no Opportunity layout 'Deal Layout'" in result.output
    assert "Opportunity (Sales) Layout, Opportunity Layout" in result.output
    assert org.deployments.jobs == {}


@pytest.mark.usefixtures("org")
def test_without_the_fields_it_says_what_to_install_first() -> None:
    result = run_cosell("add-section", "Opportunity Layout", "--yes", *ADMIN)
    assert result.exit_code == 3
    assert f"Install the fields first: run `cosell salesforce deploy --env local {' '.join(ADMIN)}`." in result.output
    assert "Layout Opportunity-Opportunity Layout: In field: field - no CustomField named" in result.output
    run_cosell("deploy", *ADMIN)
    assert run_cosell("add-section", "Opportunity Layout", "--yes", *ADMIN).exit_code == 0


@pytest.mark.usefixtures("org")
def test_the_commands_that_are_printed_run_as_they_stand() -> None:
    deployed = run_cosell("deploy", *ADMIN)
    [add_section] = printed_commands(deployed.output)
    assert add_section == ["salesforce", "add-section", "--env", "local", *ADMIN, "Opportunity Layout"]
    asked = CliRunner().invoke(app, add_section)
    assert asked.exit_code == 1  # nobody answers the question
    [add_section_without_question] = printed_commands(asked.output)
    assert "--yes" in add_section_without_question
    assert CliRunner().invoke(app, add_section_without_question).exit_code == 0


def test_a_layout_that_changes_before_the_answer_is_not_overwritten(
    org: SalesforceEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_cosell("deploy", *ADMIN)

    def change_layout_and_confirm(_: Output, __: str) -> bool:
        new_layout = layout_xml(org).replace("Description Information", "Story").encode()
        org.deployments.install([Component("Layout", LAYOUT, "", parse_xml(new_layout))])
        return True

    monkeypatch.setattr(Output, "confirm", change_layout_and_confirm)
    result = run_cosell("add-section", "Opportunity Layout", *ADMIN)
    assert result.exit_code == 5
    assert "somebody changed the layout" in result.output
    assert "Story" in layout_xml(org)
    monkeypatch.setattr(Output, "confirm", lambda *_: True)
    assert run_cosell("add-section", "Opportunity Layout", *ADMIN).exit_code == 0
    assert "Story" in layout_xml(org)
