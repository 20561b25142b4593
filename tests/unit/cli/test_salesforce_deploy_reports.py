"""What `cosell salesforce deploy` says about the org: whom the app admits, and the languages of the labels."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulators.salesforce import SalesforceEmulator
from local.systems import CONSUMER_KEY, USERNAME, Systems
from tests.unit.cli.salesforce_commands import document_of, run_cosell, start_bare_org
from tests.unit.cli.stand_in_sf import ADMIN, put_sf_on_path
from tests.unit.emulators.salesforce.control_calls import control

pytestmark = pytest.mark.slow

ADMINISTRATOR, SELLER = "ada.admin@partner.example", "sam.seller@partner.example"
XMLNS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
LANGUAGES = ["de", "fr", "ja", "zh_TW"]


@pytest.fixture
def org(systems: Systems, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SalesforceEmulator]:
    """An org without our metadata, in which the administrator is logged in, and the environment `local`."""
    org = start_bare_org(systems, put_sf_on_path(tmp_path / "bin", monkeypatch), monkeypatch, tmp_path)
    yield org
    org.oauth.apps[CONSUMER_KEY].usernames[:] = [USERNAME]


def deployed_languages(org: SalesforceEmulator) -> set[str]:
    return {name.rpartition("-")[2] for name in org.deployments.documents.names("CustomObjectTranslation")}


# --- whom the app admits


@pytest.mark.usefixtures("org")
def test_an_app_that_admits_the_integration_user_alone_is_not_mentioned() -> None:
    assert "admits" not in run_cosell("deploy", *ADMIN).output
    admissions = document_of(run_cosell("deploy", *ADMIN, "--json"))["admissions"]
    assert admissions == [{"app": "cosell", "others": [], "everybody": False}]


@pytest.mark.parametrize("option", [(), ("--check-only",)])
def test_everybody_else_whom_the_app_admits_is_named(org: SalesforceEmulator, option: tuple[str, ...]) -> None:
    for username in (SELLER, ADMINISTRATOR):
        control(org, "admit", consumer_key=CONSUMER_KEY, username=username)
    result = run_cosell("deploy", *option, *ADMIN)
    assert result.exit_code == 0
    assert f"The app cosell admits not only {USERNAME}, but also {ADMINISTRATOR}, {SELLER}." in result.output
    assert "Whoever reads the app's key in Key Vault can sign in as each of them." in result.output
    admissions = document_of(run_cosell("deploy", *option, *ADMIN, "--json"))["admissions"]
    assert admissions == [{"app": "cosell", "others": [ADMINISTRATOR, SELLER], "everybody": False}]


def test_an_app_in_which_everybody_may_approve_themselves_is_named(org: SalesforceEmulator) -> None:
    [policy] = [r for r in org.records("ExtlClntAppOauthPlcyCnfg") if r["ExternalClientApplicationId"] == app_id(org)]
    org.org.put("ExtlClntAppOauthPlcyCnfg", policy["Id"], policy | {"PermittedUsersPolicyType": "AllSelfAuthorized"})
    assert f"admits not only {USERNAME}, but also every user of the org." in run_cosell("deploy", *ADMIN).output


def app_id(org: SalesforceEmulator) -> str:
    return next(str(r["Id"]) for r in org.records("ExternalClientApplication") if r["MasterLabel"] == "cosell")


def test_an_inactive_user_does_not_count(org: SalesforceEmulator) -> None:
    control(org, "admit", consumer_key=CONSUMER_KEY, username=SELLER)
    org.edit("User", org.seller, {"IsActive": False}, user=org.founding.administrator)
    assert "admits" not in run_cosell("deploy", *ADMIN).output


def test_before_an_app_admits_the_integration_user_nothing_is_said(org: SalesforceEmulator) -> None:
    for each in list(org.org.stored_records("PermissionSetAssignment")):
        org.org.put("PermissionSetAssignment", each["Id"], each | {"IsDeleted": True})
    result = run_cosell("deploy", *ADMIN, "--json")
    assert (result.exit_code, document_of(result)["admissions"]) == (0, [])


def test_an_administrator_who_may_not_read_it_is_told_where_to_look(org: SalesforceEmulator) -> None:
    control(org, "view_setup", username=ADMINISTRATOR, has=False)
    result = run_cosell("deploy", *ADMIN)
    assert result.exit_code == 0
    assert "Whom the app admits may not be read (INVALID_TYPE): look at its policies in Setup." in result.output
    assert "may not be read, so labels stay in English" in result.output
    assert document_of(run_cosell("deploy", *ADMIN, "--json"))["admissions"] is None


# --- languages


def test_labels_come_in_the_languages_that_the_org_has_on(org: SalesforceEmulator) -> None:
    control(org, "translations", languages=["zh_TW", "it"])
    result = run_cosell("deploy", *ADMIN)
    assert result.exit_code == 0, result.output
    assert "Labels come in English, zh_TW. The org does not have these languages on: de, fr, ja." in result.output
    assert deployed_languages(org) == {"zh_TW"}
    control(org, "translations", languages=LANGUAGES)
    document = document_of(run_cosell("deploy", *ADMIN, "--json"))
    assert (document["languages"], document["languages_left_out"]) == (LANGUAGES, [])
    assert deployed_languages(org) == set(LANGUAGES)


def test_an_org_without_other_languages_gets_english_labels_and_says_so(org: SalesforceEmulator) -> None:
    result = run_cosell("deploy", *ADMIN)
    assert result.exit_code == 0
    assert "Labels come in English. The org does not have these languages on: de, fr, ja, zh_TW." in result.output
    assert "activate them in Setup (Translation Language Settings), and deploy again." in result.output
    assert deployed_languages(org) == set()


def test_a_language_that_is_switched_off_again_is_left_out(org: SalesforceEmulator) -> None:
    control(org, "translations", languages=LANGUAGES)
    control(org, "translations", languages=["ja"])
    assert document_of(run_cosell("deploy", *ADMIN, "--json"))["languages"] == ["ja"]


def test_the_options_win_over_what_the_org_has_on(org: SalesforceEmulator) -> None:
    control(org, "translations", languages=LANGUAGES)
    assert document_of(run_cosell("deploy", "--no-translations", *ADMIN, "--json"))["languages"] == []
    assert document_of(run_cosell("deploy", "--language", "fr", *ADMIN, "--json"))["languages"] == ["fr"]
    assert document_of(run_cosell("deploy", "--translations", *ADMIN, "--json"))["languages"] == LANGUAGES


# --- the layout


def test_our_layout_gets_the_fields_that_the_org_requires(org: SalesforceEmulator) -> None:
    for name, required in (("Region__c", "true"), ("Partner__c", "false")):
        rest = f"<label>R</label><length>9</length><required>{required}</required><type>Text</type>"
        control(
            org,
            "field",
            sobject="Opportunity",
            xml=f"<CustomField {XMLNS}><fullName>{name}</fullName>{rest}</CustomField>",
        )
    assert run_cosell("deploy", "--check-only", *ADMIN).exit_code == 0
    for _ in range(2):
        result = run_cosell("deploy", *ADMIN)
        assert result.exit_code == 0, result.output
    layout = org.deployments.documents.kept["Layout", "Opportunity-Co-sell Layout"].decode()
    item = "<behavior>Required</behavior>\n                <field>Region__c</field>"
    assert (layout.count("Region__c"), item in layout, "Partner__c" in layout) == (1, True, False)
    result = run_cosell("add-section", "Opportunity Layout", "--yes", *ADMIN)
    assert result.exit_code == 0, result.output
