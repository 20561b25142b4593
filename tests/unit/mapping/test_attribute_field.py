"""An attribute that says no more than the constant or the setting is no value (docs/mapping.md#attributes)."""

import pytest

from shared.domain.deal import Deal
from shared.mapping.attribute_field import ATTRIBUTES, MARKETPLACE_INTENT
from shared.mapping.new_referral import ReferralConstants
from shared.mapping.paths import in_referral, set_value
from shared.mapping.translation import Translation

INTENT = "marketplace_intent"


def with_setting(intent: str) -> Translation:
    return Translation(ReferralConstants("1234567", marketplace_intent=intent))


def referral_with(*entries: object) -> dict[str, object]:
    body: dict[str, object] = {}
    set_value(body, ATTRIBUTES, list(entries))
    return body


@pytest.mark.parametrize(
    "setting", ["HaveNotDecided", "havenotdecided", "No", "Undecided", "Something of a later year"]
)
def test_the_setting_counts_as_no_value_also_one_that_the_file_does_not_list(setting: str) -> None:
    field = with_setting(setting).fields[INTENT]
    assert field.read_referral(referral_with({"type": MARKETPLACE_INTENT, "id": setting})) is None
    assert field.read_record({"Marketplace_Intent__c": None}) is None
    assert field.read_record({"Marketplace_Intent__c": "Yes"}) == "Yes"


@pytest.mark.parametrize("setting", ["HaveNotDecided", "Something of a later year"])
def test_a_new_referral_has_the_setting_as_it_is_written(setting: str) -> None:
    translation = with_setting(setting)
    entries = in_referral(translation.new_referral(Deal(), "x"), ATTRIBUTES)
    assert entries == [{"id": setting, "type": MARKETPLACE_INTENT}]


@pytest.mark.parametrize("attributes", [None, {}, "none", [None, 7, "x", {"type": None}, {"id": "Yes"}]])
def test_a_list_of_any_shape_is_read(attributes: object) -> None:
    body: dict[str, object] = {}
    set_value(body, ATTRIBUTES, attributes)
    assert with_setting("HaveNotDecided").fields[INTENT].read_referral(body) is None
