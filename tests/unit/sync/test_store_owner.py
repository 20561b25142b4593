"""Whose store this is: another Salesforce organisation's records are never touched (protocol.md section 1)."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from shared.app import App
from shared.foundation.errors import ConfigurationError, SignInFailed
from shared.settings.variables import Settings
from shared.sync.context import Context
from shared.sync.timers import run_push
from tests.unit.sync.harness import Harness

OURS, THEIRS = "00D000000000001EAA", "00D000000000002EAA"
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
    "EVENTS_QUEUE": "referral-events",
}


class Org:
    """A Salesforce of which one knows the id alone: any other call would fail the test."""

    def __init__(self, organization: str | Exception) -> None:
        self._organization = organization

    def organization_id(self) -> str:
        if isinstance(self._organization, Exception):
            raise self._organization
        return self._organization


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    for name, value in {**ENVIRONMENT, "STORE_FILE": str(tmp_path / "store.sqlite")}.items():
        monkeypatch.setenv(name, value)
    return Settings.load()


def start(app: App) -> Context:
    """What the first run of a trigger does."""
    return app.context


@contextmanager
def started(settings: Settings, organization: str | Exception) -> Iterator[App]:
    """An app whose Salesforce is the given organisation."""
    with closing(App(settings)) as app:
        vars(app)["salesforce"] = Org(organization)
        yield app


def test_the_first_organisation_that_a_store_meets_is_its_own(settings: Settings) -> None:
    for _ in range(2):
        with started(settings, OURS) as app:
            assert app.context.store.owner(OURS) == OURS


def test_a_store_refuses_another_organisation_and_says_why(settings: Settings) -> None:
    with started(settings, OURS) as app:
        start(app)
    with started(settings, THEIRS) as app, pytest.raises(ConfigurationError) as caught:
        start(app)
    assert OURS in str(caught.value)
    assert THEIRS in str(caught.value)
    assert "store of its own" in str(caught.value)


def test_a_refusal_is_no_lasting_harm(settings: Settings) -> None:
    with started(settings, OURS) as app:
        start(app)
    with started(settings, THEIRS) as app:
        for _ in range(2):
            with pytest.raises(ConfigurationError):
                start(app)
    with started(settings, OURS) as app:
        start(app)


def test_a_failed_sign_in_at_the_start_pauses_the_side_and_is_no_owner(settings: Settings) -> None:
    failed = SignInFailed("refused", code="invalid_grant", remedy="Check the key.")
    with started(settings, failed) as app:
        with pytest.raises(SignInFailed):
            start(app)
        run_push(start(app))  # the side is paused: nobody tries
    with started(settings, THEIRS) as app:
        assert app.local.store.owner(THEIRS) == THEIRS


def test_production_leaves_the_deals_of_other_environments_alone(harness: Harness) -> None:
    harness.partner_center.portal_creates({"externalReferenceId": "STAGING:006000000000001AAA"})
    before = harness.all_versions()
    harness.run_rounds()
    assert harness.all_versions() == before
    assert harness.salesforce.records("Opportunity") == []


def test_a_refreshed_sandboxs_copies_of_production_ids_are_held_and_production_is_untouched() -> None:
    with Harness() as production:
        deal = production.shared()
        referral = production.referral_of(deal)
    with Harness(tag="SANDBOX") as sandbox:
        # The copy has production's record: ticked, with production's referral id, and an edit of a tester.
        theirs = sandbox.partner_center.portal_creates({"externalReferenceId": referral["externalReferenceId"]})
        before = sandbox.partner_center.referral(theirs)["eTag"]
        copy = sandbox.seller_creates(Referral_Identifier__c=theirs, Amount=1)
        sandbox.run_rounds()
        sandbox.seller_edits(copy, Amount=2)
        sandbox.run_rounds()
        assert sandbox.partner_center.referral(theirs)["eTag"] == before
        assert len(sandbox.referrals()) == 1
