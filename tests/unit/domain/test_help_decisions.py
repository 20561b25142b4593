"""When Microsoft is asked for help, and what is told of it (docs/protocol.md#asking-microsoft-for-help)."""

from copy import replace
from datetime import UTC, datetime, timedelta

from shared.domain.audit import Line
from shared.domain.deal import Deal, Side, Status, fingerprint
from shared.domain.field_rules import Rules
from shared.domain.help_request import UNCONFIRMED, HelpRequest, HelpStep
from shared.domain.link import Difference, Link
from shared.domain.microsoft_record import notes_mark
from shared.domain.obstacles import help_obstacles
from shared.domain.plan_help import HelpDecision, decide_help, hindrance, unsent_notes_lines
from shared.domain.policy import Policy
from shared.domain.records import Opportunity
from shared.domain.sentences import LineDirection, cause
from shared.domain.sharing import LABEL_OF_HELP, LABEL_OF_NOTES, Sharing

NOW, HOUR = datetime(2026, 11, 22, 10, tzinfo=UTC), timedelta(hours=1)
ACTIVE, WON, NEW = Status("Active", "Accepted"), Status("Closed", "Won"), Status("New", "Pending")
WANTED = Sharing(visible=True, help="Proof Of Concept or Demo", notes="A demo.")
SEEN = Opportunity("006", Deal(status=ACTIVE), flagged=True, modified=NOW, sharing=WANTED)
LINK = Link("006", referral_id="r-1")
SENT = HelpRequest("ProofOfConceptOrDemo", notes_mark("A demo."), NOW - HOUR)


def decided(link: Link, seen: Opportunity = SEEN, status: Status | None = ACTIVE) -> HelpDecision:
    return decide_help(link, seen, status, Rules({}), NOW, Policy())


def not_synced(code: str, field: str, label: str, before: str | None = None, after: str | None = None) -> Line:
    side, direction = Side.PARTNER_CENTER, LineDirection.NOT_SYNCED
    return Line(NOW, code, direction, side, field, before, after, rule=code, values={"label": label})


def test_what_the_deal_lacks_is_looked_at_again_an_hour_later() -> None:
    causes = help_obstacles(SEEN, Rules({}), Policy())
    assert causes
    assert decided(LINK) == HelpDecision(causes=causes, due=NOW + HOUR)


def test_what_stops_help_is_told_of_the_field() -> None:
    found = decided(LINK, status=WON)
    assert found.told == (not_synced("help_closed", "help", LABEL_OF_HELP),)
    assert found.refused == {"partner_center.help": Difference(fingerprint("help"), "help_closed", NOW)}
    codes = [hindrance(SEEN, status) for status in (ACTIVE, None, NEW, WON)]
    assert codes == [None, None, "help_not_answered", "help_closed"]
    ended = replace(SEEN, deal=Deal(status=WON))
    assert (hindrance(ended, NEW), hindrance(ended, NEW, is_from_microsoft=True)) == (
        "help_closed",
        "help_from_microsoft",
    )


def test_what_is_changed_after_the_request_is_told_with_what_stays() -> None:
    link = replace(LINK, help=replace(SENT, is_asked=True))
    cleared = decided(link, replace(SEEN, sharing=Sharing(visible=True)))
    assert cleared.told == (
        not_synced("help_stays", "help", LABEL_OF_HELP, "Proof Of Concept or Demo", "empty"),
        not_synced("notes_stay", "notes_to_microsoft", LABEL_OF_NOTES),
    )
    assert cleared.refused["partner_center.notes_to_microsoft"].value == fingerprint(notes_mark(""))
    known = {"partner_center.help": cleared.refused["partner_center.help"]}
    again = decided(replace(link, refused=known), replace(SEEN, sharing=Sharing(visible=True)))
    assert [line.code for line in again.told] == ["notes_stay"]
    assert again.refused == cleared.refused
    other = decided(link, replace(SEEN, sharing=replace(WANTED, help="General or Other")))
    assert other.refused == {"partner_center.help": Difference(fingerprint("General or Other"), "help_stays", NOW)}
    unseen = replace(LINK, help=replace(SENT, is_asked=True, notes=None))
    assert decided(unseen, replace(SEEN, sharing=replace(WANTED, notes="Two."))).refused == {}


def test_a_question_names_the_field_and_is_forgotten_at_once_when_the_field_is_cleared() -> None:
    asking = replace(LINK, help=replace(SENT, is_question=True))
    question = {"help": cause(UNCONFIRMED, "help")}
    assert decided(asking) == HelpDecision(HelpStep.LOOK, causes=question, due=NOW + HOUR)
    assert decided(asking, replace(SEEN, sharing=Sharing())) == HelpDecision(HelpStep.FORGET, due=NOW)
    assert decided(asking, status=WON) == HelpDecision(HelpStep.LOOK, due=NOW)
    assert decided(replace(LINK, help=SENT)) == HelpDecision(HelpStep.LOOK, due=NOW)


def test_notes_alone_are_told_with_the_field() -> None:
    direction, side = LineDirection.NOTE, Side.PARTNER_CENTER
    line = Line(NOW, "notes_alone", direction, side, "notes_to_microsoft", values={"label": LABEL_OF_NOTES})
    assert unsent_notes_lines(NOW) == {"notes_alone": line}
