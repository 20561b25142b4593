"""What a field shows that only shows another one (docs/protocol.md#lists-merge-as-sets)."""

from copy import replace

from shared.domain.deal import Change, Side
from shared.domain.field_rules import Rule
from shared.domain.merge import Merged
from shared.domain.shown_lists import shown_after

RULE = Rule("shown_solutions", "Products", shows="solutions", shown=lambda listed: "; ".join(listed) or None)
AGREED = Merged(RULE, "a", "a", "a")
SENT = Change("solutions", "Solutions", ("a",), ("a", "b"))


def test_a_field_shows_what_partner_center_holds_once_it_has_taken_the_change() -> None:
    assert shown_after(AGREED, [SENT]) == Merged(RULE, "a; b", "a", "a; b", Side.PARTNER_CENTER)
    shown = replace(AGREED, salesforce="a; b", edited=Side.SALESFORCE)
    assert shown_after(shown, [SENT]) == Merged(RULE, "a; b", "a; b", "a; b")
    edited = replace(AGREED, salesforce="typed", edited=Side.SALESFORCE)
    assert shown_after(edited, [SENT]) == Merged(RULE, "a; b", "typed", "a; b", Side.SALESFORCE)


def test_a_field_stays_as_it_is_while_what_it_shows_does_not_change() -> None:
    assert shown_after(AGREED, []) is AGREED
    assert shown_after(AGREED, [replace(SENT, field="notes")]) is AGREED
    plain = replace(AGREED, rule=replace(RULE, shown=None))
    assert shown_after(plain, [SENT]) is plain
