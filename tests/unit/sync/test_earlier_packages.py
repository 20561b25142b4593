"""This app runs on the Salesforce package and the mapping files of earlier builds, and knows what they lack.

App, package and mapping file are upgraded apart (docs/salesforce-package.md#another-version-than-the-apps).
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.domain.link_states import Mark
from shared.mapping.schema import DEFAULT
from shared.mapping.validation import load_mapping
from tests.earlier_builds import BEFORE_SOLUTIONS, FIRST_BUILD, LACKS, unpacked_build
from tests.unit.emulated_rights import rights_without
from tests.unit.sync.harness import Harness
from tests.unit.sync.helped_deals import add_contact, microsofts_records
from tests.unit.sync.inbound_deals import microsoft_sends_deal, opportunity_of
from tests.unit.sync.outbound_deals import assert_linked
from tests.unit.sync.solution_rows import FROM_ROWS, reading_rows, seller_adds

SYNCED, DIFFERENCES = ("Synced", "✔"), ("Synced with differences", "⚠")
on_the_first_build = pytest.mark.parametrize("built", [FIRST_BUILD], indirect=True, scope="module")
"""For what only the package of the first build lacks."""


DIFFERENCE_MARK = "Synced with differences"


@pytest.fixture(scope="module", params=LACKS)
def built(request: pytest.FixtureRequest) -> str:
    """The commit of an earlier build."""
    return str(request.param)


@pytest.fixture(scope="module")
def build(built: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Salesforce package, the mapping files and the page about them of an earlier build."""
    paths = ("infra/salesforce", "shared/mapping", "mapping", "docs/mapping.md")
    return unpacked_build(built, tmp_path_factory.mktemp("build"), *paths)


def mapping_file(build: Path, kind: str) -> Path:
    """This build's own mapping file, or one as people wrote it for that build, whole or extending the default."""
    whole, shipped = build / "shared/mapping/default.toml", build / "mapping/production.toml"
    return {"default": DEFAULT, "whole": whole, "shipped": shipped, "extending": examples(build)[0]}[kind]


def examples(build: Path) -> list[Path]:
    """The extending files that the page of that build shows."""
    texts = re.findall(r"```toml\n(extends = .*?)```", (build / "docs/mapping.md").read_text("utf-8"), re.DOTALL)
    paths = [build / f"extending{number}.toml" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, "utf-8")
    return paths


