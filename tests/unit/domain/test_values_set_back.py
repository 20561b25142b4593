"""What people did to the values of a write whose outcome is not known.

Source: docs/protocol.md#recovery-of-interrupted-work.
"""

from copy import replace
from datetime import UTC, datetime

import pytest

from shared.domain.audit import RECOVERED, Line
from shared.domain.deal import STATUS, VISIBILITY, VISIBLE, Deal, Side, Status, Value, fingerprint
from shared.domain.field_rules import Rule, Rules
from shared.domain.link import Difference, Effect, EffectKind, Intent, Link
from shared.domain.sentences import LineDirection
from shared.domain.set_back import Aftermath, Seen, aftermath, lines_of, unseen_lines, values_as_before

NOW = datetime(2026, 11, 22, tzinfo=UTC)
OURS, THEIRS = Side.SALESFORCE, Side.PARTNER_CENTER
ACTIVE, WON = Status("Active", "Accepted"), Status("Closed", "Won")
NAMES = {"notes": "Notes", "name": "Name", STATUS: "Stage", VISIBILITY: "Visible", "solutions": "Solutions"}
RULES = Rules({name: Rule(name, label) for name, label in NAMES.items()})
LINK = Link("006", base=Deal(notes="old", name="Atlas"))


def effect(kind: EffectKind = EffectKind.PATCH_REFERRAL, **changes: tuple[Value | None, Value | None]) -> Effect:
    """A write that turns the first value of each field into the second, decided on version 1."""
    old, new = ({name: pair[number] for name, pair in changes.items()} for number in (0, 1))
    return Effect(kind, Deal(new), Deal(old), version="1")


PATCH = effect(notes=("old", "new"))
WRITE = effect(EffectKind.WRITE_OPPORTUNITY, notes=("old", "new"))


def seen(version: str = "2", was_written: bool | None = None, **values: Value | None) -> Seen:
    return Seen(Deal(values), version, was_written)


def found(side: Side, there: Seen, of: Effect | None = None, link: Link = LINK) -> Aftermath:
    written = of or (PATCH if side is THEIRS else WRITE)
    return aftermath(link, Intent((written,)), written, side, there, RULES)


@pytest.mark.parametrize("side", list(Side))
def test_a_value_that_is_as_it_was_written_was_not_set_back(side: Side) -> None:
    assert found(side, seen(notes="new")) == Aftermath()


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("there", [seen("1", notes="old"), seen(was_written=False, notes="old")])
def test_nothing_was_set_back_if_nobody_has_saved_or_the_write_is_known_to_be_lost(side: Side, there: Seen) -> None:
    assert found(side, there) == Aftermath()


@pytest.mark.parametrize("side", list(Side))
def test_what_a_side_has_ignored_was_set_back_by_nobody(side: Side) -> None:
    ignored = Seen(Deal(notes="old"), "2", was_written=True, ignored=("notes",))
    assert found(side, ignored) == Aftermath()
    assert found(side, replace(ignored, ignored=())).set_back == ("notes",)


def test_nothing_is_known_of_a_write_that_was_decided_on_no_version() -> None:
    without = replace(PATCH, version=None)
    assert found(THEIRS, seen(notes="old"), without) == Aftermath()
    assert values_as_before(without, THEIRS, seen(notes="old")) == []


def test_an_old_value_in_salesforce_may_have_been_set_back_or_never_replaced() -> None:
    assert found(OURS, seen(notes="old")) == Aftermath(doubtful=("notes",))
    assert found(OURS, seen(was_written=True, notes="old")) == Aftermath(set_back=("notes",))


def test_an_old_value_in_partner_center_was_set_back_if_nothing_else_explains_the_new_version() -> None:
    assert found(THEIRS, seen(notes="old")) == Aftermath(set_back=("notes",))
    assert found(THEIRS, seen(notes="old", name="Atlas")) == Aftermath(set_back=("notes",))
    assert found(THEIRS, seen(notes="old", name="Edited")) == Aftermath(doubtful=("notes",))
    assert found(THEIRS, seen(was_written=True, notes="old", name="Edited")) == Aftermath(set_back=("notes",))


def test_a_difference_that_salesforce_refused_explains_no_new_version() -> None:
    refused = {"salesforce.name": Difference(fingerprint("Edited"), "refused_by_salesforce", NOW)}
    there = seen(notes="old", name="Edited")
    assert found(THEIRS, there, link=replace(LINK, refused=refused)) == Aftermath(set_back=("notes",))


