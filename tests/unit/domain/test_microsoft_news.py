"""What a deal takes from the records of Microsoft and of other partners (docs/protocol.md#news-from-microsoft)."""

from copy import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.deal import Deal, Person, Status
from shared.domain.link import Link
from shared.domain.microsoft_news import (
    heard,
    heard_partner,
    is_news,
    look_again,
    needs_look,
    needs_ours,
    news_of,
    shown,
)
from shared.domain.microsoft_record import HeardRecord, MicrosoftRecord, PartnerRecord, address_mark

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
OURS = Person("One", "Seller", "seller.one@contoso.example")
THEIRS = Person("Seller", "Microsoft", "seller@microsoft.example")
DEAL = Deal(team=(OURS,), notes="First call went well.")
LINK = Link("006AA0000000010", referral_id="r-1", engagement_id="e-1", base=DEAL)
ASKED = MicrosoftRecord(
    "m-1",
    '"1"',
    "e-1",
    Status("New", "Pending"),
    team=(OURS,),
    notes="First call  went well.",
    answer_by=NOW + timedelta(days=14),
    updated=NOW,
)
ACCEPTED = replace(
    ASKED, etag='"2"', status=Status("Active", "Accepted"), msx_id="7-1", team=(OURS, THEIRS), updated=NOW
)


def after(*records: MicrosoftRecord, link: Link = LINK) -> tuple[Link, list[str]]:
    """The link after these records were heard and shown, and the codes of the lines of the last one."""
    codes: list[str] = []
    for record in records:
        transition = heard(link, record, DEAL, NOW)
        link, codes = shown(transition.link), [line.code for line in transition.lines]
    return link, codes


def texts(record: MicrosoftRecord, known: HeardRecord | None = None) -> dict[str, str]:
    return news_of(record, known or HeardRecord("m-1"), DEAL, DEAL).parts


@pytest.mark.parametrize(
    ("status", "substatus", "text"),
    [
        ("New", "Pending", "Asked"),
        ("New", "Received", "Asked"),
        ("Active", "Accepted", "Accepted"),
        ("Closed", "Declined", "Declined"),
        ("Closed", "Expired", "Expired"),
        ("Closed", "Won", "Won"),
        ("Closed", "Lost", "Lost"),
        ("Closed", "Error", "Error"),
    ],
)
def test_each_status_of_microsoft_has_a_value(status: str, substatus: str, text: str) -> None:
    assert texts(replace(ASKED, status=Status(status, substatus)))["microsoft_status"] == text


def test_an_asked_deal_shows_until_when_microsoft_answers_and_nothing_of_our_own() -> None:
    found = texts(ASKED)
    assert found["microsoft_answer_by"] == "2026-12-06T10:00:00+00:00"
    assert (found["microsoft_seller"], found["microsoft_notes"]) == ("", "")


def test_an_acceptance_is_told_with_its_crm_identifier_and_seller_once() -> None:
    link, codes = after(ASKED, ACCEPTED)
    assert codes == ["microsoft_accepted", "microsoft_crm", "microsoft_seller"]
    assert texts(ACCEPTED)["microsoft_seller"] == "Microsoft Seller"
    assert texts(ACCEPTED)["microsoft_answer_by"] == ""
    assert after(ACCEPTED, link=link) == (link, [])


def test_notes_that_repeat_ours_as_they_were_when_microsoft_was_asked_are_not_microsofts() -> None:
    link, _ = after(ASKED)
    known = link.microsoft
    assert known is not None
    renamed = Deal(team=(OURS,), notes="We wrote other notes since.")
    assert news_of(ACCEPTED, known, renamed, renamed).microsoft_notes == ""
    assert news_of(replace(ACCEPTED, notes="Ours"), known, renamed, renamed).microsoft_notes == "Ours"


@pytest.mark.parametrize(
    ("substatus", "code", "text"),
    [
        ("Declined", "microsoft_declined", "Its reason: Customer declined."),
        ("Expired", "microsoft_expired", "has expired"),
        ("Won", "microsoft_closed", "Won."),
    ],
)
def test_the_end_of_microsofts_record_is_told(substatus: str, code: str, text: str) -> None:
    ended = replace(ASKED, etag='"3"', status=Status("Closed", substatus), reason="Customer declined")
    transition = heard(after(ASKED)[0], ended, DEAL, NOW)
    assert [line.code for line in transition.lines] == [code]
    assert text in transition.lines[0].text


