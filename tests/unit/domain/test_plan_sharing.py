"""What the plan of one pair says of sharing and of help (docs/protocol.md#what-cannot-be-undone-waits)."""

from copy import replace
from datetime import date
from decimal import Decimal
from typing import Any

from shared.domain.audit import IRREVERSIBLE
from shared.domain.deal import (
    PRIVATE,
    STATUS,
    VISIBILITY,
    VISIBLE,
    Change,
    Company,
    Money,
    Person,
    fingerprint,
)
from shared.domain.field_rules import Rules
from shared.domain.help_request import HelpRequest, HelpStep, sharing_mark
from shared.domain.link import Difference, Link
from shared.domain.planned import Plan
from shared.domain.policy import Policy
from shared.domain.sharing import Sharing
from tests.unit.domain.planned_pairs import (
    AGREED,
    BEFORE,
    LINK,
    NOW,
    RULES,
    SHOWN,
    WAIT,
    WON,
    codes,
    plan_with,
)

TICKED = replace(LINK, base=AGREED.with_values({VISIBILITY: PRIVATE}))
WITH_SHARING = Rules({**RULES.by_field, VISIBILITY: SHOWN}, "m")
HELP = Sharing(visible=True, help="General or Other")


def shared(ours: str, *, link: Link = TICKED, theirs: str = PRIVATE, sharing: Sharing | None = None) -> Plan:
    seen: dict[str, Any] = {"deal": AGREED.with_values({VISIBILITY: ours}), "sharing": sharing or Sharing(visible=True)}
    return plan_with(None, {VISIBILITY: theirs}, link=link, rules=WITH_SHARING, seen=seen)


def test_a_tick_waits_is_told_and_is_sent() -> None:
    first = shared(VISIBLE)
    record = Difference(fingerprint(VISIBLE), IRREVERSIBLE, NOW)
    assert (first.to_partner_center, first.waiting, first.due) == ((), {VISIBILITY: record}, NOW + WAIT)
    assert [(line.code, line.values["until"]) for line in first.lines] == [("waiting", "12:02")]
    again = shared(VISIBLE, link=replace(TICKED, waiting=first.waiting))
    assert (again.lines, again.waiting) == ((), first.waiting)
    stood = replace(TICKED, waiting={VISIBILITY: replace(record, since=NOW - WAIT)})
    change = Change(VISIBILITY, "Visible", PRIVATE, VISIBLE)
    assert (shared(VISIBLE, link=stood).to_partner_center, shared(VISIBLE, link=stood).to_salesforce) == ((change,), ())


def test_a_deal_that_is_shared_there_is_ticked_here() -> None:
    assert shared(PRIVATE, theirs=VISIBLE).to_salesforce == (Change(VISIBILITY, "Visible", PRIVATE, VISIBLE),)


def test_notes_to_microsoft_without_help_are_told_once() -> None:
    found = shared(PRIVATE, sharing=Sharing(notes="n"))
    assert (codes(found), found.reported, found.help) == (["notes_alone"], ("notes_alone",), None)


def test_a_request_waits_until_microsoft_has_seen_it_or_sees_the_deal() -> None:
    known = HelpRequest("GeneralOrOther", None, BEFORE)
    found = shared(VISIBLE, theirs=VISIBLE, sharing=HELP, link=replace(TICKED, help=known))
    assert (found.help, found.due) == (HelpStep.LOOK, NOW)
    asked = replace(known, is_asked=True)
    assert shared(VISIBLE, theirs=VISIBLE, sharing=HELP, link=replace(TICKED, help=asked)).help is None
    stood = {"help": Difference(sharing_mark(HELP), IRREVERSIBLE, NOW - WAIT)}
    private = shared(PRIVATE, link=replace(TICKED, help=known), sharing=Sharing(help="General or Other"))
    assert private.help is HelpStep.LOOK
    lacking = shared(VISIBLE, theirs=VISIBLE, sharing=HELP, link=replace(TICKED, waiting=stood))
    assert (lacking.help, {line.code for line in lacking.lines}) == (None, {"help_lacks", "help_without_contact"})
    assert lacking.cause is not None


# --- help with a deal that Microsoft can be asked about

