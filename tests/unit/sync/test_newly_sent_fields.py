"""A field that is newly sent, or sent from another column, sends nothing until an operator agrees
(docs/protocol.md#a-field-that-is-newly-sent)."""

from copy import replace
from datetime import timedelta

import pytest

from shared.domain.deal import Side
from shared.domain.mapping_change import with_approval
from shared.domain.obstacles import REQUIRED
from shared.mapping.location_field import LOCATION
from shared.mapping.outbound import outbound_sources
from shared.operations.newly_sent import approve_fields, find_new_fields, with_examples
from shared.sync.approved_fields import with_unapproved
from shared.sync.ports import Policy
from tests.unit.sync.changed_mappings import WITHOUT_NOTES, Write, change_mapping
from tests.unit.sync.emulated_systems import translation_of
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.helped_deals import GENERAL, add_contact

OTHER_COLUMN = '[fields.notes]\nsalesforce = "NextStep"\n'


def start(harness: Harness) -> frozenset[str]:
    """Start the app, as `shared/app.py` does at a run; returns the fields that nobody has approved."""
    harness.first.ctx = with_unapproved(harness.new_instance(Policy(hold_win=timedelta())).ctx)
    return harness.first.ctx.policy.unapproved


def approve(harness: Harness, *names: str) -> None:
    outbound = outbound_sources(harness.translation.file)
    harness.store.change_approval(lambda approved: with_approval(approved, names, outbound))


def notes_there(harness: Harness, deal: str) -> str | None:
    found: str | None = harness.referral_of(deal)["details"].get("notes")
    return found


def test_a_new_column_sends_nothing_until_it_is_approved_and_all_else_travels(write: Write) -> None:
    with Harness() as harness:
        assert start(harness) == frozenset(), "a store without links begins with the mapping as it is"
        deal = harness.shared_deal(Description="For both", NextStep="internal: margin 40 %")
        change_mapping(harness, write(OTHER_COLUMN))
        assert start(harness) == {"notes"}
        harness.seller_edits(deal, Amount=12000)
        for _ in range(3):
            harness.push(HOUR)
        assert harness.referral_of(deal)["details"]["dealValue"] == 12000
        assert notes_there(harness, deal) == "For both"
        assert harness.opportunity(deal)["Sync_Status__c"] == "Waiting"
        assert harness.count_in_audit(deal, "the mapping file sends it for the first time") == 1
        assert harness.only_retry_entry(Side.SALESFORCE).cause == "mapping_change"
        approve(harness, "notes")
        assert start(harness) == frozenset()
        harness.push(HOUR)
        assert "internal: margin 40 %" in (notes_there(harness, deal) or "")


def test_a_column_that_was_approved_once_needs_no_second_word(write: Write) -> None:
    with Harness() as harness:
        start(harness)
        harness.shared_deal()
        change_mapping(harness, write(OTHER_COLUMN))
        assert start(harness) == {"notes"}
        change_mapping(harness)
        assert start(harness) == frozenset()


def test_a_new_deal_is_created_without_the_field_and_waits_where_it_needs_it(write: Write) -> None:
    with Harness(mapping=write(WITHOUT_NOTES)) as harness:
        start(harness)
        harness.shared_deal()
        change_mapping(harness)
        assert start(harness) == {"notes"}
        deal = harness.seller_creates(Description="internal: margin 40 %")
        harness.push()
        harness.push(HOUR)
        assert not notes_there(harness, deal)
        policy = replace(harness.first.ctx.policy, unapproved=frozenset({"name"}))
        harness.first.ctx = replace(harness.first.ctx, policy=policy)
        harness.seller_creates(Name="internal: margin 40 %")
        harness.push()
        assert len(harness.our_referrals()) == 2, "a referral needs a name: the deal is held"


def test_an_upgrade_with_the_same_file_holds_nothing(write: Write) -> None:
    with Harness(mapping=write(WITHOUT_NOTES)) as harness:
        harness.shared_deal()
        assert harness.store.approved_fields() is None, "as a build before left it"
        assert start(harness) == frozenset()
        change_mapping(harness)
        assert start(harness) == {"notes"}, "the first start has stored it"