@pytest.mark.parametrize(("status", "named"), [(None, "none"), (Status("Frozen", "Deep"), "Frozen/Deep")])
def test_an_unknown_status_keeps_the_value_and_is_named_once(status: Status | None, named: str) -> None:
    link, codes = after(ACCEPTED, replace(ACCEPTED, etag='"3"', status=status))
    assert codes == ["microsoft_status_unknown"]
    assert link.microsoft is not None
    assert (link.microsoft.status, link.microsoft.raw) == ("Accepted", named)
    assert "microsoft_status" not in texts(replace(ACCEPTED, status=status))
    assert "microsoft_answer_by" not in texts(replace(ACCEPTED, status=status))
    assert after(replace(ACCEPTED, etag='"4"', status=status), link=link)[1] == []


def test_a_first_record_without_a_status_is_told_and_leaves_nothing_to_show_of_it() -> None:
    assert after(replace(ASKED, status=None))[1] == ["microsoft_status_unknown"]


def test_an_older_state_that_is_heard_late_changes_nothing() -> None:
    link, _ = after(replace(ACCEPTED, updated=NOW + timedelta(seconds=5)))
    assert not is_news(link.microsoft, ASKED)
    assert after(ASKED, link=link) == (link, [])


def test_a_crm_identifier_stays_where_the_record_does_not_say_it_any_more() -> None:
    assert "microsoft_crm_identifier" not in texts(replace(ACCEPTED, msx_id=None))


def test_what_the_record_does_not_say_is_not_cleared() -> None:
    assert set(texts(replace(ACCEPTED, team=None, notes=None, msx_id=None))) == {
        "microsoft_status",
        "microsoft_answer_by",
    }


def test_what_microsoft_said_when_it_sent_the_deal_is_shown_and_only_later_changes_are_told() -> None:
    sent = replace(ACCEPTED, is_sender=True, notes="Wants a pilot.")
    hearing = heard(LINK, sent, DEAL, NOW)
    assert (hearing.lines, hearing.texts["microsoft_seller"]) == ((), "Microsoft Seller")
    assert after(sent, replace(sent, etag='"3"', notes="In June."))[1] == ["microsoft_notes"]


def test_notes_that_microsoft_writes_before_it_answers_are_its_own() -> None:
    written = replace(ASKED, etag='"2"', notes="We know this customer.")
    assert after(ASKED, written)[1] == ["microsoft_notes"]
    assert heard(after(ASKED)[0], written, DEAL, NOW).texts["microsoft_notes"] == "We know this customer."
    answered = heard(after(ASKED, written)[0], replace(written, etag='"3"', status=ACCEPTED.status), DEAL, NOW)
    assert answered.texts["microsoft_notes"] == "We know this customer."


@pytest.mark.parametrize(
    ("status", "codes"),
    [
        (Status("Closed", "Declined"), ["microsoft_declined"]),
        (Status("Closed", "Expired"), ["microsoft_expired"]),
        (Status("Closed", "Won"), ["microsoft_closed"]),
        (Status("Frozen", "None"), ["microsoft_status_unknown"]),
        (Status("New", "Pending"), []),
    ],
)
def test_an_end_that_came_before_the_first_hearing_of_a_deal_that_microsoft_sent_is_told(
    status: Status, codes: list[str]
) -> None:
    record = replace(ACCEPTED, is_sender=True, status=status, notes="Wants a pilot.")
    assert after(record)[1] == codes
    assert after(record, replace(record, etag='"3"'))[1] == []


def test_what_was_not_shown_is_news_again_and_is_not_told_again() -> None:
    link = heard(LINK, ASKED, DEAL, NOW).link
    assert link.microsoft is not None
    assert not link.microsoft.is_shown
    again = heard(link, ASKED, DEAL, NOW)
    assert is_news(link.microsoft, ASKED)
    assert (again.lines, again.link.microsoft) == ((), link.microsoft)


