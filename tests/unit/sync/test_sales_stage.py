"""Sales stage, campaign and referral program travel both ways, where the org has their columns (issue 13, item 4)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.sync.column_rights import restrict_columns
from tests.unit.sync.deal_columns import CAMPAIGN, PROGRAM, SALES_STAGE, THREE, column, has_column, make_columns
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import accepted_deal, arrived_deal, assert_quiet

PATHS = {
    SALES_STAGE: ("salesStage", "40"),
    CAMPAIGN: ("campaignId", "SPRING-26"),
    PROGRAM: ("referralProgram", "Build"),
}
each_column = pytest.mark.parametrize("name", THREE)


@pytest.fixture
def equipped() -> Iterator[Harness]:
    """An org with the three columns."""
    with Harness() as harness:
        make_columns(harness, *THREE)
        yield harness


def lacking(harness: Harness) -> None:
    """From now on the org is as if it had none of the three columns."""
    restrict_columns(harness, hidden=[f"Opportunity.{name}" for name in THREE if has_column(harness, name)])
    harness.ask_org_again()
    assert set(harness.translation.absent) >= {"sales_stage", "campaign", "referral_program"}


def mark_of(harness: Harness, deal: str) -> object:
    return harness.opportunity(deal)["Sync_Status__c"]


@each_column
def test_a_new_deal_carries_the_value_and_a_later_edit_travels(equipped: Harness, name: str) -> None:
    key, value = PATHS[name]
    deal = equipped.shared_deal(**{name: "20"})
    assert equipped.referral_of(deal)[key] == "20"
    equipped.seller_edits(deal, **{name: value})
    equipped.push()
    assert equipped.referral_of(deal)[key] == value
    assert equipped.new_calls()["partner_center.patch"] == 1
    assert mark_of(equipped, deal) == "Synced"
    assert_quiet(equipped)


@each_column
def test_an_edit_in_partner_center_arrives(equipped: Harness, name: str) -> None:
    key, value = PATHS[name]
    deal = equipped.shared_deal()
    equipped.colleague_edits(equipped.referral_of(deal)["id"], **{key: value})
    equipped.sweep()
    assert equipped.opportunity(deal)[name] == value
    assert equipped.count_in_audit(deal, f"empty → {value}") == 1
    assert_quiet(equipped)


def test_a_deal_that_arrives_has_the_values_of_its_referral(equipped: Harness) -> None:
    values = dict(PATHS.values())
    _, deal = arrived_deal(equipped, **values)
    assert {name: equipped.opportunity(deal)[name] for name in THREE} == {name: PATHS[name][1] for name in THREE}
    assert_quiet(equipped)


@pytest.mark.parametrize(
    ("word", "percent"), [("Qualify", "20"), ("Develop", "40"), ("Propose", "60"), ("Close", "80")]
)
def test_the_words_of_the_other_reading_mean_percentages(equipped: Harness, word: str, percent: str) -> None:
    deal = equipped.shared_deal()
    equipped.colleague_edits(equipped.referral_of(deal)["id"], salesStage=word)
    equipped.sweep()
    assert equipped.opportunity(deal)[SALES_STAGE] == percent
    assert equipped.referral_of(deal)["salesStage"] == word, "nothing is written because of its spelling alone"
    assert_quiet(equipped)


def test_an_unknown_sales_stage_of_partner_center_is_left_alone_and_told_once(equipped: Harness) -> None:
    deal = equipped.shared_deal(**{SALES_STAGE: "20"})
    equipped.partner_center.raw_patch(equipped.referral_of(deal)["id"], {"/salesStage": "Nearly there"})
    for _ in range(3):
        equipped.sweep()
    assert equipped.opportunity(deal)[SALES_STAGE] == "20"
    assert equipped.referral_of(deal)["salesStage"] == "Nearly there"
    assert equipped.count_in_audit(deal, "Nearly there is no known sales stage") == 1
    assert mark_of(equipped, deal) == "Synced with differences"
    assert_quiet(equipped)


def test_an_unknown_sales_stage_of_salesforce_is_left_alone_and_told_once(equipped: Harness) -> None:
    deal = equipped.shared_deal(**{SALES_STAGE: "20"})
    equipped.seller_edits(deal, **{SALES_STAGE: "95", "Amount": 12_000})
    equipped.run_rounds(2)
    assert (equipped.referral_of(deal)["salesStage"], equipped.referral_of(deal)["details"]["dealValue"]) == (
        "20",
        12_000,
    )
    assert equipped.count_in_audit(deal, "95 is no sales stage that Partner Center takes") == 1
    assert_quiet(equipped)


@pytest.mark.parametrize("kind", ["Number", "Percent"])
def test_a_number_of_the_customers_own_shows_and_sends_the_percentage(tmp_path: Path, kind: str) -> None:
    own = tmp_path / "own.toml"
    own.write_text('extends = "default"\n[fields.sales_stage]\nsalesforce = "Progress__c"\n', "utf-8")
    with Harness(mapping=own) as harness:
        number = column("Progress__c", kind, "<precision>5</precision><scale>1</scale>")
        harness.salesforce.make_field("Opportunity", number)
        harness.ask_org_again()
        deal = harness.shared_deal(Progress__c=20)
        assert harness.referral_of(deal)["salesStage"] == "20"
        harness.colleague_edits(harness.referral_of(deal)["id"], salesStage="60")
        harness.sweep()
        assert harness.opportunity(deal)["Progress__c"] == 60
        harness.seller_edits(deal, Progress__c=80)
        harness.push()
        assert harness.referral_of(deal)["salesStage"] == "80"
        assert mark_of(harness, deal) == "Synced"
        assert_quiet(harness)


@each_column
def test_a_value_emptied_in_salesforce_is_not_sent_and_told_once(equipped: Harness, name: str) -> None:
    key, value = PATHS[name]
    deal = equipped.shared_deal(**{name: value})
    equipped.seller_edits(deal, **{name: None})
    equipped.run_rounds(2)
    assert equipped.referral_of(deal)[key] == value
    assert equipped.count_in_audit(deal, "was emptied, but Partner Center needs a value") == 1
    assert mark_of(equipped, deal) == "Synced with differences"
    assert_quiet(equipped)


@each_column
def test_a_value_emptied_in_partner_center_is_emptied_here(equipped: Harness, name: str) -> None:
    key, value = PATHS[name]
    deal = equipped.shared_deal(**{name: value})
    equipped.colleague_edits(equipped.referral_of(deal)["id"], **{key: None})
    equipped.sweep()
    assert equipped.opportunity(deal)[name] is None
    assert_quiet(equipped)


def test_an_edit_on_both_sides_keeps_that_of_salesforce_and_tells_the_other(equipped: Harness) -> None:
    deal = equipped.shared_deal(**{SALES_STAGE: "20"})
    equipped.colleague_edits(equipped.referral_of(deal)["id"], salesStage="40")
    equipped.seller_edits(deal, **{SALES_STAGE: "60"})
    equipped.run_rounds(1)
    assert (equipped.referral_of(deal)["salesStage"], equipped.opportunity(deal)[SALES_STAGE]) == ("60", "60")
    assert equipped.count_in_audit(deal, "was changed on both sides. Kept: 60. Discarded: 40.") == 1


def test_a_deal_that_is_not_accepted_sends_no_sales_stage_before_its_answer(equipped: Harness) -> None:
    referral, deal = arrived_deal(equipped)
    equipped.seller_edits(deal, **{SALES_STAGE: "20"})
    equipped.run_rounds(1)
    assert equipped.partner_center.referral(referral)["salesStage"] is None
    equipped.seller_edits(deal, StageName="Qualification")
    equipped.run_rounds(1)
    assert equipped.partner_center.referral(referral)["salesStage"] == "20"


# --- an org without the columns


@each_column
def test_an_org_without_the_columns_gets_no_mark_and_no_line(harness: Harness, name: str) -> None:
    key, value = PATHS[name]
    lacking(harness)
    deal = harness.shared_deal()
    referral, arrived = accepted_deal(harness, **{key: value})
    harness.colleague_edits(harness.referral_of(deal)["id"], **{key: value})
    harness.seller_edits(deal, Amount=12_000)
    harness.run_rounds(2)
    assert (mark_of(harness, deal), mark_of(harness, arrived)) == ("Synced", "Synced")
    assert all(harness.count_in_audit(one, "__c") == 0 for one in (deal, arrived))
    assert (harness.referral_of(deal)[key], harness.partner_center.referral(referral)[key]) == (value, value)
    assert_quiet(harness)


def test_the_first_look_after_the_column_came_reads_the_referral_and_loses_no_edit(harness: Harness) -> None:
    lacking(harness)
    deal = harness.shared_deal()
    harness.colleague_edits(harness.referral_of(deal)["id"], campaignId="FROM-THE-PORTAL")
    harness.sweep()
    harness.salesforce.org.rights_of = lambda _: None
    make_columns(harness, *THREE)
    harness.forget_calls()
    harness.seller_edits(deal, **{SALES_STAGE: "40"})
    harness.push()
    calls = harness.new_calls()
    assert (calls["partner_center.get"], calls["partner_center.patch"]) == (1, 1)
    assert harness.referral_of(deal)["salesStage"] == "40"
    assert harness.opportunity(deal)[CAMPAIGN] == "FROM-THE-PORTAL"
    assert_quiet(harness)