@pytest.fixture(params=["default", "whole", "shipped", "extending"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which mapping file the app has."""
    return str(request.param)


@pytest.fixture
def harness(build: Path, kind: str) -> Iterator[Harness]:
    """Both systems with the package and a mapping file of an earlier build."""
    mapping = mapping_file(build, kind)
    with Harness(package=build / "infra/salesforce", mapping=mapping) as harness:
        yield harness


@pytest.fixture(params=["whole", "extending"])
def upgraded(build: Path, request: pytest.FixtureRequest) -> Iterator[Harness]:
    """An org with the package of this build, and a mapping file of an earlier one."""
    with Harness(mapping=mapping_file(build, request.param)) as harness:
        yield harness


@pytest.fixture
def single(build: Path) -> Iterator[Harness]:
    """An org with one currency, with the package of an earlier build."""
    with Harness(package=build / "infra/salesforce", multi_currency=False) as harness:
        yield harness


def status_of(harness: Harness, deal: str) -> tuple[object, object]:
    record = harness.opportunity(deal)
    return record["Sync_Status__c"], record["Sync_Mark__c"]


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """The Salesforce package of a build that has no objects of solutions."""
    return unpacked_build(BEFORE_SOLUTIONS, tmp_path, "infra/salesforce") / "infra/salesforce"


def arrives(harness: Harness, **fields: object) -> tuple[str, str]:
    """A referral that Microsoft sends, and its opportunity."""
    referral = microsoft_sends_deal(harness, **fields)
    harness.pull_event(referral)
    harness.push_until_quiet()
    return referral, str(opportunity_of(harness, referral)["Id"])


def assert_no_failure(harness: Harness) -> None:
    names = {name for name, _ in harness.first.log.events}
    assert not names & {"pair_failed", "pair_parked", "run_failed"}


def test_the_app_knows_what_the_package_lacks(harness: Harness, built: str) -> None:
    org = harness.translation.org
    assert org is not None
    assert (org.missing, org.package) == LACKS[built]


def test_a_deal_goes_out_and_later_edits_go_both_ways(harness: Harness) -> None:
    deal = harness.seller_creates(Amount=5_000)
    harness.push_until_quiet()
    assert_linked(harness, deal)
    harness.seller_edits(deal, Amount=6_000, CloseDate="2027-02-01")
    harness.run_rounds(1)
    referral = harness.referral_of(deal)
    assert referral["details"]["dealValue"] == 6_000
    harness.colleague_edits(referral["id"], details_dealValue=7_000)
    harness.run_rounds(1)
    assert (harness.opportunity(deal)["Amount"], status_of(harness, deal)) == (7_000, SYNCED)
    assert_no_failure(harness)


@on_the_first_build
def test_help_that_the_package_cannot_share_is_told_and_the_deal_goes_on(harness: Harness) -> None:
    deal = harness.seller_creates(How_can_Microsoft_help__c="General or Other")
    add_contact(harness, deal)
    harness.run_rounds(1)
    assert (harness.our_referrals(), status_of(harness, deal)[0]) == ([], "Failed")
    assert harness.count_in_audit(deal, "this org has no field Visible to Microsoft sellers. Please clear") == 1
    harness.seller_edits(deal, How_can_Microsoft_help__c=None)
    harness.run_rounds(1)
    harness.seller_edits(deal, How_can_Microsoft_help__c="General or Other", Amount=6_000)
    harness.run_rounds(1)
    assert (harness.referral_of(deal)["details"]["dealValue"], microsofts_records(harness)) == (6_000, [])
    assert status_of(harness, deal)[0] == "Failed"


def test_a_deal_comes_in_and_is_accepted(harness: Harness, built: str, kind: str) -> None:
    referral, deal = arrives(harness)
    assert (harness.opportunity(deal)["Amount"], harness.opportunity(deal)["StageName"]) == (25_000, "On Hold")
    harness.seller_edits(deal, StageName="Qualification")
    harness.run_rounds(2)
    assert harness.partner_center.referral(referral)["status"] == "Active"
    harness.colleague_edits(referral, details_dealValue=26_000)
    harness.run_rounds(1)
    differs = kind == "extending" and DIFFERENCE_MARK not in LACKS[built][0]  # its notes travel one way
    assert (harness.opportunity(deal)["Amount"], status_of(harness, deal)) == (
        26_000, DIFFERENCES if differs else SYNCED,
    )  # fmt: skip
    assert_no_failure(harness)


def test_a_deal_with_a_difference_is_created_and_shows_the_nearest_status(harness: Harness, built: str) -> None:
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, {"/details/closingDateTime": None})
    harness.pull_event(referral)
    deal = opportunity_of(harness, referral)["Id"]
    assert harness.stored_link(deal).due_mark in {Mark.DIFFERENCES, Mark.WAITING}
    assert harness.count_in_audit(deal, "The referral has no closing date.") == 1
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.run_rounds(1)
    assert harness.stored_link(deal).due_mark is Mark.DIFFERENCES
    assert status_of(harness, deal) == (SYNCED if DIFFERENCE_MARK in LACKS[built][0] else DIFFERENCES)
    assert_no_failure(harness)


def test_the_rights_of_the_earlier_permission_set_are_enough(single: Harness) -> None:
    documents, key = single.salesforce.deployments.documents.kept, ("PermissionSet", "Cosell_Integration")
    # The emulated org gives a set with this licence no rights to standard objects; here its fields are tried.
    documents[key] = re.sub(rb"<license>.*?</license>", b"", documents[key])
    single.salesforce.permission_sets[single.sign_in.user] = ("Cosell_Integration",)
    single.ask_org_again()
    deal = single.seller_creates(Amount=5_000)
    single.push_until_quiet()
    assert (single.opportunity(deal)["Referral_Identifier__c"], status_of(single, deal)) == (
        single.referral_of(deal)["id"], ("Synced", "✔"),
    )  # fmt: skip
    referral, deal = arrives(single, details={"currency": "USD"})
    single.seller_edits(deal, StageName="Qualification")
    single.run_rounds(2)
    assert single.partner_center.referral(referral)["status"] == "Active"
    assert_no_failure(single)


@on_the_first_build
def test_a_name_that_does_not_travel_is_told_where_the_status_cannot_say_it(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Name="Another name", Amount=12_000)
    harness.run_rounds(1)
    assert status_of(harness, deal) == ("Synced", "✔")
    assert harness.count_in_audit(deal, "Another name") == 1
    assert harness.referral_of(deal)["details"]["dealValue"] == 12_000
    assert_no_failure(harness)


def test_an_earlier_mapping_file_has_what_a_new_package_brings(upgraded: Harness) -> None:
    deal = upgraded.shared_deal()
    upgraded.seller_edits(deal, Name="Another name")
    upgraded.run_rounds(1)
    assert status_of(upgraded, deal) == ("Synced with differences", "⚠")
    _, deal = arrives(upgraded, details={"currency": "SEK", "dealValue": 900})
    record = upgraded.opportunity(deal)
    assert (record["Amount"], record["Partner_Center_Amount__c"]) == (None, 900)
    assert_no_failure(upgraded)


@on_the_first_build
def test_an_amount_that_the_org_cannot_hold_is_told_without_its_columns(single: Harness) -> None:
    referral, deal = arrives(single, details={"currency": "JPY", "dealValue": 1_000_000})
    single.seller_edits(deal, StageName="Qualification")
    single.run_rounds(2)
    assert single.opportunity(deal)["Amount"] is None
    assert single.count_in_audit(deal, "1000000.00 JPY") == 1
    details = single.partner_center.referral(referral)["details"]
    assert (details["dealValue"], details["currency"]) == (1_000_000, "JPY")
    assert status_of(single, deal) == ("Synced", "✔")
    assert_no_failure(single)


@on_the_first_build
def test_a_deal_that_cannot_be_made_waits_although_the_org_has_no_inbox(single: Harness) -> None:
    assert single.salesforce.org.model.find_object("Cosell_Inbox__c") is None
    single.refuse_writes_of("Name")
    referral = microsoft_sends_deal(single, details={"currency": "USD"})
    single.pull_event(referral)
    single.clear_faults()
    single.run_rounds(6)
    assert opportunity_of(single, referral)["Amount"] == 25_000
    assert "pair_failed" not in {name for name, _ in single.first.log.events}


def test_every_mapping_file_of_an_earlier_build_is_read(build: Path) -> None:
    for path in (mapping_file(build, "whole"), mapping_file(build, "shipped"), *examples(build)):
        load_mapping(path)


def test_solutions_that_should_be_rows_hold_a_new_deal_until_the_package_has_them(before: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "rows.toml"
    mapping.write_text(FROM_ROWS, "utf-8")
    with Harness(package=before, mapping=mapping) as harness:
        deal = harness.seller_creates()
        harness.run_rounds(2)
        assert (status_of(harness, deal)[0], harness.our_referrals()) == ("Failed", [])
        assert harness.count_in_audit(deal, "the org lacks the related list of solutions") == 1


@on_the_first_build
def test_a_deal_comes_in_without_solutions_that_should_be_rows_of_a_later_package(build: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "rows.toml"
    mapping.write_text(FROM_ROWS, "utf-8")
    with Harness(package=build / "infra/salesforce", mapping=mapping) as harness:
        referral = microsoft_sends_deal(harness)
        harness.pull_event(referral)
        harness.run_rounds(2)
        deal = opportunity_of(harness, referral)["Id"]
        assert harness.count_in_audit(deal, "the org lacks the related list of solutions") == 1
        harness.seller_edits(deal, StageName="Value Proposition", CloseDate="2027-01-31")
        harness.run_rounds(2)
        assert harness.partner_center.referral(referral)["status"] == "Active"
        link = harness.store.link(deal)
        assert link is not None
        assert link.value.due_mark is Mark.DIFFERENCES


def test_a_deal_in_an_org_that_lost_the_rows_goes_on_without_its_solutions(tmp_path: Path) -> None:
    with reading_rows(tmp_path) as harness:
        deal = harness.seller_creates()
        seller_adds(harness, deal, "SOL-1")
        harness.run_rounds(2)
        assert_linked(harness, deal)
        rights = rights_without(harness.salesforce.org.model, objects=["Cosell_Solution__c"])
        harness.salesforce.org.rights_of = lambda _: rights
        harness.ask_org_again()
        harness.seller_edits(deal, Amount=6_000)
        harness.run_rounds(2)
        referral = harness.referral_of(deal)
        assert referral["details"]["dealValue"] == 6_000
        assert [each["id"] for each in referral["details"]["requirements"]["solutions"]] == ["SOL-1"]
        assert status_of(harness, deal) == DIFFERENCES
