"""A text of a service comes into the log only in a shape that is known."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from emulators.partner_center.referral_shape import REFERRAL
from shared.domain.remedies import SALESFORCE_REMEDIES
from shared.domain.sentences import CAUSES
from shared.foundation.known_shapes import PARTNER_CENTER_CODES, known_call_id, known_code, known_field

TEXTS = (
    "philomena.quackenbush@kanarienvogel.example", "Philomena Quackenbush", "Quackenbush", "quackenbush",
    "philomena_quackenbush", "McDonald", "+49301112223334", "Zanzibar Kanarienvogel GmbH", "the board decides",
    "INVALID_FIELD: philomena", "INVALID_FIELD\nphilomena", "12 Main Street", "Operation.Yellow.Feather",
)  # fmt: skip
"""Values of a deal and free texts."""


def property_paths(value: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, inner in value.items():
        yield f"{prefix}/{name}"
        if isinstance(inner, Mapping):
            yield from property_paths(inner, f"{prefix}/{name}")


@pytest.mark.parametrize("text", TEXTS)
def test_no_other_text_passes_as_code_or_field(text: str) -> None:
    assert (known_code(text), known_field(text)) == ("unknown", "unknown")


@pytest.mark.parametrize("known", [known_code, known_field, known_call_id])
def test_nothing_stays_nothing(known: Any) -> None:  # noqa: ANN401 - three functions
    assert known(None) is known("") is None


@pytest.mark.parametrize(
    "code",
    [*sorted(PARTNER_CENTER_CODES), *SALESFORCE_REMEDIES, *CAUSES, "UNABLE_TO_LOCK_ROW", "HTTP_503", "http503",
     "AADSTS700082", "invalid_grant", "StoreConflict", "Unavailable", "invalidReferralValue"],
)  # fmt: skip
def test_documented_codes_and_our_own_pass(code: str) -> None:
    assert known_code(code) == code


@pytest.mark.parametrize(
    "field",
    [*property_paths(REFERRAL), "details.dealValue", "customerProfile.team[0].email", "/team/0/phoneNumber",
     "StageName", "Account.BillingCountry", "Amount", "Sync_Status__c", "acme__Region__c", "notes", "account"],
)  # fmt: skip
def test_paths_of_a_referral_and_columns_pass(field: str) -> None:
    assert known_field(field) == field


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("0ec7fe77d8aff85d3d837b2c2c6acb77", True),
        ("4c0f1f0e-5a7b-4d52-9a50-6ad0f6b8c111", True),
        ("3nWgxWbDKWWDIk0FKfF5DV", True),
        ("philomena.quackenbush1@kanarienvogel.example", False),
        ("0ec7fe77d8aff85d3d837b2c2c6acb77\nforged", False),
        ("short1", False),
    ],
)
def test_an_id_of_a_call_has_letters_and_digits_only(text: str, *, known: bool) -> None:
    assert known_call_id(text) == (text if known else None)