WHOLE = AGREED.with_values(
    {
        "name": "Robots",
        "account": Company("Northwind", "US"),
        "money": Money(Decimal(5), "USD"),
        "closing": date(2026, 12, 31),
        "solutions": ("SOL-1",),
        VISIBILITY: PRIVATE,
        "team": (Person("One", "Ann", "ann@contoso.example", "1"),),
        "contacts": (Person("Lind", "Ada", "ada@northwind.example", "1"),),
    }
)
ASKING = Sharing(visible=False, help="General or Other")
STOOD = Difference(sharing_mark(ASKING), IRREVERSIBLE, NOW - WAIT)


def asking(
    link: Link = TICKED,
    theirs: str = PRIVATE,
    sharing: Sharing = ASKING,
    policy: Policy = Policy(irreversible_wait=WAIT),  # noqa: B008 # frozen
    **others: Any,  # noqa: ANN401 # what else differs
) -> Plan:
    """The plan of a deal that nobody has ticked as visible, and about which Microsoft can be asked."""
    seen = {"deal": WHOLE.with_values(others.pop("ours", {})), "sharing": sharing}
    read = {"deal": WHOLE.with_values({VISIBILITY: theirs})}
    return plan_with(link=link, rules=WITH_SHARING, seen=seen, read=read, policy=policy, **others)


def test_help_lets_microsoft_see_a_deal_once_it_has_stood_and_is_told_once() -> None:
    first = asking()
    assert (first.to_partner_center, first.help, codes(first)) == ((), None, ["waits_to_ask"])
    assert (first.waiting[VISIBILITY].value, first.due) == (sharing_mark(ASKING), NOW + WAIT)
    again = asking(replace(TICKED, waiting=first.waiting))
    assert (again.lines, again.waiting) == ((), first.waiting)
    last = asking(replace(TICKED, waiting={VISIBILITY: STOOD, "help": STOOD}))
    shown = Change(VISIBILITY, "Visible", PRIVATE, VISIBLE)
    assert (last.to_partner_center, last.to_salesforce, last.help) == ((shown,), (shown,), HelpStep.ASK)
    assert asking(replace(TICKED, waiting={"help": STOOD}), VISIBLE).help is HelpStep.ASK


def test_microsoft_is_not_asked_about_a_deal_that_it_may_not_see() -> None:
    kept = Policy(irreversible_wait=WAIT, may_share=False)
    found = asking(replace(TICKED, waiting={VISIBILITY: STOOD, "help": STOOD}), policy=kept)
    assert (found.to_partner_center, found.help) == ((), None)


def test_help_that_cannot_be_asked_for_shares_nothing() -> None:
    found = asking(ours={"solutions": None})
    assert (found.to_partner_center, found.waiting, codes(found)) == ((), {}, ["help_lacks"])


def test_what_else_is_told_of_the_pair_stays_told_when_help_is_asked_for() -> None:
    assert codes(asking(ours={"notes": None})) == ["not_clearable", "waits_to_ask"]


def test_a_complete_deal_without_help_stays_private() -> None:
    found = asking(sharing=Sharing(visible=False))
    assert (found.to_partner_center, found.to_salesforce, found.waiting) == ((), (), {})


def test_who_asks_for_help_agrees_anew_to_a_visibility_whose_tick_they_had_cleared() -> None:
    visible = replace(LINK, base=AGREED.with_values({VISIBILITY: VISIBLE}))
    tick = Change(VISIBILITY, "Visible", PRIVATE, VISIBLE)
    assert asking(visible, VISIBLE).to_salesforce == (tick,)
    for link, sharing in (
        (visible, Sharing(visible=False)),
        (replace(visible, help=HelpRequest("GeneralOrOther", None, BEFORE, is_asked=True)), ASKING),
    ):
        found = asking(link, VISIBLE, sharing)
        assert (found.to_salesforce, [one.code for one in found.refused.values()]) == ((), ["stays_visible"])


def test_microsoft_is_not_asked_about_its_own_deal() -> None:
    read = {"deal": WHOLE, "is_from_microsoft": True}
    found = plan_with(link=TICKED, rules=WITH_SHARING, seen={"deal": WHOLE, "sharing": ASKING}, read=read)
    assert codes(found) == ["help_from_microsoft"]


def test_the_pair_is_looked_at_again_at_the_first_of_its_times() -> None:
    stands = Difference(fingerprint(WON), IRREVERSIBLE, NOW - WAIT / 2)
    link = replace(TICKED, waiting={STATUS: stands}, help=HelpRequest("GeneralOrOther", None, NOW))
    found = asking(link, VISIBLE, ours={STATUS: WON, VISIBILITY: VISIBLE})
    assert found.due == NOW + WAIT / 2