def test_another_value_of_the_same_write_shows_that_it_took_effect() -> None:
    both = effect(notes=("old", "new"), name=("Atlas", "Borealis"))
    assert found(THEIRS, seen(notes="old", name="Borealis", status=ACTIVE), both) == Aftermath(set_back=("notes",))


def test_a_value_that_was_saved_before_the_intent_does_not_show_that_the_write_took_effect() -> None:
    both = effect(notes=("old", "new"), name=("Atlas", "Borealis"))
    for name in ("Borealis", "Atlas"):  # a colleague had entered the same name, or had changed what we do not map
        older = replace(seen(notes="old", name=name), is_older=True)
        assert "notes" in found(THEIRS, older, both).doubtful
        assert found(THEIRS, older, both).set_back == ()


def test_what_the_run_was_to_write_to_the_opportunity_explains_no_new_version() -> None:
    pulled = effect(EffectKind.WRITE_OPPORTUNITY, name=("Atlas", "Edited"))
    there = seen(notes="old", name="Edited")
    assert aftermath(LINK, Intent((PATCH, pulled)), PATCH, THEIRS, there, RULES).set_back == ("notes",)


def test_an_answer_and_a_tick_are_not_taken_back_there_and_do_not_show_whose_they_are() -> None:
    final = effect(status=(ACTIVE, WON), visibility=(None, VISIBLE))
    assert found(THEIRS, seen(status=ACTIVE, visibility=None), final) == Aftermath()
    answered = effect(status=(ACTIVE, WON), notes=("old", "new"))
    assert found(THEIRS, seen(notes="old", status=WON), answered) == Aftermath(doubtful=("notes",))
    in_salesforce = effect(EffectKind.WRITE_OPPORTUNITY, status=(ACTIVE, WON), visibility=(None, VISIBLE))
    assert values_as_before(in_salesforce, OURS, seen(status=ACTIVE, visibility=None)) == [STATUS, VISIBILITY]


def test_an_edit_of_a_value_that_was_not_agreed_may_never_have_been_seen() -> None:
    edited = effect(notes=("unagreed", "new"))
    assert found(OURS, seen(notes="later"), replace(edited, kind=EffectKind.WRITE_OPPORTUNITY)).unseen == ("notes",)
    assert found(THEIRS, seen(notes="later"), edited).unseen == ("notes",)
    assert found(OURS, seen(notes="later")) == Aftermath()
    written = seen(was_written=True, notes="later")
    assert found(THEIRS, written, edited) == Aftermath(unseen=("notes",))


def test_lists_are_settled_elsewhere_and_what_was_not_read_or_not_changed_is_not_judged() -> None:
    lists = effect(solutions=(("a",), ("a", "b")), notes=("old", "new"), name=("Atlas", "Atlas"))
    assert values_as_before(lists, OURS, seen(solutions=("a",), name="Atlas")) == []
    emptied = effect(solutions=(("a",), None))
    assert values_as_before(emptied, OURS, seen(solutions=("a",))) == []
    assert values_as_before(lists, OURS, seen("1", notes="old")) == []


def a_line(code: str, side: Side, before: str, system: str) -> Line:
    values = {"label": "Notes", "system": system}
    return Line(NOW, code, LineDirection.NOTE, side, "notes", before, "new", RECOVERED, values)


def test_a_doubtful_value_is_told_where_the_other_side_differs_and_an_unseen_one_always() -> None:
    doubtful, unseen = Aftermath(doubtful=("notes",)), Aftermath(unseen=("notes",))
    told = a_line("set_back", THEIRS, "old", "Partner Center")
    assert list(lines_of(doubtful, PATCH, THEIRS, {"notes": "other"}, RULES, NOW)) == [told]
    assert list(lines_of(doubtful, PATCH, THEIRS, {"notes": "old"}, RULES, NOW)) == []
    hidden = a_line("replaced_unseen", OURS, "old", "Salesforce")
    assert list(lines_of(unseen, WRITE, OURS, {"notes": "old"}, RULES, NOW)) == [hidden]
    assert list(lines_of(Aftermath(set_back=("notes",)), WRITE, OURS, {}, RULES, NOW)) == []


def test_what_a_write_to_an_unreadable_opportunity_may_have_replaced_is_told() -> None:
    write = effect(EffectKind.WRITE_OPPORTUNITY, notes=("unagreed", "new"), name=("Atlas", "Borealis"), gone=("x", "y"))
    told = list(unseen_lines(LINK, Intent((PATCH, write)), RULES, NOW))
    assert told == [a_line("replaced_unseen", OURS, "unagreed", "Salesforce")]
    assert list(unseen_lines(LINK, Intent((PATCH,)), RULES, NOW)) == []
