"""What every new referral carries comes from the settings (reference/partner-center.md 5.1)."""

from contextlib import closing
from typing import Any

import pytest

from shared.app import App
from shared.domain.deal import Deal
from tests.unit.settings.test_settings import COMPLETE

CONTACT, SHARE = "PARTNER_CENTER_CONSENT_TO_CONTACT", "PARTNER_CENTER_CONSENT_TO_SHARE_WITH_OTHERS"


@pytest.fixture(autouse=True)
def complete(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (CONTACT, SHARE, "PARTNER_CENTER_QUALIFICATION", "PARTNER_CENTER_MARKETPLACE_INTENT", "MAPPING"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in COMPLETE.items():
        monkeypatch.setenv(variable, value)


def body() -> dict[str, Any]:
    """What a new referral carries beside its deal."""
    with closing(App()) as app:
        return app.translation.new_referral(Deal({}), "006")


@pytest.mark.parametrize(
    ("said", "contact", "share"),
    [({}, True, True), ({CONTACT: "false"}, False, True), ({SHARE: "false"}, True, False)],
)
def test_the_consents_are_what_the_settings_say(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, str], *, contact: bool, share: bool
) -> None:
    for variable, value in said.items():
        monkeypatch.setenv(variable, value)
    assert body()["consent"] == {
        "consentToToShareInfoWithOthers": share,
        "consentToContact": contact,
        "consentToShareReferralWithMicrosoftSellers": False,
    }


def test_so_are_location_qualification_and_intent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARTNER_CENTER_LOCATION", "7654321")
    monkeypatch.setenv("PARTNER_CENTER_QUALIFICATION", "MarketingQualified")
    monkeypatch.setenv("PARTNER_CENTER_MARKETPLACE_INTENT", "Yes")
    said = body()
    assert (said["mpnId"], said["qualification"]) == ("7654321", "MarketingQualified")
    requirements = said["details"]["requirements"]["additionalRequirements"]
    assert requirements["attributes"] == [{"id": "Yes", "type": "CustomerMarketplaceIntent"}]
