"""What the settings ask of a deal before it is sent, shown to Microsoft, or sent with a request for help."""

from datetime import UTC, datetime

import pytest

from shared.domain.audit import Line
from shared.domain.deal import VISIBLE, Status
from shared.domain.permission import refusals_to_ask, refusals_to_create, visibility_latch, withdrawn_consent_lines
from shared.domain.policy import Policy
from shared.domain.sentences import LineDirection, cause
from shared.domain.sharing import Sharing

STAGING, CHECKBOX = Policy(may_share=False), Policy(needs_consent=True)


def codes(sharing: Sharing, policy: Policy) -> list[str]:
    return [found.code for found in refusals_to_create(sharing, policy).values()]


@pytest.mark.parametrize("sharing", [Sharing(visible=True), Sharing(help="General or Other")])
def test_a_shared_deal_is_sent_by_production_only(sharing: Sharing) -> None:
    assert (codes(sharing, STAGING), codes(sharing, Policy())) == (["not_from_staging"], [])


def test_a_private_deal_is_sent_by_every_environment() -> None:
    assert codes(Sharing(visible=False), STAGING) == []


@pytest.mark.parametrize(("consents", "code"), [(True, []), (False, ["no_consent"]), (None, ["no_consents_field"])])
def test_the_checkbox_decides_where_the_setting_says_so(consents: bool | None, code: list[str]) -> None:
    assert (codes(Sharing(consents=consents), CHECKBOX), codes(Sharing(consents=consents), Policy())) == (code, [])


def test_help_needs_a_production_and_the_consent() -> None:
    asking = Sharing(help="General or Other", consents=False)
    found = refusals_to_ask(asking, Policy(may_share=False, needs_consent=True))
    assert {name: each.code for name, each in found.items()} == {
        "help": "help_not_from_staging",
        "consents": "help_without_consent",
    }
    unknown = refusals_to_ask(Sharing(help="General or Other"), CHECKBOX)
    assert [each.code for each in unknown.values()] == ["no_consents_field"]
    assert refusals_to_ask(asking, Policy()) == {}


@pytest.mark.parametrize(
    ("status", "code"),
    [(Status("Active", "Accepted"), "not_from_staging"), (Status("Closed", "Won"), "closed_is_final")],
)
def test_a_closed_deal_is_told_as_closed(status: Status, code: str) -> None:
    latch = visibility_latch(status, VISIBLE, STAGING)
    assert latch is not None
    assert latch.code == code


@pytest.mark.parametrize("status", [None, Status("Active", "Accepted"), Status("Closed", "Won")])
@pytest.mark.parametrize("consents", [True, False, None])
@pytest.mark.parametrize("policy", [CHECKBOX, Policy()])
def test_a_withdrawn_consent_is_told_of_an_open_deal_where_the_checkbox_decides(
    policy: Policy, consents: bool | None, status: Status | None
) -> None:
    told = withdrawn_consent_lines(Sharing(consents=consents), status, policy, datetime(2026, 11, 22, tzinfo=UTC))
    is_open = status is None or not status.is_final
    assert bool(told) == (policy is CHECKBOX and consents is False and is_open)


def test_each_refusal_names_its_field() -> None:
    shown, helped = Sharing(visible=True), Sharing(visible=True, help="General or Other", consents=False)
    assert refusals_to_create(shown, STAGING) == {"visibility": cause("not_from_staging", "visibility")}
    assert refusals_to_create(shown, CHECKBOX) == {"consents": cause("no_consents_field", "consents")}
    assert refusals_to_ask(helped, STAGING) == {"help": cause("help_not_from_staging", "help")}
    assert refusals_to_ask(helped, CHECKBOX) == {"consents": cause("help_without_consent", "consents")}


def test_a_column_that_nobody_approved_shares_nothing() -> None:
    policy, helped = (
        Policy(unapproved=frozenset({"help", "visibility"})),
        Sharing(visible=True, help="General or Other"),
    )
    shown = cause("newly_sent", "visibility", label="Visible to Microsoft sellers")
    assert refusals_to_ask(helped, policy) == {
        "visibility": shown, "help": cause("newly_sent", "help", label="How can Microsoft help?")
    }  # fmt: skip
    assert refusals_to_ask(Sharing(visible=True), policy) == {"visibility": shown}
    assert refusals_to_ask(helped, Policy()) == {}


def test_the_line_about_a_withdrawn_consent_is_about_the_checkbox() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    line = Line(now, "consent_withdrawn", LineDirection.NOTE, None, "consents")
    assert withdrawn_consent_lines(Sharing(consents=False), None, CHECKBOX, now) == {"consent_withdrawn": line}
