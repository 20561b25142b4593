"""The records of other parties as Partner Center returns them, and what the columns hold of them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.currencies import OrgCurrencies
from shared.domain.deal import Person, Status
from shared.domain.microsoft_record import MicrosoftRecord, PartnerRecord
from shared.domain.org_shape import OrgShape
from shared.foundation.errors import Unavailable
from shared.mapping.other_parties import is_foreign, microsoft_record, record_of_party
from tests.unit.sync.emulated_systems import translation_of

RECORD: dict[str, Any] = {
    "id": "AB-1",
    "eTag": '"1"',
    "engagementId": "e-1",
    "organizationId": "msft",
    "createdDateTime": "2026-11-22T10:00:00.1234567Z",
    "updatedDateTime": "2026-11-23T10:00:00Z",
    "expirationDateTime": None,
    "status": "Active",
    "substatus": "Accepted",
    "statusReason": None,
    "trackingInfo": {"microsoftMsxId": "7-1"},
    "team": [{"firstName": "Ada", "lastName": "Lind", "email": "ada@microsoft.example"}, None, {}],
    "details": {"notes": "Ann &amp; Bo\r\n"},
    "inviteContext": {"assistanceRequestCode": "GeneralOrOther", "notes": "Help", "invitedBy": {"organizationId": "x"}},
}


def test_the_record_of_microsoft_is_read_whole() -> None:
    record = microsoft_record(RECORD)
    assert (record.id, record.etag, record.engagement_id) == ("ab-1", '"1"', "e-1")
    assert (record.status, record.msx_id, record.notes) == (Status("Active", "Accepted"), "7-1", "Ann & Bo")
    assert record.team == (Person("Lind", "Ada", "ada@microsoft.example"),)
    assert (record.help_code, record.request_notes, record.is_sender) == ("GeneralOrOther", "Help", False)
    assert record.updated == datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_without_a_time_to_answer_microsoft_has_14_days() -> None:
    until = microsoft_record(RECORD).answer_by
    assert until is not None
    assert until.date().isoformat() == "2026-12-06"


@pytest.mark.parametrize("name", ["team", "details", "trackingInfo", "inviteContext", "status", "createdDateTime"])
@pytest.mark.parametrize("value", [None, [], {}, 7, "text"])
def test_any_part_may_be_missing_or_of_another_shape(name: str, value: object) -> None:
    assert isinstance(record_of_party({**RECORD, name: value}), MicrosoftRecord)


def test_a_record_without_id_or_version_cannot_be_read() -> None:
    for name in ("id", "eTag"):
        with pytest.raises(Unavailable):
            microsoft_record({**RECORD, name: None})


def test_another_partners_record_says_its_name_and_status_only() -> None:
    partner = record_of_party({**RECORD, "organizationId": "other", "organizationName": "Tailspin"})
    assert isinstance(partner, PartnerRecord)
    assert (partner.name, partner.status) == ("Tailspin", "Active/Accepted")
    nameless = record_of_party({**RECORD, "organizationId": "other", "status": None})
    assert isinstance(nameless, PartnerRecord)
    assert (nameless.name, nameless.status) == ("ab-1", "none")


def test_a_request_to_microsoft_is_microsofts_record_whatever_its_organization_is_called() -> None:
    targeted = {**RECORD, "organizationId": "microsoft", "target": [{"type": "BusinessProfileLocation", "id": "msft"}]}
    assert isinstance(record_of_party(targeted), MicrosoftRecord)


def test_texts_that_the_audit_shows_are_cut() -> None:
    record = microsoft_record({**RECORD, "statusReason": "r" * 999, "status": "s" * 999})
    assert (len(record.reason or ""), len(record.status.status if record.status else "")) == (255, 80)
    partner = record_of_party({**RECORD, "organizationId": "other", "organizationName": "n" * 999})
    assert isinstance(partner, PartnerRecord)
    assert len(partner.name) == 80


def test_a_record_is_foreign_by_its_organization() -> None:
    assert is_foreign(RECORD, "OURS")
    assert not is_foreign({"organizationId": "ours"}, "OURS")
    assert not is_foreign({}, "OURS")


def test_the_columns_hold_the_news_cut_to_their_lengths_and_an_empty_text_clears() -> None:
    texts = {"microsoft_status": "Asked", "microsoft_seller": "x" * 300, "microsoft_notes": ""}
    assert translation_of().shown_news(texts) == {
        "Microsoft_Status__c": "Asked",
        "Microsoft_Seller__c": "x" * 255,
        "Microsoft_Notes__c": None,
    }


def test_a_column_that_the_org_lacks_is_left_out() -> None:
    org = OrgShape(OrgCurrencies(has_several=True), hidden=frozenset({"microsoft_notes__c"}))
    translation = translation_of().for_org(org)
    assert translation.shown_news({"microsoft_notes": "Notes"}) == {}
    assert "Microsoft_Notes__c" not in translation.shown_columns
    assert "Microsoft_Seller__c" in translation.shown_columns
