"""`cosell salesforce deploy`, run from the command line against the emulated org, over TLS and with a real sign-in."""

import re
import shutil
from pathlib import Path

import pytest

from emulators.base.faults import Fault, FaultKind
from emulators.salesforce import SalesforceEmulator
from local.systems import Systems
from shared.cli import salesforce
from shared.cli.output import Output
from tests.unit.cli.salesforce_commands import document_of, run_cosell, start_bare_org
from tests.unit.cli.stand_in_az import StandInAz
from tests.unit.cli.stand_in_sf import ADMIN, log_in, put_sf_on_path
from tests.unit.clients.salesforce.emulated_org import product_package
from tests.unit.emulators.salesforce.control_calls import control

pytestmark = pytest.mark.slow

COMPONENTS = product_package().member_count
DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
XMLNS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'


@pytest.fixture
def sf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandInAz:
    return put_sf_on_path(tmp_path / "bin", monkeypatch)


@pytest.fixture
def org(systems: Systems, sf: StandInAz, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SalesforceEmulator:
    """An org without our metadata, in which the administrator is logged in, and the environment `local`."""
    return start_bare_org(systems, sf, monkeypatch, tmp_path)


def has_field(org: SalesforceEmulator, name: str) -> bool:
    return org.org.model.get("Opportunity").find_field(name) is not None


def create_field_by_hand(org: SalesforceEmulator, name: str, rest: str) -> None:
    text = f"<CustomField {XMLNS}><fullName>{name}</fullName><label>Old</label>{rest}</CustomField>"
    org.make_field("Opportunity", text)


# --- deploy


def test_everything_is_installed_and_the_next_steps_are_printed(org: SalesforceEmulator) -> None:
    result = run_cosell("deploy", *ADMIN)
    assert result.exit_code == 0, result.output
    assert f"Deployed {COMPONENTS} components" in result.output
    assert "assign Cosell_Integration to the integration user" in result.output
    assert has_field(org, "Referral_Identifier__c")


@pytest.mark.parametrize(
    ("model", "told"), [("Private", "lets the integration user, now in the group"), ("ReadWrite", "no sharing rule")]
)
def test_the_deals_of_other_owners_are_opened_where_the_org_closes_them(
    org: SalesforceEmulator, model: str, told: str
) -> None:
    control(org, "sharing", sobject="Opportunity", model=model)
    result = run_cosell("deploy", *ADMIN)
    assert result.exit_code == 0, result.output
    assert told in re.sub(r"\s+", " ", result.output)
    assert [len(org.org.sharing.rules), len(org.records("GroupMember"))] == [int(model == "Private")] * 2
    again = run_cosell("deploy", *ADMIN, "--json")
    assert document_of(again)["sharing"]["needed"] is (model == "Private")


def test_a_check_does_not_change_the_org(org: SalesforceEmulator) -> None:
    result = run_cosell("deploy", "--check-only", *ADMIN)
    assert result.exit_code == 0
    assert f"The org would accept {COMPONENTS} components" in result.output
    assert not has_field(org, "Audit__c")


def test_a_second_run_changes_nothing_and_succeeds(org: SalesforceEmulator) -> None:
    assert run_cosell("deploy", *ADMIN).exit_code == 0
    result = run_cosell("deploy", *ADMIN, "--json")
    assert (result.exit_code, document_of(result)["ok"], document_of(result)["deployed"]) == (0, True, COMPONENTS)
    assert has_field(org, "Audit__c")


def test_a_user_without_the_right_may_not_deploy_and_the_remedy_says_who_may(
    org: SalesforceEmulator, sf: StandInAz, systems: Systems
) -> None:
    log_in(sf, "seller", org, systems.salesforce_url, org.seller)
    result = run_cosell("deploy", "--target-org", "seller", "--json")
    assert result.exit_code == 3
    assert "Sign in as a Salesforce administrator" in document_of(result)["remedy"]
    assert "INSUFFICIENT_ACCESS" in document_of(result)["message"]
    assert not has_field(org, "Audit__c")
    assert run_cosell("deploy", *ADMIN).exit_code == 0


def test_production_takes_the_package_and_the_section(org: SalesforceEmulator) -> None:
    control(org, "org_kind", kind="production")
    assert run_cosell("deploy", "--check-only", *ADMIN).exit_code == 0
    deployed = run_cosell("deploy", *ADMIN, "--json")
    assert (deployed.exit_code, document_of(deployed)["inactive"]) == (0, [])
    assert run_cosell("add-section", "Opportunity Layout", "--yes", *ADMIN).exit_code == 0


def test_what_production_leaves_inactive_is_named_with_the_step(
    org: SalesforceEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = f"<Flow {XMLNS}><label>Tell</label><processType>AutoLaunchedFlow</processType><status>Active</status></Flow>"
    shutil.copytree(salesforce.PROJECT, tmp_path / "package")
    path = tmp_path / "package" / "force-app" / "main" / "default" / "flows" / "Tell_Owner.flow-meta.xml"
    path.parent.mkdir()
    path.write_text(flow, encoding="utf-8")
    monkeypatch.setattr(salesforce, "PROJECT", tmp_path / "package")
    assert document_of(run_cosell("deploy", *ADMIN, "--json"))["inactive"] == []
    control(org, "org_kind", kind="production")
    result = run_cosell("deploy", *ADMIN)
    assert result.exit_code == 0
    assert "Inactive Flow Tell_Owner is not active. Setup, Flows, Tell_Owner: open the newest version" in result.output


def test_an_identifier_with_duplicates_stops_the_deployment_until_they_are_corrected(org: SalesforceEmulator) -> None:
    create_field_by_hand(org, "Referral_Identifier__c", "<length>100</length><type>Text</type>")
    first, second = (org.insert("Opportunity", {**DEAL, "Referral_Identifier__c": "R-1"}) for _ in range(2))
    result = run_cosell("deploy", *ADMIN)
    assert result.exit_code == 3
    assert "has duplicate values (1)" in result.output
    assert first in result.output
    assert second in result.output
    assert document_of(run_cosell("deploy", *ADMIN, "--make-unique", "--json"))["obstacles"][0]["duplicates"] == {
        "r-1": [first, second]
    }
    assert not has_field(org, "Audit__c")
    org.edit("Opportunity", second, {"Referral_Identifier__c": None})
    stopped = run_cosell("deploy", *ADMIN)
    assert stopped.exit_code == 3
    assert "--make-unique" in stopped.output
    assert run_cosell("deploy", *ADMIN, "--make-unique", "--yes").exit_code == 0
    field = org.org.model.get("Opportunity").find_field("Referral_Identifier__c")
    assert field
    assert (field.unique, field.external_id) == (True, True)


def rename_a_field(org: SalesforceEmulator) -> None:
    """The administrator renames a field and gives a picklist a value of their own."""
    help_text = "<inlineHelpText>Ours</inlineHelpText>"
    create_field_by_hand(org, "Products__c", f"<length>255</length>{help_text}<type>Text</type>")
    values = "".join(
        f"<value><fullName>{value}</fullName><default>false</default><label>{label}</label></value>"
        for value, label in {"Synced": "Done", "On review": "On review"}.items()
    )
    value_set = f"<valueSet><valueSetDefinition><sorted>false</sorted>{values}</valueSetDefinition></valueSet>"
    create_field_by_hand(org, "Sync_Status__c", f"<type>Picklist</type>{value_set}")


CHANGES = [
    ("Opportunity.Products__c", "label", "Old", "Products"),
    ("Opportunity.Products__c", "help text", "Ours", "Solution ids, separated by"),
    ("Opportunity.Sync_Status__c", "label", "Old", "Sync Status"),
    ("Opportunity.Sync_Status__c", "help text", "", "Synced: both sides agree."),
    ("Opportunity.Sync_Status__c", "label of the value 'Synced'", "Done", "Synced"),
    ("Opportunity.Sync_Status__c", "value", "On review", ""),
]


def test_texts_of_the_org_are_shown_and_stay_without_a_yes(org: SalesforceEmulator) -> None:
    rename_a_field(org)
    result = run_cosell("deploy", *ADMIN)
    assert result.exit_code == 1
    assert "Opportunity.Products__c: label 'Old' would become 'Products'" in result.output
    assert "Opportunity.Sync_Status__c: the value 'On review' would be deactivated" in result.output
    assert "cosell salesforce deploy --env local" in result.output
    assert "--yes" in result.output
    assert not has_field(org, "Audit__c")
    document = document_of(run_cosell("deploy", *ADMIN, "--json"))
    shown = [(one["component"], one["part"], one["found"], one["packaged"]) for one in document["changes"]]
    assert [(*one[:3], one[3][: len(expected[3])]) for one, expected in zip(shown, CHANGES, strict=True)] == CHANGES


def test_a_yes_replaces_the_texts_of_the_org_and_a_check_only_shows_them(
    org: SalesforceEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename_a_field(org)
    checked = run_cosell("deploy", "--check-only", *ADMIN, "--json")
    assert (checked.exit_code, len(document_of(checked)["changes"])) == (0, len(CHANGES))
    monkeypatch.setattr(Output, "confirm", lambda _, question: question == f"Replace {len(CHANGES)} texts?")
    assert run_cosell("deploy", *ADMIN).exit_code == 0
    assert document_of(run_cosell("deploy", *ADMIN, "--json"))["changes"] == []
    rename_a_field(org)
    assert run_cosell("deploy", "--yes", *ADMIN).exit_code == 0


def test_a_rule_that_the_org_switched_off_is_shown(org: SalesforceEmulator) -> None:
    assert run_cosell("deploy", *ADMIN).exit_code == 0
    documents, key = org.deployments.documents.kept, ("ValidationRule", "Opportunity.Cosell_Clone")
    documents[key] = documents[key].replace(b"<active>true<", b"<active>false<")
    result = run_cosell("deploy", *ADMIN)
    assert result.exit_code == 1
    assert "Opportunity.Cosell_Clone: active 'false' would become 'true'" in result.output


def test_a_field_of_another_type_stops_the_deployment(org: SalesforceEmulator) -> None:
    create_field_by_hand(org, "Products__c", "<length>900</length><type>LongTextArea</type>")
    result = run_cosell("deploy", *ADMIN)
    assert result.exit_code == 3
    assert "Opportunity.Products__c exists as textarea, not as Text: rename it or delete it" in result.output


def test_a_refusal_names_each_component_and_a_corrected_run_succeeds(org: SalesforceEmulator) -> None:
    result = run_cosell("deploy", "--translations", *ADMIN)
    assert result.exit_code == 3
    assert result.output.count("Not available for deploy for this organization") == 20
    assert "Switch the Translation Workbench on" in result.output
    assert "Nothing was changed" in result.output
    assert not has_field(org, "Audit__c")
    org.deployments.languages = frozenset({"de"})
    result = run_cosell("deploy", "--translations", *ADMIN)
    assert result.exit_code == 3
    assert "name other languages: --language" in result.output
    assert run_cosell("deploy", "--language", "de", *ADMIN).exit_code == 0
    names = ("Cosell_Deal_Solution__c", "Cosell_Inbox__c", "Cosell_Solution__c", "Lead", "Opportunity")
    assert org.deployments.documents.names("CustomObjectTranslation") == [f"{name}-de" for name in names]
    org.deployments.languages = frozenset({"de", "fr", "ja", "zh_TW"})
    assert run_cosell("deploy", "--translations", *ADMIN).exit_code == 0


def test_a_language_without_translation_is_a_wrong_option(org: SalesforceEmulator) -> None:
    result = run_cosell("deploy", "--language", "xx", *ADMIN)
    assert result.exit_code == 2
    assert "no translations into xx" in result.output
    assert org.journal == []


def test_a_lost_reply_exits_with_the_code_for_try_again(org: SalesforceEmulator) -> None:
    org.faults.append(Fault(FaultKind.DROP_AFTER, path="metadata/deployRequest$"))
    assert run_cosell("deploy", *ADMIN).exit_code == 5
    assert run_cosell("deploy", *ADMIN).exit_code == 0


def test_no_secret_is_printed(org: SalesforceEmulator, all_systems: Systems) -> None:
    key = all_systems.vault.secret_store.find("salesforce-private-key").latest.value.splitlines()[1]
    assert len(key) == 64
    for result in (
        run_cosell("deploy", *ADMIN),
        run_cosell("deploy", *ADMIN, "--json"),
        run_cosell("add-section", "Nope", *ADMIN),
    ):
        assert key not in result.output
        assert not re.search(r"00D\w{12}!", result.output)
    assert org.oauth.sessions
