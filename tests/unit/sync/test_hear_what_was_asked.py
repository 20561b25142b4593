"""A request for help and Microsoft's record of it: shown at once, found by its event, and read beside other work."""

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.crash_points import EVERY_NTH, every_nth
from tests.unit.sync.harness import MINUTE, Harness
from tests.unit.sync.heard_deals import ANSWER_BY, STATUS, accept, hear, heard_deal, microsofts, shown_news
from tests.unit.sync.helped_deals import HELP, PROOF, complete_deal, helped_deal, microsofts_record
from tests.unit.sync.inbound_deals import assert_quiet, recover_after_lease

TWO_MINUTES = 2 * MINUTE


def test_a_request_is_shown_with_the_one_write_back_of_both_creates(harness: Harness) -> None:
    deal = complete_deal(harness, **{HELP: PROOF})
    harness.push()
    harness.forget_calls()
    harness.push(TWO_MINUTES)
    calls = harness.new_calls()
    writes = calls["salesforce.write_back"] + calls["salesforce.conditional"]
    assert (calls["partner_center.create"], writes) == (2, 1), calls
    assert harness.opportunity(deal)[STATUS] == "Asked"
    assert harness.opportunity(deal)[ANSWER_BY][:19] == microsofts_record(harness, deal)["expirationDateTime"][:19]
    assert harness.count_in_audit(deal, "Microsoft was asked for help:") == 1


def test_the_event_of_our_own_request_costs_one_read(harness: Harness) -> None:
    deal = helped_deal(harness)
    hear(harness, deal)
    assert harness.new_calls() == {"partner_center.get": 1}


@pytest.mark.parametrize("names", ["theirs", "ours"])
@pytest.mark.parametrize("lists", ["all", "engagement"])
def test_the_event_of_a_request_whose_reply_was_lost_confirms_it(harness: Harness, names: str, lists: str) -> None:
    harness.partner_center.switches.related_event_names = names
    harness.partner_center.switches.related_lists = lists
    deal = complete_deal(harness, **{HELP: PROOF})
    harness.push()
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="POST", skip=1))
    harness.push(TWO_MINUTES)
    assert harness.stored_link(deal).help is not None
    hear(harness, deal)
    request = harness.stored_link(deal).help
    assert request is not None
    assert request.is_asked
    assert harness.opportunity(deal)[STATUS] == "Asked"
    assert harness.count_in_audit(deal, "Microsoft was asked for help:") == 1
    recover_after_lease(harness)
    assert microsofts_record(harness, deal)["status"] == "New"
    assert_quiet(harness)


def test_an_event_that_overtakes_the_reply_to_the_request_is_heard_later(harness: Harness) -> None:
    deal = complete_deal(harness, **{HELP: PROOF})
    harness.push()
    other = harness.new_instance()
    harness.first.process.interrupt_at("partner_center.create", lambda: hear(harness, deal, other), after=True, skip=1)
    harness.push(TWO_MINUTES)
    assert harness.opportunity(deal)[STATUS] == "Asked"
    harness.run_rounds()
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
    assert harness.count_in_audit(deal, "Microsoft was asked for help:") == 1
    assert_quiet(harness)


def test_a_colleagues_request_is_told_when_its_event_comes(harness: Harness) -> None:
    deal = heard_deal(harness)
    request = harness.stored_link(deal).help
    assert request is not None
    assert request.is_asked
    assert harness.count_in_audit(deal, "has been asked for help with this deal already") == 1


@pytest.mark.parametrize("every", EVERY_NTH)
def test_a_hearing_at_any_call_of_a_push_of_the_same_deal_loses_nothing(every: int) -> None:
    with Harness() as harness:
        deal = heard_deal(harness)
        accept(harness, deal)
        harness.seller_edits(deal, Amount=12_000)
        harness.first.process.calls.clear()
        harness.push()
        numbers = list(range(len(harness.first.process.calls)))
    assert len(numbers) > 8
    for number in every_nth(numbers, every):
        with Harness() as harness:
            deal = heard_deal(harness)
            accept(harness, deal)
            harness.seller_edits(deal, Amount=12_000)
            first, second = harness.new_instance(), harness.new_instance()
            first.process.interrupt_at("", lambda: hear(harness, deal, second), skip=number)  # noqa: B023 - called in this round
            first.push()
            recover_after_lease(harness)
            assert shown_news(harness, deal)[:2] == ("Accepted", "7-1")
            assert harness.referral_of(deal)["details"]["dealValue"] == harness.opportunity(deal)["Amount"] == 12_000
            assert harness.count_in_audit(deal, "Microsoft has accepted this deal") == 1
            assert_quiet(harness)


def test_every_deal_of_ours_in_an_engagement_hears_its_records(harness: Harness) -> None:
    deal, other = heard_deal(harness), harness.shared_deal(Name="The same engagement")
    record = microsofts(harness, deal)
    harness.store.keep_party(record["engagementId"], record["id"], [deal, other])
    accept(harness, deal)
    hear(harness, deal)
    assert [harness.opportunity(one)[STATUS] for one in (deal, other)] == ["Accepted", "Accepted"]