def test_a_record_that_is_read_again_later_tells_all_of_it_then() -> None:
    waiting = look_again(LINK, ACCEPTED)
    assert waiting.unwritten is False
    assert after(ACCEPTED, link=waiting)[1] == ["microsoft_accepted", "microsoft_crm", "microsoft_seller"]


def test_a_partners_record_that_is_read_again_later_is_no_record_of_microsofts() -> None:
    partner = PartnerRecord("p-1", '"1"', "e-1", "Tailspin", "New/Pending", NOW)
    link = heard_partner(after(ACCEPTED)[0], partner, NOW).link
    waiting = look_again(link, replace(partner, etag='"2"'))
    assert (needs_look(link), needs_look(waiting), waiting.microsoft) == (False, True, link.microsoft)
    again = heard_partner(waiting, replace(partner, etag='"2"', status="Active/Accepted"), NOW)
    assert [line.code for line in again.lines] == ["partner_status"]
    assert needs_look(look_again(LINK, partner))


def test_the_link_holds_no_names_and_no_notes() -> None:
    link, _ = after(replace(ACCEPTED, notes="Meet the customer."))
    assert "Seller" not in repr(link.microsoft)
    assert "Meet" not in repr(link.microsoft)


def test_another_partner_is_told_when_it_appears_and_when_its_status_changes() -> None:
    partner = PartnerRecord("p-1", '"1"', "e-1", "Tailspin", "New/Pending", NOW)
    first = heard_partner(LINK, partner, NOW)
    assert [line.text for line in first.lines] == [
        "Note: Another partner takes part in this deal: Tailspin. Its status: New/Pending."
    ]
    same = heard_partner(first.link, replace(partner, etag='"2"'), NOW)
    accepted = heard_partner(same.link, replace(partner, etag='"3"', status="Active/Accepted"), NOW)
    assert (same.lines, len(accepted.lines)) == ((), 1)
    assert heard_partner(accepted.link, replace(partner, updated=NOW - timedelta(days=1)), NOW).lines == ()


SILENT = replace(ACCEPTED, msx_id=None)
ARRIVED = replace(LINK, base=Deal())
HEARD = HeardRecord("m-1", '"1"', parts={"microsoft_crm_identifier": "mark"}, is_shown=True)


@pytest.mark.parametrize(
    ("link", "record", "needed"),
    [
        (LINK, SILENT, True),
        (LINK, ACCEPTED, False),
        (LINK, replace(ASKED, msx_id=None), False),
        (LINK, replace(SILENT, status=None), False),
        (LINK, replace(SILENT, is_sender=True), True),
        (LINK, replace(SILENT, is_sender=True, ours=()), False),
        (replace(LINK, reported=("salesforce.team:left=mark",)), ACCEPTED, True),
        (replace(LINK, microsoft=HEARD), SILENT, False),
        (replace(LINK, microsoft=replace(HEARD, is_shown=False)), SILENT, True),
        (replace(LINK, microsoft=replace(HEARD, is_shown=False)), ACCEPTED, False),
        (ARRIVED, ACCEPTED, True),
        (ARRIVED, replace(ACCEPTED, ours=()), False),
        (ARRIVED, replace(ACCEPTED, team=(OURS,)), False),
        (ARRIVED, replace(ACCEPTED, team=None), False),
    ],
)
def test_our_own_record_is_read_only_where_it_may_say_more(link: Link, record: MicrosoftRecord, needed: bool) -> None:
    assert needs_ours(link, record, DEAL) == needed


def test_our_own_record_is_read_again_only_once_the_team_has_changed() -> None:
    record = replace(ACCEPTED, ours=(address_mark(OURS),))
    link = shown(heard(ARRIVED, record, Deal(), NOW).link)
    again = replace(ACCEPTED, etag='"3"', notes="In June.")
    hearing = heard(link, again, Deal(), NOW)
    assert not needs_ours(link, again, Deal())
    assert hearing.texts["microsoft_seller"] == "Microsoft Seller"
    assert needs_ours(link, replace(again, team=(OURS, THEIRS, Person("Berg", "Bo"))), Deal())
