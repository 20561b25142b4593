"""Marketplace intent, solution area, solution play and partner role of a deal (issue 13, item 5)."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.domain.deal import Side
from tests.unit.sync.column_rights import restrict_columns
from tests.unit.sync.crash_points import BEFORE_FIRST_CALL, crash_instance_at, crash_points
from tests.unit.sync.harness import Harness, Instance
from tests.unit.sync.inbound_deals import arrived_deal, assert_quiet, recover_after_lease

PATH = "/details/requirements/additionalRequirements/attributes"
INTENT, AREA, PLAY, ROLE = "Marketplace_Intent__c", "Solution_Area__c", "Solution_Play__c", "Partner_Role__c"
UNMAPPED = {"type": "SomethingOfMicrosofts", "id": "stays"}
FIXED = '{} "{}" was not sent: Partner Center takes no change of it from here, and keeps "{}".'
With = Callable[[str], Harness]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[With]:
    """Makes a harness with a mapping file that extends the default."""
    opened: list[Harness] = []

    def make(text: str) -> Harness:
        path = tmp_path / "own.toml"
        path.write_text(f'extends = "default"\n{text}\n', "utf-8")
        opened.append(Harness(mapping=path))
        return opened[-1]

    yield make
    for harness in opened:
        harness.__exit__()


@pytest.fixture
def open_harness(harness: Harness) -> Harness:
    """A tenant whose service takes a change of the attributes."""
    harness.partner_center.switches.extra_paths = (PATH,)
    return harness


def attributes_of(referral: dict[str, Any]) -> dict[str, str]:
    listed = referral["details"]["requirements"]["additionalRequirements"]["attributes"]
    return {entry["type"]: entry["id"] for entry in listed}


def sent(harness: Harness, deal: str) -> dict[str, str]:
    return attributes_of(harness.referral_of(deal))


def set_raw(harness: Harness, referral: str, *attributes: dict[str, str]) -> None:
    """Partner Center holds these attributes, whoever set them."""
    harness.partner_center.raw_patch(referral, {PATH: list(attributes)})


def mark_of(harness: Harness, deal: str) -> object:
    return harness.opportunity(deal)["Sync_Status__c"]


# --- a new referral


def test_a_new_referral_has_the_values_of_its_opportunity_as_microsoft_calls_them(harness: Harness) -> None:
    deal = harness.shared_deal(**{INTENT: "Yes", AREA: "security", PLAY: "Data Security", ROLE: "Managed services"})
    assert sent(harness, deal) == {
        "CustomerMarketplaceIntent": "Yes", "SolutionArea": "Security", "SolutionPlay": "Data Security",
        "PartnerRole": "Managed services",
    }  # fmt: skip
    assert mark_of(harness, deal) == "Synced"
    assert_quiet(harness)


def test_without_a_value_the_setting_is_sent_as_before_and_nothing_is_written_back(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.push()
    assert sent(harness, deal) == {"CustomerMarketplaceIntent": "HaveNotDecided"}
    calls = harness.new_calls()
    assert (calls["salesforce.update"], calls["partner_center.create"]) == (0, 1)
    assert harness.opportunity(deal)[INTENT] is None
    harness.push_until_quiet()
    assert mark_of(harness, deal) == "Synced"
    assert_quiet(harness)


def test_the_setting_is_sent_in_an_org_without_the_columns(harness: Harness) -> None:
    restrict_columns(harness, hidden=[f"Opportunity.{name}" for name in (INTENT, AREA, PLAY, ROLE)])
    harness.ask_org_again()
    deal = harness.shared_deal()
    assert sent(harness, deal) == {"CustomerMarketplaceIntent": "HaveNotDecided"}
    assert (mark_of(harness, deal), harness.count_in_audit(deal, "__c")) == ("Synced", 0)


def test_a_constant_is_sent_and_a_value_of_the_deal_replaces_it(own: With) -> None:
    lines = '[fields.marketplace_intent]\nconstant = "No"\n[fields.role]\ntype = "attribute"\nlabel = "Role"\n'
    harness = own(f'{lines}kind = "OurRole"\nvalues = {{ "Managed services" = "M1" }}\nconstant = "managed services"')
    first = harness.shared_deal(Name="One")
    second = harness.shared_deal(Name="Two", **{INTENT: "Yes"})
    assert sent(harness, first) == {"CustomerMarketplaceIntent": "No", "OurRole": "M1"}
    assert sent(harness, second) == {"CustomerMarketplaceIntent": "Yes", "OurRole": "M1"}
    assert_quiet(harness)


def test_a_value_that_the_list_lacks_holds_the_deal_and_names_field_value_and_remedy(harness: Harness) -> None:
    deal = harness.seller_creates(**{AREA: "Gardening"})
    harness.push_until_quiet()
    assert harness.our_referrals() == []
    assert mark_of(harness, deal) == "Failed"
    assert harness.count_in_audit(deal, "Solution Area Gardening is no value that the mapping file lists") == 1
    assert harness.count_in_audit(deal, "Cloud and AI Platforms, AI Business Solutions, Security") == 1
    harness.seller_edits(deal, **{AREA: "Security"})
    harness.push_until_quiet()
    assert sent(harness, deal)["SolutionArea"] == "Security"
    assert mark_of(harness, deal) == "Synced"


def test_the_request_to_microsoft_carries_the_attributes_too(own: With) -> None:
    harness = own('[fields.partner_role]\nconstant = "Transaction"')
    deal = harness.shared_deal(**{PLAY: "Data Security"})
    assert sent(harness, deal)["PartnerRole"] == "Transaction"
    assert sent(harness, deal)["SolutionPlay"] == "Data Security"


# --- from Partner Center


def test_values_arrive_with_a_deal_and_later(harness: Harness) -> None:
    area = {"type": "SolutionArea", "id": "Security"}
    requirements = {"solutions": [{"id": "SOL-1", "type": "Name"}], "additionalRequirements": {"attributes": [area]}}
    referral, deal = arrived_deal(harness, details={"requirements": requirements})
    assert harness.opportunity(deal)[AREA] == "Security"
    set_raw(harness, referral, area, {"type": "PartnerRole", "id": "Transaction"})
    harness.sweep()
    assert harness.opportunity(deal)[ROLE] == "Transaction"
    assert harness.count_in_audit(deal, "Partner Role empty → Transaction") == 1
    assert_quiet(harness)


def test_a_deal_that_arrives_without_attributes_tries_no_change_of_them(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName="Qualification")
    harness.run_rounds(2)
    assert attributes_of(harness.partner_center.referral(referral)) == {}
    assert mark_of(harness, deal) == "Synced"
    assert_quiet(harness)


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        (
            [{"type": "SolutionArea", "id": "Area 51"}],
            "The mapping file, which your administrator can extend, does not list Area 51",
        ),
        (
            [{"type": "SolutionArea", "id": "Security"}, {"type": "SolutionArea", "id": "Data"}],
            "Partner Center has several values: Security, Data",
        ),
    ],
)
def test_a_value_of_partner_center_that_cannot_be_shown_is_left_alone_and_told_once(
    open_harness: Harness, attributes: list[dict[str, str]], told: str
) -> None:
    harness = open_harness
    deal = harness.shared_deal(**{AREA: "Security"})
    set_raw(harness, harness.referral_of(deal)["id"], *attributes)
    for _ in range(3):
        harness.sweep()
    assert harness.opportunity(deal)[AREA] == "Security"
    assert harness.count_in_audit(deal, told) == 1
    assert mark_of(harness, deal) == "Synced with differences"
    harness.seller_edits(deal, **{PLAY: "Data Security"})
    harness.push()
    listed = harness.referral_of(deal)["details"]["requirements"]["additionalRequirements"]["attributes"]
    assert [one for one in listed if one["type"] == "SolutionArea"] == attributes, "what cannot be read survives"


# --- later edits


def test_an_edit_replaces_our_entry_and_what_we_do_not_map_survives(open_harness: Harness) -> None:
    harness = open_harness
    deal = harness.shared_deal(**{AREA: "Security", ROLE: "Transaction"})
    referral = harness.referral_of(deal)["id"]
    set_raw(harness, referral, UNMAPPED, *({"type": kind, "id": one} for kind, one in sent(harness, deal).items()))
    harness.sweep()
    harness.forget_calls()
    harness.seller_edits(deal, **{AREA: "AI Business Solutions", PLAY: "Secure AI Productivity", ROLE: None})
    harness.push()
    assert sent(harness, deal) == {
        UNMAPPED["type"]: UNMAPPED["id"], "CustomerMarketplaceIntent": "HaveNotDecided",
        "SolutionArea": "AI Business Solutions", "SolutionPlay": "Secure AI Productivity",
    }  # fmt: skip
    calls = harness.new_calls()
    assert (calls["partner_center.get"], calls["partner_center.patch"]) == (1, 1)
    assert mark_of(harness, deal) == "Synced"
    assert_quiet(harness)


def test_an_emptied_value_with_a_constant_becomes_the_constant(open_harness: Harness) -> None:
    harness = open_harness
    deal = harness.shared_deal(**{INTENT: "Yes"})
    harness.seller_edits(deal, **{INTENT: None})
    harness.push()
    assert sent(harness, deal) == {"CustomerMarketplaceIntent": "HaveNotDecided"}
    set_raw(harness, harness.referral_of(deal)["id"], {"type": "CustomerMarketplaceIntent", "id": "No"})
    harness.sweep()
    assert harness.opportunity(deal)[INTENT] == "No"
    set_raw(harness, harness.referral_of(deal)["id"], {"type": "CustomerMarketplaceIntent", "id": "HaveNotDecided"})
    harness.sweep()
    assert harness.opportunity(deal)[INTENT] == "Have not decided"
    assert_quiet(harness)


def test_the_first_edit_is_tried_once_for_the_tenant_and_each_further_one_is_told(harness: Harness) -> None:
    first = harness.shared_deal(Name="One", **{AREA: "Security"})
    second = harness.shared_deal(Name="Two")
    harness.seller_edits(first, **{AREA: "AI Business Solutions"})
    harness.push()
    assert harness.new_calls()["partner_center.patch"] == 2  # and the attributes as they were, as a proof
    assert harness.count_in_audit(first, FIXED.format("Solution Area", "AI Business Solutions", "Security")) == 1
    assert mark_of(harness, first) == "Synced with differences"
    harness.seller_edits(second, **{ROLE: "Transaction"}, Amount=777)
    harness.push_until_quiet()
    harness.run_rounds()
    assert harness.referral_of(second)["details"]["dealValue"] == 777
    assert harness.count_in_audit(second, FIXED.format("Partner Role", "Transaction", "empty")) == 1
    assert (sent(harness, first)["SolutionArea"], mark_of(harness, second)) == ("Security", "Synced with differences")
    assert [path for path, known in harness.store.side_state(Side.PARTNER_CENTER, fresh=True).paths.items()] == [PATH]
    assert not harness.first.log.fields_of("pair_parked")
    assert_quiet(harness)


def test_a_later_value_that_the_list_lacks_is_not_sent_and_told_once(open_harness: Harness) -> None:
    harness = open_harness
    deal = harness.shared_deal(**{AREA: "Security"})
    harness.seller_edits(deal, **{AREA: "Gardening"}, Amount=777)
    harness.run_rounds(2)
    assert (sent(harness, deal)["SolutionArea"], harness.referral_of(deal)["details"]["dealValue"]) == ("Security", 777)
    assert harness.count_in_audit(deal, "Gardening is no value that the mapping file lists") == 1
    assert_quiet(harness)


def edited(harness: Harness) -> str:
    harness.partner_center.switches.extra_paths = (PATH,)
    deal = harness.shared_deal(**{AREA: "Security"})
    set_raw(harness, harness.referral_of(deal)["id"], UNMAPPED, {"type": "SolutionArea", "id": "Security"})
    harness.sweep()
    harness.seller_edits(deal, **{AREA: "AI Business Solutions"})
    return deal


def test_a_crash_at_any_point_of_an_edit_loses_nothing() -> None:
    points, _ = crash_points(edited, Instance.push)
    assert points[0] == BEFORE_FIRST_CALL
    for number in points:
        with Harness() as harness:
            deal, crashing = edited(harness), harness.new_instance()
            crash_instance_at(crashing, number)
            assert crashing.crashes_during(Instance.push)
            recover_after_lease(harness)
            assert sent(harness, deal) == {UNMAPPED["type"]: UNMAPPED["id"], "SolutionArea": "AI Business Solutions"}
            assert mark_of(harness, deal) == "Synced", number
            assert_quiet(harness)
