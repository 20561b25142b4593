"""The writes of an interrupted run that took effect are adopted (docs/protocol.md#recovery-of-interrupted-work)."""

from copy import replace
from datetime import UTC, datetime

from shared.domain.audit import RECOVERED, Line, change_lines
from shared.domain.deal import STATUS, Change, Deal, Side, Status, Value
from shared.domain.field_rules import Rule, Rules
from shared.domain.joined_texts import both_kept_line, join_texts
from shared.domain.link import Effect, EffectKind, Intent, Link
from shared.domain.recovery import recovered
from shared.domain.set_back import Seen
from shared.domain.transitions import Transition

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RULES = Rules({STATUS: Rule(STATUS, "Stage"), "notes": Rule("notes", "Notes"), "name": Rule("name", "Name")})
LINK = Link("006", referral_id="ref", base=Deal(name="Atlas", notes="old"))
OPEN, WON = Status("Active", "Accepted"), Status("Closed", "Won")


def patch(**values: Value | None) -> Effect:
    return Effect(EffectKind.PATCH_REFERRAL, Deal(values), Deal(notes="old", status=OPEN))


def write(**values: Value | None) -> Effect:
    return Effect(EffectKind.WRITE_OPPORTUNITY, Deal(values), Deal(notes="old"))


def after(effects: tuple[Effect, ...], current: dict[Side, Deal], status: Status | None = None) -> Transition:
    return recovered(LINK, Intent(effects), current, RULES, NOW, status)


def test_a_value_that_arrived_is_agreed_and_told_with_what_it_replaced() -> None:
    there = {Side.PARTNER_CENTER: Deal(name="other", notes="new")}
    found = after((patch(notes="new"),), there)
    assert found.link == replace(LINK, base=Deal(name="Atlas", notes="new"), unwritten=True)
    change = Change("notes", "Notes", "old", "new")
    assert found.lines == tuple(change_lines(NOW, Side.PARTNER_CENTER, [change], RECOVERED))


def test_a_value_that_arrived_in_salesforce_is_told_of_that_side() -> None:
    found = after((write(notes="new"),), {Side.SALESFORCE: Deal(notes="new"), Side.PARTNER_CENTER: Deal(notes="new")})
    change = Change("notes", "Notes", "old", "new")
    assert found.lines == tuple(change_lines(NOW, Side.SALESFORCE, [change], RECOVERED))
    assert found.link.base["notes"] == "new"


def test_a_value_that_did_not_arrive_changes_nothing() -> None:
    for there in ({Side.PARTNER_CENTER: Deal(notes="old")}, {Side.SALESFORCE: Deal(notes="new")}, {}):
        found = after((patch(notes="new"),), there)
        assert (found.link, found.lines) == (LINK, ())


def test_lines_that_are_still_to_be_written_stay_so() -> None:
    waiting = replace(LINK, unwritten=True)
    assert recovered(waiting, Intent((patch(notes="new"),)), {}, RULES, NOW).link.unwritten


def test_a_value_that_was_to_be_written_to_both_sides_is_told_but_not_agreed() -> None:
    joined = (patch(notes="both", name="new"), write(notes="both"))
    found = after(joined, {Side.PARTNER_CENTER: Deal(notes="both", name="new"), Side.SALESFORCE: Deal(notes="old")})
    assert dict(found.link.base) == {"name": "new", "notes": "old"}
    assert {line.field for line in found.lines} == {"notes", "name"}


def test_a_close_is_told_as_it_was_sent() -> None:
    lost, declined = Status("Closed", "Lost"), Status("Closed", "Declined")
    found = after((patch(status=lost),), {Side.PARTNER_CENTER: Deal(status=lost)}, declined)
    change = Change(STATUS, "Stage", OPEN, lost, declined)
    assert found.lines == tuple(change_lines(NOW, Side.PARTNER_CENTER, [change], RECOVERED))
    shown = after((write(status=WON),), {Side.SALESFORCE: Deal(status=WON)}, declined)
    assert shown.lines == tuple(change_lines(NOW, Side.SALESFORCE, [Change(STATUS, "Stage", None, WON)], RECOVERED))


def test_a_field_that_the_mapping_no_longer_has_is_agreed_and_not_told() -> None:
    found = after((patch(money="1", notes="new"),), {Side.PARTNER_CENTER: Deal(money="1", notes="new")})
    assert found.link.base["money"] == "1"
    assert [line.field for line in found.lines] == ["notes"]


