"""The settings give the constant values of new referrals (docs/reference/partner-center.md#creating-a-referral)."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shared.app import App
from shared.clients.partner_center.referrals import PrivateReferrals
from shared.domain.deal import Deal
from tests.unit.settings.test_settings import COMPLETE

CONTACT, SHARE = "PARTNER_CENTER_CONSENT_TO_CONTACT", "PARTNER_CENTER_CONSENT_TO_SHARE_WITH_OTHERS"
PARTNERS = "PARTNER_CENTER_CONSENT_TO_CONTACT_SPECIFIC_PARTNERS"


@pytest.fixture(autouse=True)
def complete_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (
        CONTACT,
        SHARE,
        PARTNERS,
        "PARTNER_CENTER_QUALIFICATION",
        "PARTNER_CENTER_MARKETPLACE_INTENT",
        "MAPPING",
    ):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in COMPLETE.items():
        monkeypatch.setenv(variable, value)


def new_referral_body() -> dict[str, Any]:
    """Return the body of a new referral without a deal."""
    with closing(App()) as app:
        return app.translation.new_referral(Deal({}), "006")


@pytest.mark.parametrize(
    ("refused", "contact", "share", "partners"),
    [(None, True, True, True), (CONTACT, False, True, True), (SHARE, True, False, True), (PARTNERS, True, True, False)],
)
def test_the_settings_decide_about_the_consents(
    monkeypatch: pytest.MonkeyPatch, refused: str | None, *, contact: bool, share: bool, partners: bool
) -> None:
    if refused:
        monkeypatch.setenv(refused, "false")
    assert new_referral_body()["consent"] == {
        "consentToToShareInfoWithOthers": share,
        "consentToContact": contact,
        "consentToMicrosoftToContactSpecificPartners": partners,
        "consentToShareReferralWithMicrosoftSellers": False,
    }


def test_the_settings_decide_about_location_qualification_and_intent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARTNER_CENTER_LOCATION", "7654321")
    monkeypatch.setenv("PARTNER_CENTER_QUALIFICATION", "MarketingQualified")
    monkeypatch.setenv("PARTNER_CENTER_MARKETPLACE_INTENT", "Yes")
    body = new_referral_body()
    assert (body["mpnId"], body["qualification"]) == ("7654321", "MarketingQualified")
    requirements = body["details"]["requirements"]["additionalRequirements"]
    assert requirements["attributes"] == [{"id": "Yes", "type": "CustomerMarketplaceIntent"}]


@pytest.mark.parametrize(
    ("environment", "test_tenant", "may_share"),
    [
        ("production", "false", True),
        ("staging", "false", False),
        ("staging", "true", True),
        ("production", "true", True),
    ],
)
def test_only_production_and_a_test_tenant_share_deals_with_microsoft(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment: str, test_tenant: str, *, may_share: bool
) -> None:
    monkeypatch.setenv("STORE_FILE", str(tmp_path / "store.sqlite"))
    monkeypatch.setenv("ENVIRONMENT", environment)
    monkeypatch.setenv("PARTNER_CENTER_TEST_TENANT", test_tenant)
    with closing(App()) as app:
        assert app.settings.may_share is may_share
        assert app.local.policy.may_share is may_share
        assert isinstance(app.partner_center, PrivateReferrals) is not may_share


@pytest.mark.parametrize(("setting", "needs"), [("settings", False), ("checkbox", True)])
def test_a_setting_says_whether_a_checkbox_decides_about_the_consent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str, *, needs: bool
) -> None:
    monkeypatch.setenv("STORE_FILE", str(tmp_path / "store.sqlite"))
    monkeypatch.setenv("CUSTOMER_CONSENT", setting)
    with closing(App()) as app:
        assert app.local.policy.needs_consent is needs
