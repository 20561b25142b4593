"""What becomes of the rules of fields of which Partner Center takes no change (docs/protocol.md#fixed-paths)."""

from shared.domain.deal import Deal, Side
from shared.domain.field_rules import Rule, Rules

LOCATION = Rule("partner_location", "Location", unlisted=frozenset({"/location"}))
INTENT = Rule("intent", "Intent", unlisted=frozenset({"/intent"}))
RULES = Rules({"partner_location": LOCATION, "intent": INTENT, "notes": Rule("notes", "Notes")}, "m")


def test_of_a_fixed_field_with_a_base_the_value_there_wins() -> None:
    fixed = RULES.with_fixed(frozenset({"/location"}), Deal(partner_location="1"))
    changed = fixed["partner_location"]
    assert (changed.is_fixed, changed.winner) == (True, Side.PARTNER_CENTER)
    assert (fixed["intent"], fixed["notes"], fixed.mapping) == (INTENT, RULES["notes"], "m")


def test_without_a_base_nothing_is_overwritten() -> None:
    changed = RULES.with_fixed(frozenset({"/location"}), Deal())["partner_location"]
    assert (changed.is_fixed, changed.winner) == (True, LOCATION.winner)
