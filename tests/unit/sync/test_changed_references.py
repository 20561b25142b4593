"""A linked referral is ours whatever its external reference says; one without a link is known by its reference alone.

Source: docs/protocol.md#an-environment-touches-only-its-own.
"""

from collections.abc import Iterator

import pytest

from tests.unit.sync.harness import Harness, Instance
from tests.unit.sync.inbound_deals import microsoft_sends_deal, opportunities_of, opportunity_of

OTHERS = "006000000000009AAA"


@pytest.fixture
def staging() -> Iterator[Harness]:
    """An environment outside production."""
    with Harness(tag="TEST") as harness:
        yield harness


def renamed(harness: Harness, reference: str | None) -> tuple[str, str]:
    """A linked deal whose amount and external reference a colleague has changed; its opportunity and its referral."""
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.colleague_edits(referral, externalReferenceId=reference, details_dealValue=5)
    return deal, referral


@pytest.mark.parametrize("reference", [f"TEST:{OTHERS}", "CRM:4711", OTHERS, None])
@pytest.mark.parametrize("way", ["sweep", "event"])
def test_a_linked_referral_with_another_reference_is_still_followed(
    harness: Harness, reference: str | None, way: str
) -> None:
    deal, referral = renamed(harness, reference)
    if way == "sweep":
        harness.sweep()
    else:
        harness.pull_event(referral)
    assert harness.opportunity(deal)["Amount"] == 5


@pytest.mark.parametrize("reference", [OTHERS, "TEST2:" + OTHERS])
def test_staging_follows_what_it_linked_and_adopts_nothing_else(staging: Harness, reference: str) -> None:
    deal, _ = renamed(staging, reference)
    foreign = microsoft_sends_deal(staging)
    tagged = staging.partner_center.portal_creates({"externalReferenceId": f"TEST2:{OTHERS}"})
    staging.sweep()
    assert staging.opportunity(deal)["Amount"] == 5
    assert [opportunities_of(staging, one) for one in (foreign, tagged)] == [[], []]
    staging.forget_calls()
    staging.sweep()
    assert staging.new_calls() == {"partner_center.list": 1}


def test_a_deal_of_the_portal_arrives_in_production_whatever_text_a_colleague_gave_it(harness: Harness) -> None:
    ours = microsoft_sends_deal(harness)
    harness.colleague_edits(ours, externalReferenceId="CRM:4711")
    staging = harness.partner_center.portal_creates({"externalReferenceId": f"TEST:{OTHERS}"})
    harness.sweep()
    assert opportunity_of(harness, ours)["Name"]
    assert opportunities_of(harness, staging) == []


def test_a_referral_whose_run_stopped_before_it_led_to_its_deal_is_followed_under_another_reference(
    harness: Harness,
) -> None:
    deal = harness.seller_creates()
    crashing = harness.new_instance()
    crashing.process.interrupt_at("store.insert_pointer", crashing.process.crash)
    assert crashing.crashes_during(Instance.push)
    (created,) = harness.our_referrals()
    harness.colleague_edits(created["id"], externalReferenceId=f"TEST:{OTHERS}", details_dealValue=5)
    harness.run_rounds(by=harness.first)
    harness.sweep()
    assert harness.stored_link(deal).referral_id == created["id"]
    assert harness.opportunity(deal)["Amount"] == 5
    assert len(harness.our_referrals()) == 1
