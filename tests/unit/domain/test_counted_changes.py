"""A stopped change belongs to the count of its value or of its kind (docs/protocol.md#the-mass-change-stop)."""

from shared.domain.counted_changes import NEW_REFERRAL, NEW_REQUEST, counts_of
from shared.domain.deal import fingerprint

EMPTY = fingerprint(None)


def test_only_a_status_may_be_a_close() -> None:
    assert counts_of("partner_center.status", "5f2a") == (
        "value|partner_center|status|5f2a",
        "closure|partner_center",
    )
    assert counts_of("partner_center.closing", "5f2a") == ("value|partner_center|closing|5f2a",)


def test_the_other_kinds_are_known_by_key_or_mark() -> None:
    keys = (NEW_REFERRAL.key, NEW_REQUEST.key, "partner_center.visibility")
    assert [counts_of(key, "5f2a")[1] for key in keys] == [
        "creation|partner_center",
        "creation|partner_center",
        "visibility|partner_center",
    ]
    assert counts_of("salesforce.notes", EMPTY)[1] == "emptied|salesforce"
