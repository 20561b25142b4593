"""`cosell salesforce` from the command line to the emulated org, over TLS and with a real sign-in."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from emulators.base.emulator import Fault, FaultKind
from emulators.salesforce import SalesforceEmulator
from emulators.salesforce.metadata.package import Component
from emulators.salesforce.metadata.xml_schema import read
from local.systems import Systems
from shared.cli.environment import Environment, write_environment
from shared.cli.main import app
from shared.cli.output import Output
from shared.clients.salesforce import metadata_deploy

ADMIN = ("--user", "ada.admin@partner.example")
LAYOUT = "Opportunity-Opportunity Layout"
DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
XMLNS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'


@pytest.fixture
def org(systems: Systems, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SalesforceEmulator:
    """A bare org, and the environment `local` that leads to it."""
    monkeypatch.setattr(metadata_deploy, "PAUSES", (0.0,))
    monkeypatch.chdir(tmp_path)
    write_environment(Environment("local", systems.environ))
    systems.salesforce.bare = True
    systems.reset()
    return systems.salesforce


def cosell(*words: str) -> Result:
    return CliRunner().invoke(app, ["salesforce", words[0], "--env", "local", *words[1:]])


def document(result: Result) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def has(org: SalesforceEmulator, name: str) -> bool:
    return org.org.model.get("Opportunity").find(name) is not None


def layout(org: SalesforceEmulator, name: str = LAYOUT) -> str:
    return org.deployments.documents.kept["Layout", name].decode()


def by_hand(org: SalesforceEmulator, name: str, rest: str) -> None:
    text = f"<CustomField {XMLNS}><fullName>{name}</fullName><label>Old</label>{rest}</CustomField>"
    org.make_field("Opportunity", text)


# --- deploy


def test_everything_is_installed_and_the_next_steps_are_told(org: SalesforceEmulator) -> None:
    result = cosell("deploy", *ADMIN)
    assert result.exit_code == 0, result.output
    assert "Deployed 15 components" in result.output
    assert "assign Cosell_Integration" in result.output
    assert has(org, "Referral_Identifier__c")


def test_a_check_leaves_the_org_alone(org: SalesforceEmulator) -> None:
    result = cosell("deploy", "--check-only", *ADMIN)
    assert result.exit_code == 0
    assert "The org would take 15 components" in result.output
    assert not has(org, "Audit__c")


def test_a_second_run_changes_nothing_and_succeeds(org: SalesforceEmulator) -> None:
    assert cosell("deploy", *ADMIN).exit_code == 0
    result = cosell("deploy", *ADMIN, "--json")
    assert (result.exit_code, document(result)["ok"], document(result)["deployed"]) == (0, True, 15)
    assert has(org, "Audit__c")


def test_the_user_of_the_sync_may_not_deploy_and_hears_who_may(org: SalesforceEmulator) -> None:
    result = cosell("deploy", "--json")
    assert result.exit_code == 3
    assert "--user" in document(result)["remedy"]
    assert "INSUFFICIENT_ACCESS" in document(result)["message"]
    assert not has(org, "Audit__c")
    assert cosell("deploy", *ADMIN).exit_code == 0


def test_an_administrator_whom_the_app_does_not_know_is_told_to_be_approved(org: SalesforceEmulator) -> None:
    result = cosell("deploy", "--user", org.record("User", org.seller)["Username"])
    assert result.exit_code == 4
    assert "Pre-authorise" in result.output


def test_an_older_identifier_with_duplicates_stops_with_the_ids_until_it_is_mended(org: SalesforceEmulator) -> None:
    by_hand(org, "Referral_Identifier__c", "<length>100</length><type>Text</type>")
    first, second = (org.insert("Opportunity", {**DEAL, "Referral_Identifier__c": "R-1"}) for _ in range(2))
    result = cosell("deploy", *ADMIN)
    assert result.exit_code == 3
    assert "1 values stand on several records" in result.output
    assert first in result.output
    assert second in result.output
    assert document(cosell("deploy", *ADMIN, "--make-unique", "--json"))["obstacles"][0]["duplicates"] == {
        "r-1": [first, second]
    }
    assert not has(org, "Audit__c")
    org.edit("Opportunity", second, {"Referral_Identifier__c": None})
    told = cosell("deploy", *ADMIN)
    assert told.exit_code == 3
    assert "--make-unique" in told.output
    assert cosell("deploy", *ADMIN, "--make-unique").exit_code == 0
    field = org.org.model.get("Opportunity").find("Referral_Identifier__c")
    assert field
    assert (field.unique, field.external_id) == (True, True)


def test_a_field_of_another_type_stops_it(org: SalesforceEmulator) -> None:
    by_hand(org, "Products__c", "<length>900</length><type>LongTextArea</type>")
    result = cosell("deploy", *ADMIN)
    assert result.exit_code == 3
    assert "Opportunity.Products__c is there as textarea, not as Text: rename it or delete it" in result.output


def test_a_refusal_names_each_component_and_a_second_run_succeeds_after_mending(org: SalesforceEmulator) -> None:
    result = cosell("deploy", "--translations", *ADMIN)
    assert result.exit_code == 3
    assert result.output.count("Not available for deploy for this organization") == 4
    assert "Switch the Translation Workbench on" in result.output
    assert "Nothing was changed" in result.output
    assert not has(org, "Audit__c")
    org.deployments.languages = frozenset({"de"})
    result = cosell("deploy", "--translations", *ADMIN)
    assert result.exit_code == 3
    assert "name others: --language" in result.output
    assert cosell("deploy", "--language", "de", *ADMIN).exit_code == 0
    assert org.deployments.documents.names("CustomObjectTranslation") == ["Opportunity-de"]
    org.deployments.languages = frozenset({"de", "fr", "ja", "zh_TW"})
    assert cosell("deploy", "--translations", *ADMIN).exit_code == 0


def test_a_language_that_nobody_translated_into_is_a_wrong_option(org: SalesforceEmulator) -> None:
    result = cosell("deploy", "--language", "xx", *ADMIN)
    assert result.exit_code == 2
    assert "no translations into xx" in result.output
    assert org.journal == []


def test_a_lost_reply_is_said_to_be_tried_again(org: SalesforceEmulator) -> None:
    org.faults.append(Fault(FaultKind.DROP_AFTER, path="metadata/deployRequest$"))
    assert cosell("deploy", *ADMIN).exit_code == 5
    assert cosell("deploy", *ADMIN).exit_code == 0


def test_no_secret_is_printed(org: SalesforceEmulator, all_systems: Systems) -> None:
    key = all_systems.vault.shelf.find("salesforce-private-key").latest.value.splitlines()[1]
    assert len(key) == 64
    for result in (cosell("deploy", *ADMIN), cosell("deploy", "--json"), cosell("add-section", "Nope", *ADMIN)):
        assert key not in result.output
        assert not re.search(r"00D\w{12}!", result.output)
    assert org.oauth.sessions


# --- add-section


def test_the_section_is_shown_and_deployed_after_a_yes(org: SalesforceEmulator) -> None:
    cosell("deploy", *ADMIN)
    before = layout(org)
    result = cosell("add-section", "Opportunity Layout", "--yes", *ADMIN)
    assert result.exit_code == 0, result.output
    assert "+        <label>Microsoft co-sell</label>" in result.output
    after = layout(org)
    assert after.count("Microsoft co-sell") == 1
    assert "RelatedHistoryList" in after
    assert before != after
    again = cosell("add-section", "Opportunity Layout", "--yes", *ADMIN, "--json")
    assert (again.exit_code, document(again)) == (
        0,
        {"ok": True, "layout": LAYOUT, "changed": False, "fields": []},
    )
    assert layout(org) == after


def test_without_a_yes_nothing_is_changed(org: SalesforceEmulator) -> None:
    cosell("deploy", *ADMIN)
    before = layout(org)
    result = cosell("add-section", LAYOUT, *ADMIN, "--json")
    assert result.exit_code == 1
    assert "Microsoft co-sell" in document(result)["difference"]
    assert layout(org) == before


@pytest.mark.parametrize("name", ["opportunity (sales) layout", "Opportunity-Opportunity %28Sales%29 Layout"])
def test_a_layout_is_known_by_the_name_people_see(org: SalesforceEmulator, name: str) -> None:
    cosell("deploy", *ADMIN)
    assert cosell("add-section", name, "--yes", *ADMIN).exit_code == 0
    assert "Microsoft co-sell" in layout(org, "Opportunity-Opportunity %28Sales%29 Layout")
    assert "Microsoft co-sell" not in layout(org)


def test_a_layout_that_is_not_there_is_named_with_those_that_are(org: SalesforceEmulator) -> None:
    result = cosell("add-section", "Deal Layout", *ADMIN)
    assert result.exit_code == 2
    assert "no Opportunity layout 'Deal Layout'" in result.output
    assert "Opportunity (Sales) Layout, Opportunity Layout" in result.output
    assert org.deployments.jobs == {}


@pytest.mark.usefixtures("org")
def test_without_the_fields_it_says_what_comes_first() -> None:
    result = cosell("add-section", "Opportunity Layout", "--yes", *ADMIN)
    assert result.exit_code == 3
    assert "Install the fields first: cosell salesforce deploy" in result.output
    assert "Layout Opportunity-Opportunity Layout: In field: field - no CustomField named" in result.output
    cosell("deploy", *ADMIN)
    assert cosell("add-section", "Opportunity Layout", "--yes", *ADMIN).exit_code == 0


def test_a_layout_that_somebody_changes_while_the_question_waits_is_not_overwritten(
    org: SalesforceEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    cosell("deploy", *ADMIN)

    def ask(_: Output, __: str) -> bool:
        changed = layout(org).replace("Description Information", "Story").encode()
        org.deployments.install([Component("Layout", LAYOUT, "", read(changed))])
        return True

    monkeypatch.setattr(Output, "confirm", ask)
    result = cosell("add-section", "Opportunity Layout", *ADMIN)
    assert result.exit_code == 5
    assert "somebody changed the layout" in result.output
    assert "Story" in layout(org)
    monkeypatch.setattr(Output, "confirm", lambda *_: True)
    assert cosell("add-section", "Opportunity Layout", *ADMIN).exit_code == 0
    assert "Story" in layout(org)