def test_a_mark_that_was_to_be_written_is_no_value() -> None:
    mark = Effect(EffectKind.MARK_OPPORTUNITY, Deal(notes="new"))
    found = after((mark,), {Side.SALESFORCE: Deal(notes="new")})
    assert (found.link, found.lines) == (LINK, ())


def test_a_stage_that_shows_the_end_of_the_referral_is_told_with_that_end() -> None:
    lost, expired = Status("Closed", "Lost"), Status("Closed", "Expired")
    there = {Side.SALESFORCE: Deal(status=lost), Side.PARTNER_CENTER: Deal(status=lost)}
    told = Change(STATUS, "Stage", None, lost, expired)
    found = after((write(status=lost),), there, expired)
    assert found.lines == tuple(change_lines(NOW, Side.SALESFORCE, [told], RECOVERED))
    is_open = after((write(status=lost),), there, OPEN)
    assert is_open.lines == tuple(change_lines(NOW, Side.SALESFORCE, [replace(told, sent=None)], RECOVERED))


JOINED = Effect(EffectKind.WRITE_OPPORTUNITY, Deal(notes="theirs\nours"), Deal(notes="ours"))


def test_of_a_text_joined_for_salesforce_only_the_base_takes_what_partner_center_holds() -> None:
    held = Deal(notes="theirs\nours")
    for referral, base in (("theirs", "theirs"), ("other", "old")):
        found = after((JOINED,), {Side.SALESFORCE: held, Side.PARTNER_CENTER: Deal(notes=referral)})
        assert found.link.base["notes"] == base
        assert [line.field for line in found.lines] == ["notes"]


def test_a_text_that_replaced_the_agreed_one_or_holds_no_edit_is_agreed() -> None:
    for replaced in ("old", "another"):
        effect = replace(JOINED, displaced=Deal(notes=replaced))
        there = {Side.SALESFORCE: Deal(notes="theirs\nours"), Side.PARTNER_CENTER: Deal(notes="theirs")}
        assert after((effect,), there).link.base["notes"] == "theirs\nours"


def test_joined_notes_that_partner_center_got_are_to_be_checked_and_no_other_text() -> None:
    notes = join_texts("theirs", "ours", NOW, NOW)
    both = patch(notes=notes, name="new"), write(notes=notes, name="new")
    there, here = Deal(notes=notes, name="new"), Deal(notes="ours", name="Atlas")
    check = both_kept_line(NOW, "notes", "Notes")

    def told(*effects: Effect, ours: Deal = here, theirs: Deal = there) -> tuple[Line, ...]:
        return after(effects, {Side.PARTNER_CENTER: theirs, Side.SALESFORCE: ours}).lines

    assert [line for line in told(*both) if line.code == check.code] == [check]
    alone = told(*both, ours=there, theirs=Deal(notes="theirs", name="Atlas"))
    assert (check in alone, len(alone)) == (False, 2)
    assert check not in told(patch(notes=notes)), "nothing was to be joined in Salesforce"
    unmapped = patch(more=notes), write(more=notes)
    assert told(*unmapped, theirs=Deal(more=notes)) == ()


def test_a_value_that_a_person_has_set_back_was_written_and_is_agreed_and_told() -> None:
    effect = replace(patch(notes="new", name="Borealis"), version="1", displaced=Deal(notes="old", name="Atlas"))
    there = Deal(notes="old", name="Borealis")
    seen = {Side.PARTNER_CENTER: Seen(there, "2")}
    found = recovered(LINK, Intent((effect,)), {Side.PARTNER_CENTER: there}, RULES, NOW, None, seen)
    assert dict(found.link.base) == {"name": "Borealis", "notes": "new"}
    assert {line.field for line in found.lines} == {"notes", "name"}


def test_an_edit_that_a_write_may_have_replaced_is_told_where_its_side_shows_it_no_more() -> None:
    effect = replace(patch(notes="new"), version="1", displaced=Deal(notes="edited"))

    def told(version: str, of: Effect = effect, *, was_written: bool | None = None) -> list[str | None]:
        there = Deal(name="Atlas")
        seen = {Side.PARTNER_CENTER: Seen(there, version, was_written)}
        found = recovered(LINK, Intent((of,)), {Side.PARTNER_CENTER: there}, RULES, NOW, None, seen)
        return [line.field for line in found.lines]

    assert told("2") == told("2", was_written=True) == ["notes"]
    assert told("1") == [], "nobody has saved since"
    assert told("2", was_written=False) == [], "the write was lost"
    assert told("2", replace(effect, version=None)) == [], "nothing was there to replace"
