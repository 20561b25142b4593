"""A store belongs to one Salesforce organisation, and an environment changes only its own deals.

Source: docs/protocol.md#an-environment-touches-only-its-own.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from shared.app import App
from shared.clients.salesforce.records import Answer, Json, Page
from shared.domain.cause import Cause
from shared.domain.deal import Side
from shared.foundation.errors import ConfigurationError, Rejected, SignInFailed
from shared.operations.health import health_report
from shared.settings.variables import Settings
from shared.sync.ports import Context, SideState
from shared.sync.runs import run_push
from tests.unit.sync.harness import Harness

OUR_ORGANIZATION, OTHER_ORGANIZATION = "00D000000000001EAA", "00D000000000002EAA"
GUID = "11111111-2222-4333-8444-555555555555"
ENVIRONMENT = {
    "ENVIRONMENT": "staging",
    "SYNC": "on",
    "PARTNER_CENTER_TENANT_ID": GUID,
    "PARTNER_CENTER_CLIENT_ID": GUID,
    "PARTNER_CENTER_ORGANIZATION_ID": GUID,
    "PARTNER_CENTER_LOCATION": "1234567",
    "SALESFORCE_URL": "https://acme.my.salesforce.com",
    "SALESFORCE_CLIENT_ID": "3MVG9",
    "SALESFORCE_USERNAME": "integration@acme.example",
    "KEY_VAULT_URL": "https://kv-cosell.vault.azure.net",
    "AZURE_CLIENT_ID": GUID,
    "PUSH_SCHEDULE": "0 * * * * *",
    "SWEEP_SCHEDULE": "0 */15 * * * *",
    "CREDENTIALS_SCHEDULE": "0 17 3 * * *",
    "COMPARE_SCHEDULE": "0 23,53 2-5 * * *",
    "BACKUP_SCHEDULE": "0 47 6 * * *",
    "EVENTS_QUEUE": "referral-events",
}


class SalesforceStub:
    """A Salesforce that only answers its organisation's id, its kind, and an empty description.

    Any other call fails the test. `kind` is the record of the organisation; None if the user may not see it.
    """

    def __init__(self, organization: str | Exception, kind: Json | None) -> None:
        self._organization, self._kind = organization, kind
        self.asked = 0

    def organization_id(self) -> str:
        if isinstance(self._organization, Exception):
            raise self._organization
        return self._organization

    met_unknown_column = False

    def forget_unknown_column(self) -> None:
        pass

    def describe_together(self, *sobjects: str) -> Mapping[str, Mapping[str, object]]:
        """The description of an org that the user sees no other field of: it has several currencies."""
        assert "Opportunity" in sobjects
        euro = {"value": "EUR", "active": True}
        return {"Opportunity": {"fields": [{"name": "CurrencyIsoCode", "picklistValues": [euro]}]}}

    def query(self, *soql: str, deleted: bool = False) -> Answer:
        """Nothing else is asked: the user sees no account."""
        assert (len(soql), soql[0].rpartition(" ")[2], deleted) == (1, "Organization", False)
        self.asked += 1
        if self._kind is None:
            raise Rejected(Cause("INVALID_FIELD", None, "No such column.", ""))
        return Answer((Page((self._kind,), None),), datetime.now(UTC))

    def user_id(self) -> str:
        """The id of the user who is signed in."""
        return "005AA0000010001AAA"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    for name, value in {**ENVIRONMENT, "STORE_FILE": str(tmp_path / "store.sqlite")}.items():
        monkeypatch.setenv(name, value)
    return Settings.load()


def first_context(app: App) -> Context:
    """The context that the first run of a trigger asks for, which checks the owner of the store."""
    return app.context


SANDBOX: Json = {"IsSandbox": True, "OrganizationType": "Enterprise Edition", "TrialExpirationDate": None}
PRODUCTION: Json = {**SANDBOX, "IsSandbox": False}


@contextmanager
def app_with_organization(
    settings: Settings, organization: str | Exception, kind: Json | None = SANDBOX
) -> Iterator[App]:
    """An app that is connected to this Salesforce organisation, or whose sign-in raises this error."""
    with closing(App(settings)) as app:
        vars(app)["salesforce"] = SalesforceStub(organization, kind)
        yield app


def test_a_store_belongs_to_the_first_organisation_it_is_used_with(settings: Settings) -> None:
    for _ in range(2):
        with app_with_organization(settings, OUR_ORGANIZATION) as app:
            assert app.store.owner(OUR_ORGANIZATION) == OUR_ORGANIZATION


def test_a_store_refuses_another_organisation_and_names_both(settings: Settings) -> None:
    with app_with_organization(settings, OUR_ORGANIZATION) as app:
        first_context(app)
    with app_with_organization(settings, OTHER_ORGANIZATION) as app, pytest.raises(ConfigurationError) as error:
        first_context(app)
    assert OUR_ORGANIZATION in str(error.value)
    assert OTHER_ORGANIZATION in str(error.value)
    assert "store of its own" in str(error.value)


def test_the_store_still_works_with_its_own_organisation_after_a_refusal(settings: Settings) -> None:
    with app_with_organization(settings, OUR_ORGANIZATION) as app:
        first_context(app)
    with app_with_organization(settings, OTHER_ORGANIZATION) as app:
        for _ in range(2):
            with pytest.raises(ConfigurationError):
                first_context(app)
    with app_with_organization(settings, OUR_ORGANIZATION) as app:
        first_context(app)


def test_an_organisation_is_asked_for_its_kind_once_whatever_process_asks(settings: Settings) -> None:
    asked = []
    for _ in range(2):
        with app_with_organization(settings, OUR_ORGANIZATION) as app:
            first_context(app)
            asked.append(cast("SalesforceStub", app.salesforce).asked)
    assert asked == [1, 0]


def test_a_wrong_organisation_is_logged_and_shown_by_health_and_an_empty_store_stays_free(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("ERROR", "cosell")
    with app_with_organization(settings, OTHER_ORGANIZATION, PRODUCTION) as app:
        for _ in range(2):
            with pytest.raises(ConfigurationError, match="is a production org"):
                first_context(app)
        assert health_report(app)["wrong_organization"] == "production_org"
    events = [json.loads(record.message) for record in caplog.records]
    assert [(one["event"], one["reason"]) for one in events] == [("wrong_organization", "production_org")] * 2
    with app_with_organization(settings, OUR_ORGANIZATION) as app:
        first_context(app)
        assert health_report(app)["wrong_organization"] is None


def test_an_organisation_that_hides_its_kind_is_judged_by_its_address(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app_with_organization(settings, OUR_ORGANIZATION, None) as app, pytest.raises(ConfigurationError):
        first_context(app)
    monkeypatch.setenv("SALESFORCE_URL", "https://acme--uat.sandbox.my.salesforce.com")
    with app_with_organization(Settings.load(), OUR_ORGANIZATION, None) as app:
        first_context(app)


def test_a_run_that_begins_while_salesforce_is_paused_knows_the_orgs_former_answer(settings: Settings) -> None:
    with app_with_organization(settings, OUR_ORGANIZATION) as app:
        asked = first_context(app).translation.org
        until = first_context(app).clock.now() + timedelta(minutes=5)
        app.store.write_side_state(Side.SALESFORCE, SideState(until, "throttled"))
    with app_with_organization(settings, SignInFailed("refused", code="x", remedy="y")) as app:
        assert first_context(app).translation.org == asked
    assert asked is not None
    assert asked.currencies.codes == {"EUR"}


def test_a_failed_first_sign_in_pauses_the_side_and_sets_no_owner(settings: Settings) -> None:
    failed = SignInFailed("refused", code="invalid_grant", remedy="Check the key.")
    with app_with_organization(settings, failed) as app:
        with pytest.raises(SignInFailed):
            first_context(app)
        run_push(first_context(app))  # the side is paused, so the run does not sign in
    with app_with_organization(settings, OTHER_ORGANIZATION) as app:
        assert app.store.owner(OTHER_ORGANIZATION) == OTHER_ORGANIZATION


def test_production_does_not_change_the_deals_of_other_environments(harness: Harness) -> None:
    harness.partner_center.portal_creates({"externalReferenceId": "STAGING:006000000000001AAA"})
    before = harness.all_versions()
    harness.run_rounds()
    assert harness.all_versions() == before
    assert harness.salesforce.records("Opportunity") == []


def test_a_refreshed_sandbox_does_not_change_productions_referrals() -> None:
    with Harness() as production:
        deal = production.shared_deal()
        referral = production.referral_of(deal)
    with Harness(tag="SANDBOX") as sandbox:
        # The sandbox has a copy of production's opportunity: ticked, with production's referral id, edited by a tester.
        production_referral = sandbox.partner_center.portal_creates(
            {"externalReferenceId": referral["externalReferenceId"]}
        )
        before = sandbox.partner_center.referral(production_referral)["eTag"]
        copied = sandbox.seller_creates(Referral_Identifier__c=production_referral, Amount=1)
        sandbox.run_rounds()
        sandbox.seller_edits(copied, Amount=2)
        sandbox.run_rounds()
        assert sandbox.partner_center.referral(production_referral)["eTag"] == before
        assert len(sandbox.our_referrals()) == 1
