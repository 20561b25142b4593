"""What becomes of an amount in a currency that Salesforce cannot hold (docs/protocol.md#currencies)."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from shared.domain.audit import Line
from shared.domain.currencies import Conversion
from shared.domain.deal import Change, Deal, Money, Side, Value, fingerprint
from shared.domain.field_rules import Direction, Rule, Rules
from shared.domain.foreign_money import (
    KeptOut,
    foreign_lines,
    foreign_records,
    given_to_salesforce,
    keep_out,
    value_for_base,
)
from shared.domain.link import Difference, Link
from shared.domain.merge import Merged
from shared.domain.sentences import LineDirection

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
DOLLARS = Rule("money", "Amount", currencies=frozenset({"USD"}))
CONVERTING = Rule(
    "money", "Amount", currencies=frozenset({"USD"}), conversion=Conversion("USD", {"EUR": Decimal("1.08")})
)
EUR_900, USD_972, USD_500 = (
    Money(Decimal(amount), code) for amount, code in (("900.00", "EUR"), ("972.00", "USD"), ("500.00", "USD"))
)


def kept(
    rule: Rule, ours: Value | None, theirs: Value | None, base: Value | None = None, link: Link | None = None
) -> KeptOut | None:
    return keep_out(link or Link("006"), base, Merged(rule, ours, ours, theirs, Side.PARTNER_CENTER), NOW)


def codes(kept_out: KeptOut | None) -> list[str]:
    assert kept_out is not None
    return [line.code for line in kept_out.lines]


@pytest.mark.parametrize("theirs", [None, USD_500])
def test_a_value_that_salesforce_can_hold_is_none_of_it(theirs: Value | None) -> None:
    assert kept(DOLLARS, USD_972, theirs) is None


def test_an_opportunity_in_the_same_currency_goes_on() -> None:
    assert kept(DOLLARS, Money(Decimal("1.00"), "EUR"), EUR_900) is None


def test_the_other_amount_is_recorded_and_told_and_nothing_is_written() -> None:
    found = kept(DOLLARS, None, EUR_900)
    assert found is not None
    assert found.refused == {"salesforce.money": Difference(fingerprint(EUR_900), "currency_not_held", NOW)}
    assert (found.base, found.changes) == (None, ())
    assert codes(found) == ["currency_not_held"]


def test_a_known_amount_is_not_told_again_and_keeps_its_time() -> None:
    known = Difference(fingerprint(EUR_900), "currency_not_held", NOW.replace(year=2025))
    found = kept(DOLLARS, None, EUR_900, link=Link("006", refused={"salesforce.money": known}))
    assert found == KeptOut({"salesforce.money": known}, None)


def test_a_sellers_amount_is_refused_and_told() -> None:
    found = kept(DOLLARS, USD_500, EUR_900)
    assert found is not None
    assert found.refused["partner_center.money"] == Difference(fingerprint(USD_500), "amount_left_out", NOW)
    assert codes(found) == ["currency_not_held", "amount_left_out"]
    again = kept(DOLLARS, USD_500, EUR_900, link=Link("006", refused=found.refused))
    assert again == KeptOut(found.refused, None)


def test_an_amount_from_before_the_other_currency_is_no_edit() -> None:
    found = kept(DOLLARS, USD_500, EUR_900, base=USD_500)
    assert codes(found) == ["currency_not_held"]


def test_a_rate_converts_and_the_line_names_it() -> None:
    found = kept(CONVERTING, None, EUR_900)
    assert found is not None
    assert [(change.old, change.new) for change in found.changes] == [(None, USD_972)]
    assert codes(found) == ["currency_converted"]
    assert 'shows "972.00 USD" for it, at the rate 1.08' in found.lines[0].text


def test_a_converted_amount_is_written_once() -> None:
    first = kept(CONVERTING, None, EUR_900)
    assert first is not None
    link = Link("006", refused=first.refused)
    assert kept(CONVERTING, USD_972, EUR_900, base=USD_972, link=link) == KeptOut(first.refused, USD_972)
    edited = kept(CONVERTING, USD_500, EUR_900, base=USD_972, link=link)
    assert (codes(edited), edited.changes if edited else None) == (["amount_left_out"], ())


def test_a_currency_without_a_rate_and_an_amount_that_is_too_long_are_kept_out() -> None:
    assert codes(kept(CONVERTING, None, Money(Decimal(1), "JPY"))) == ["currency_not_held"]
    assert codes(kept(CONVERTING, None, Money(Decimal("9" * 26), "EUR"))) == ["currency_not_held"]


def test_a_conversion_to_a_currency_that_the_org_lacks_converts_nothing() -> None:
    rule = Rule("money", "Amount", currencies=frozenset({"GBP"}), conversion=CONVERTING.conversion)
    assert codes(kept(rule, None, EUR_900)) == ["currency_not_held"]


def test_a_new_opportunity_receives_what_it_can_hold() -> None:
    deal = Deal({"money": EUR_900, "name": "Deal"})
    for rule, given in ((DOLLARS, None), (CONVERTING, USD_972)):
        rules = Rules({"money": rule, "name": Rule("name", "Name")})
        assert given_to_salesforce(deal, rules) == Deal({"money": given, "name": "Deal"})
        assert len(foreign_lines(deal, rules, NOW)) == 1
    held = Rules({"money": Rule("money", "Amount", Direction.BOTH, currencies=frozenset({"EUR"}))})
    assert given_to_salesforce(deal, held) is deal
    assert foreign_lines(deal, held, NOW) == []


@pytest.mark.parametrize(("code", "taken"), [("currency_converted", USD_972), ("currency_not_held", EUR_900)])
def test_the_base_takes_a_converted_amount_as_salesforce_holds_it(code: str, taken: Value) -> None:
    link = Link("006", refused={"salesforce.money": Difference(fingerprint(EUR_900), code, NOW)})
    assert value_for_base(link, Change("money", "Amount", None, USD_972), Deal({"money": EUR_900})) == taken


NOTE, LABEL = LineDirection.NOTE, {"label": "Amount"}


def test_the_lines_name_both_amounts_and_the_rate() -> None:
    side, code = Side.SALESFORCE, "currency_converted"
    values = {**LABEL, "converted": "972.00 USD", "rate": "1.08"}
    told = Line(NOW, code, NOTE, side, "money", "500.00 USD", "900.00 EUR", code, values)
    converted = {"salesforce.money": Difference(fingerprint(EUR_900), code, NOW)}
    change = Change("money", "Amount", USD_500, USD_972)
    assert kept(CONVERTING, USD_500, EUR_900, base=USD_500) == KeptOut(converted, USD_500, (told,), (change,))
    same = Line(NOW, code, NOTE, side, "money", "972.00 USD", "900.00 EUR", code, values)
    assert kept(CONVERTING, USD_972, EUR_900) == KeptOut(converted, USD_972, (same,))
    code = "currency_not_held"
    held = Line(NOW, code, NOTE, side, "money", "500.00 USD", "900.00 EUR", code, LABEL)
    unheld = {"salesforce.money": Difference(fingerprint(EUR_900), code, NOW)}
    assert kept(DOLLARS, USD_500, EUR_900, base=USD_500) == KeptOut(unheld, USD_500, (held,))


def test_a_sellers_amount_that_is_not_sent_is_told_beside_partner_centers() -> None:
    found = kept(DOLLARS, USD_500, EUR_900, base=USD_972)
    assert found is not None
    code, side = "amount_left_out", Side.PARTNER_CENTER
    assert found.lines[1] == Line(NOW, code, NOTE, side, "money", "900.00 EUR", "500.00 USD", code, LABEL)
    assert found.base == USD_972


def test_a_converted_amount_that_salesforce_refused_is_not_written_again() -> None:
    known = {"salesforce.money": Difference(fingerprint(USD_972), "refused_by_salesforce", NOW)}
    link = Link("006", refused=known)
    assert kept(CONVERTING, USD_500, EUR_900, base=USD_500, link=link) == KeptOut(known, USD_500)
    other = kept(CONVERTING, USD_500, Money(Decimal(1), "EUR"), base=USD_500, link=link)
    assert codes(other) == ["currency_converted"]


def test_a_new_opportunity_has_a_record_and_a_line_of_the_other_amount() -> None:
    deal = Deal({"money": EUR_900})
    for rule, code in ((DOLLARS, "currency_not_held"), (CONVERTING, "currency_converted")):
        rules = Rules({"money": rule})
        record = Difference(fingerprint(EUR_900), code, NOW)
        assert foreign_records(deal, rules, NOW) == {"salesforce.money": record}
        assert [(one.code, one.before, one.after) for one in foreign_lines(deal, rules, NOW)] == [
            (code, "empty", "900.00 EUR")
        ]


def test_the_base_takes_what_the_referral_holds_or_else_what_was_written() -> None:
    change = Change("money", "Amount", None, USD_972)
    assert value_for_base(Link("006"), change, Deal()) == USD_972
    assert value_for_base(Link("006"), change, Deal(money=None)) is None
