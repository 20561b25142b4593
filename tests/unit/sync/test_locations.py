"""The partner location of a deal is chosen by the mapping file, once (issue 13, item 5)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emulators.partner_center.emulator import LOCATION
from shared.clients.partner_center.referrals import Referrals
from shared.sync.ports import Json
from tests.unit.sync.column_rights import restrict_columns
from tests.unit.sync.harness import Harness
from tests.unit.sync.helped_deals import add_contact, microsofts_records
from tests.unit.sync.inbound_deals import accepted_deal, assert_quiet

COLUMN = "Partner_Location__c"
OTHER, THIRD = "7654321", "1112223"
TABLE = f"""
[location]
allowed = ["{LOCATION}", "{OTHER}", "{THIRD}"]
column = "{COLUMN}"
countries = {{ DE = "{OTHER}" }}
"""
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
def located(own: With) -> Harness:
    return own(TABLE)


def owner_in(harness: Harness, country: str | None) -> str:
    """The id of a seller who lives there."""
    person = {"Username": f"seller@{country}.example", "LastName": "Holm", "FirstName": "Eva", "Email": "eva@x.example"}
    user = {**person, "Phone": "+4550000009", "IsActive": True, "UserType": "Standard", "Country": country}
    return harness.salesforce.insert("User", user)


def location_of(harness: Harness, deal: str) -> object:
    return harness.referral_of(deal)["mpnId"]


def mark_of(harness: Harness, deal: str) -> object:
    return harness.opportunity(deal)["Sync_Status__c"]


def test_without_a_table_the_setting_is_sent_whatever_the_column_says(harness: Harness) -> None:
    deal = harness.shared_deal(**{COLUMN: OTHER})
    assert (location_of(harness, deal), mark_of(harness, deal)) == (LOCATION, "Synced")


def test_the_column_counts_first(located: Harness) -> None:
    deal = located.shared_deal(OwnerId=owner_in(located, "Germany"), **{COLUMN: THIRD})
    assert (location_of(located, deal), mark_of(located, deal)) == (THIRD, "Synced")
    assert_quiet(located)


@pytest.mark.parametrize(
    ("country", "location"),
    [("Germany", OTHER), ("DE", OTHER), ("Deutschland", OTHER), ("France", LOCATION), (None, LOCATION)],
)
def test_then_the_country_of_the_owner_and_then_the_setting(
    located: Harness, country: str | None, location: str
) -> None:
    deal = located.shared_deal(OwnerId=owner_in(located, country))
    assert (location_of(located, deal), mark_of(located, deal)) == (location, "Synced")
    assert located.opportunity(deal)[COLUMN] is None
    assert_quiet(located)


def test_a_default_replaces_the_setting(own: With) -> None:
    harness = own(f'[location]\nallowed = ["{OTHER}"]\ndefault = "{OTHER}"')
    deal = harness.shared_deal()
    assert (location_of(harness, deal), mark_of(harness, deal)) == (OTHER, "Synced")


def test_a_location_that_is_not_allowed_holds_the_deal_and_names_field_value_and_choice(located: Harness) -> None:
    deal = located.seller_creates(**{COLUMN: "999"})
    located.push_until_quiet()
    assert (located.our_referrals(), mark_of(located, deal)) == ([], "Failed")
    told = "Partner Location 999 is none of the locations that the mapping file allows. Please enter one of these:"
    assert located.count_in_audit(deal, f"{told} {LOCATION}, {OTHER}, {THIRD}") == 1
    located.seller_edits(deal, **{COLUMN: OTHER})
    located.push_until_quiet()
    assert (location_of(located, deal), mark_of(located, deal)) == (OTHER, "Synced")


def test_a_setting_that_is_not_allowed_holds_the_deals_that_need_it_and_names_itself(own: With) -> None:
    harness = own(f'[location]\nallowed = ["{OTHER}"]\ncolumn = "{COLUMN}"')
    held, sent = harness.seller_creates(Name="One"), harness.seller_creates(Name="Two", **{COLUMN: OTHER})
    harness.push_until_quiet()
    assert harness.count_in_audit(held, f"has no Partner Location, and the default {LOCATION} is none of") == 1
    assert harness.count_in_audit(held, "correct PARTNER_CENTER_LOCATION") == 1
    assert location_of(harness, sent) == OTHER


@pytest.mark.parametrize("hidden", ["Opportunity.Partner_Location__c", "User.Country"])
def test_a_column_that_nobody_can_read_holds_the_deal_because_the_location_is_fixed(
    located: Harness, hidden: str
) -> None:
    restrict_columns(located, hidden=[hidden])
    located.ask_org_again()
    deal = located.seller_creates()
    located.push_until_quiet()
    assert located.our_referrals() == []
    assert located.count_in_audit(deal, "which the integration user may not see") == 1


# --- afterwards


def test_a_later_edit_is_told_once_and_the_difference_ends_with_it(located: Harness) -> None:
    deal = located.shared_deal(**{COLUMN: OTHER})
    located.seller_edits(deal, **{COLUMN: THIRD}, Amount=777)
    located.run_rounds(2)
    told = f'Partner Location "{THIRD}" was not sent: the location of a deal never changes'
    assert (location_of(located, deal), located.referral_of(deal)["details"]["dealValue"]) == (OTHER, 777)
    assert (located.count_in_audit(deal, told), mark_of(located, deal)) == (1, "Synced with differences")
    assert_quiet(located)
    located.forget_calls()
    located.seller_edits(deal, Amount=778)
    located.push()
    calls = located.new_calls()
    assert (calls["partner_center.get"], calls["partner_center.patch"]) == (0, 1), "the base knows the location"
    located.seller_edits(deal, **{COLUMN: OTHER})
    located.run_rounds(1)
    assert mark_of(located, deal) == "Synced"
    located.seller_edits(deal, **{COLUMN: "nonsense"})
    located.run_rounds(1)
    assert mark_of(located, deal) == "Synced with differences"
    located.seller_edits(deal, **{COLUMN: None})
    located.run_rounds(1)
    assert mark_of(located, deal) == "Synced"
    assert_quiet(located)


def test_another_owner_or_their_move_changes_no_location_and_is_no_difference(located: Harness) -> None:
    owner = owner_in(located, "Germany")
    deal = located.shared_deal(OwnerId=owner)
    located.salesforce.edit("User", owner, {"Country": "France"})
    located.seller_edits(deal, Amount=777)
    located.run_rounds(2)
    assert (location_of(located, deal), mark_of(located, deal)) == (OTHER, "Synced")
    assert located.count_in_audit(deal, "Partner Location") == 0


def test_a_deal_that_arrives_shows_its_location(located: Harness) -> None:
    referral, deal = accepted_deal(located)
    assert located.opportunity(deal)[COLUMN] == located.partner_center.referral(referral)["mpnId"] == LOCATION
    assert mark_of(located, deal) == "Synced"
    assert_quiet(located)


def test_a_deal_arrives_without_its_location_where_the_column_is_missing(located: Harness) -> None:
    restrict_columns(located, hidden=[f"Opportunity.{COLUMN}"])
    located.ask_org_again()
    _, deal = accepted_deal(located)
    assert mark_of(located, deal) == "Synced"
    assert located.count_in_audit(deal, COLUMN) == 1
    assert_quiet(located)


def test_the_request_to_microsoft_names_the_location_of_the_deal(
    located: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies: list[Json] = []
    create = Referrals.create

    def recorded(self: Referrals, body: Json) -> Json:
        bodies.append(body)
        return create(self, body)

    monkeypatch.setattr(Referrals, "create", recorded)
    deal = located.shared_deal(OwnerId=owner_in(located, "Germany"))
    add_contact(located, deal)
    located.seller_edits(deal, How_can_Microsoft_help__c="General or Other")
    located.run_rounds(2)
    assert len(microsofts_records(located)) == 1
    assert [body["mpnId"] for body in bodies] == [OTHER, OTHER]
