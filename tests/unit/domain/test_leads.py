"""What a Lead takes over of a lead that changed in Partner Center (docs/protocol.md#leads)."""

from copy import replace
from datetime import UTC, datetime

import pytest

from shared.domain.deal import Deal, Status, fingerprint
from shared.domain.leads import KnownLead, Leads, LeadValues, changed_lead, new_lead
from shared.domain.link import Link
from shared.domain.plan_lead import ACCEPTED_LEAD, OPEN_LEAD, lead_after
from shared.domain.records import Opportunity, Referral
from shared.domain.scope import Scope

NOW = datetime(2026, 11, 22, tzinfo=UTC)
WANTED = LeadValues({"Phone": "2"}, "New (Received)", {"Phone": "Phone"})
LEAD = Referral("r", "1", Deal(), NOW, Status("New", "Received"), is_lead=True, raw={})
OPPORTUNITY = Opportunity("006", Deal(), flagged=False, modified=NOW)


def known(value: str | None) -> KnownLead:
    return KnownLead("00Q", "1", "New (Received)", {"Phone": fingerprint(value)})


@pytest.mark.parametrize(
    ("before", "there", "written", "codes"),
    [
        (known("1"), "1", {"Phone": "2"}, ["changed"]),
        (known("1"), "9", {}, ["lead_differs"]),
        (known("1"), "2", {}, []),
        (known("2"), "9", {}, []),
        (known(None), None, {"Phone": "2"}, ["changed"]),
        (None, None, {"Phone": "2"}, ["changed"]),
        (None, "9", {}, ["lead_differs"]),
        (None, "2", {}, []),
    ],
)
def test_only_what_no_person_edited_is_written(
    before: KnownLead | None, there: str | None, written: dict[str, str], codes: list[str]
) -> None:
    change = changed_lead(before, {"Phone": there}, WANTED, NOW)
    assert dict(change.values) == written
    assert [line.code for line in change.lines] == codes
    again = KnownLead("00Q", "2", WANTED.status, change.written)
    assert changed_lead(again, {"Phone": written.get("Phone", there)}, WANTED, NOW).lines == ()
    assert again.holds(WANTED)


def test_each_value_that_changed_is_taken_over() -> None:
    wanted = replace(WANTED, values={"Email": "a@x.example", "Phone": "2"})
    before = KnownLead("00Q", "1", "New (Received)", {"Email": fingerprint("a@x.example"), "Phone": fingerprint("1")})
    assert changed_lead(before, {"Email": "a@x.example", "Phone": "1"}, wanted, NOW).values == {"Phone": "2"}


def test_another_status_is_told() -> None:
    before = KnownLead("00Q", "1", "New (Received)", {})
    change = changed_lead(before, {}, LeadValues({}, "Closed (Expired)"), NOW)
    assert [line.text for line in change.lines] == ["Note: The lead is Closed (Expired) in Partner Center."]


@pytest.mark.parametrize(
    ("status", "is_open"),
    [
        (Status("New", "Received"), True),
        (Status("Closed", "Declined"), True),
        (Status("Active", "Accepted"), False),
        (Status("Active", "Qualification"), False),
        (None, True),
    ],
)
def test_a_lead_is_open_until_it_is_accepted_at_whatever_sub_stage(status: Status | None, *, is_open: bool) -> None:
    referral = Referral("r", "1", Deal(), NOW, status, is_lead=True, raw={})
    assert referral.is_open_lead is is_open
    assert lead_after(Link("006", lead=OPEN_LEAD), OPPORTUNITY, referral) == (OPEN_LEAD if is_open else ACCEPTED_LEAD)


@pytest.mark.parametrize(
    ("leads", "reason", "is_lead"),
    [(Leads.OFF, "lead", False), (Leads.LEAD, None, True), (Leads.OPPORTUNITY, None, False)],
)
def test_the_setting_says_what_becomes_of_a_lead(leads: Leads, reason: str | None, *, is_lead: bool) -> None:
    scope = Scope("", None, NOW, leads)
    assert scope.unlinked_exclusion_reason(LEAD) == reason
    assert scope.shows_as_lead(LEAD, has_lead=False) is is_lead
    assert scope.shows_as_lead(LEAD, has_lead=True)


def test_a_text_that_does_not_fit_is_told_when_it_is_written() -> None:
    wanted = replace(WANTED, cut=frozenset({"Phone"}))
    assert [line.code for line in new_lead(wanted, NOW).lines] == ["lead_arrived", "lead_cut"]
    change = changed_lead(known("1"), {"Phone": "1"}, wanted, NOW)
    assert [line.code for line in change.lines] == ["changed", "lead_cut"]
    assert changed_lead(known("2"), {"Phone": "2"}, wanted, NOW).lines == ()
    assert [line.code for line in changed_lead(known("1"), {"Phone": "9"}, wanted, NOW).lines] == ["lead_differs"]