@pytest.mark.parametrize("direction", ["off", "to_salesforce"])
def test_an_upgrade_with_another_file_lets_no_field_go_that_may_not_have_been_sent(
    write: Write, direction: str
) -> None:
    """The base of a link is the same whichever way a field travelled."""
    with Harness(mapping=write(f'[fields.notes]\ndirection = "{direction}"\n')) as harness:
        deal = harness.shared_deal(Description="internal: margin 40 %")
        change_mapping(harness)
        unapproved = start(harness)
        assert "notes" in unapproved
        assert unapproved.isdisjoint(REQUIRED), "without these, no deal would go on"
        harness.seller_edits(deal, Amount=12000)
        for _ in range(3):
            harness.push(HOUR)
        assert harness.referral_of(deal)["details"]["dealValue"] == 12000
        assert not notes_there(harness, deal)


def test_another_column_of_the_closing_reason_closes_no_deal_until_it_is_approved(write: Write) -> None:
    with Harness() as harness:
        start(harness)
        deal = harness.shared_deal(NextStep="internal: margin 40 %")
        change_mapping(harness, write('[ours]\nreason_details = "NextStep"\n'))
        assert start(harness) == {"status"}
        harness.seller_edits(deal, StageName="Closed Lost", Closing_Reason__c="Not a customer")
        for _ in range(3):
            harness.push(HOUR)
        assert harness.referral_of(deal)["status"] == "Active"
        assert harness.opportunity(deal)["Sync_Status__c"] == "Waiting"
        approve(harness, "status")
        start(harness)
        for _ in range(3):
            harness.push(HOUR)
        assert harness.referral_of(deal)["statusReason"] == "Not a customer: internal: margin 40 %"


def test_other_notes_to_microsoft_ask_nobody_for_help_until_they_are_approved(write: Write) -> None:
    with Harness() as harness:
        start(harness)
        deal = harness.shared_deal(NextStep="internal: margin 40 %")
        add_contact(harness, deal)
        change_mapping(harness, write('[ours]\nnotes_to_microsoft = "NextStep"\n'))
        assert start(harness) == {"help"}
        harness.seller_edits(deal, How_can_Microsoft_help__c=GENERAL)
        add_contact(harness, harness.seller_creates(Name="New with help", How_can_Microsoft_help__c=GENERAL))
        for _ in range(3):
            harness.push(HOUR)
        assert len(harness.partner_center.referrals()) == 1
        assert harness.count_in_audit(deal, "cosell approve") == 1
        approve(harness, "help")
        start(harness)
        for _ in range(3):
            harness.push(HOUR)
        assert "internal: margin 40 %" in str(harness.partner_center.referrals())


def test_a_deal_that_is_held_by_a_field_waits_for_it_and_goes_on_once_it_is_approved(write: Write) -> None:
    """What holds a new deal, or a request for help, is no value that waits."""
    with Harness() as harness:
        start(harness)
        asking = harness.shared_deal(NextStep="internal: margin 40 %")
        add_contact(harness, asking)
        change_mapping(harness, write('[ours]\nnotes_to_microsoft = "NextStep"\nreason_details = "LeadSource"\n'))
        start(harness)
        harness.seller_edits(asking, How_can_Microsoft_help__c=GENERAL)
        new = harness.seller_creates(Name="New")
        harness.push(HOUR)
        fields = {field.name: field for field in with_examples(harness.first.ctx, find_new_fields(harness.first.ctx))}
        assert fields["help"].deals == (asking,)
        assert "internal: margin 40 %" in fields["help"].examples[0][1]
        assert fields["status"].deals == (new,)
        approve_fields(harness.first.ctx, fields.values(), "local")
        start(harness)
        harness.push()
        assert harness.opportunity(new)["Referral_Identifier__c"], "it waits for no hourly look"


def test_another_column_of_the_tick_for_microsoft_shares_no_deal_until_it_is_approved(write: Write) -> None:
    with Harness() as harness:
        start(harness)
        deal = harness.shared_deal()
        change_mapping(harness, write('[ours]\nvisible = "IsPrivate"\n'))
        assert start(harness) == {"visibility"}
        harness.seller_edits(deal, IsPrivate=True)
        for _ in range(3):
            harness.push(HOUR)
        assert harness.referral_of(deal)["type"] == "Independent"


def test_the_location_and_the_team_have_sources_too(write: Write) -> None:
    def sources(text: str) -> dict[str, str]:
        return dict(outbound_sources(translation_of(write(text)).file))

    located = '[location]\nallowed = ["1"]\ncolumn = "{}"\n'
    assert sources(located.format("NextStep"))[LOCATION] != sources(located.format("Region__c"))[LOCATION]
    owner = "".join(f'{part} = "Owner.{part}", ' for part in ("first_name", "last_name", "email", "phone"))
    assert sources(f"[fields.team]\nsalesforce = {{ {owner.rstrip(', ')} }}\n")["team"] != sources("")["team"]
