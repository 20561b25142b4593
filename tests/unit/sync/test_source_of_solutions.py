"""The mapping file changes where the solutions are read, and a file that sends them only once keeps its meaning."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.sync.emulated_systems import translation_of
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import assert_quiet
from tests.unit.sync.solution_rows import (
    FROM_ROWS,
    deal_with,
    ids_in_partner_center,
    ids_in_salesforce,
    reading_rows,
    seller_adds,
    touch,
)

ONCE = 'when = ["create"]\n'


@pytest.fixture
def once(tmp_path: Path) -> Iterator[Harness]:
    with reading_rows(tmp_path, FROM_ROWS + ONCE) as harness:
        yield harness


def change_source(harness: Harness, folder: Path, text: str) -> None:
    """From now on, the app runs with another mapping file."""
    mapping = folder / "changed.toml"
    mapping.write_text(text, encoding="utf-8")
    harness.translation = translation_of(mapping)
    harness.ask_org_again()


def test_the_ids_of_a_text_become_rows_when_the_rows_are_read(tmp_path: Path) -> None:
    with Harness() as harness:
        deal = harness.shared_deal(Products__c="SOL-1, SOL-2")
        change_source(harness, tmp_path, FROM_ROWS)
        touch(harness, deal)
        harness.run_rounds()
        assert ids_in_salesforce(harness, deal) == ids_in_partner_center(harness, deal) == ["SOL-1", "SOL-2"]
        assert harness.opportunity(deal)["Products__c"] == "SOL-1, SOL-2"
        assert harness.count_in_audit(deal, "Products only shows") == 0
        assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
        assert_quiet(harness)


def test_rows_that_are_there_already_are_kept_and_sent(tmp_path: Path) -> None:
    with Harness() as harness:
        deal = harness.shared_deal(Products__c="SOL-1")
        seller_adds(harness, deal, "SOL-5")
        harness.push_until_quiet()
        assert ids_in_partner_center(harness, deal) == ["SOL-1"]
        change_source(harness, tmp_path, FROM_ROWS)
        touch(harness, deal)
        harness.run_rounds()
        assert ids_in_partner_center(harness, deal) == ids_in_salesforce(harness, deal) == ["SOL-1", "SOL-5"]
        assert harness.opportunity(deal)["Products__c"] == "SOL-1;SOL-5"
        assert_quiet(harness)


def test_a_cut_text_loses_no_solution_when_it_is_read_again(tmp_path: Path) -> None:
    ids = [f"SOL-{number:05}-ABC" for number in range(30)]
    with reading_rows(tmp_path) as harness:
        deal = deal_with(harness, *ids)
        change_source(harness, tmp_path, 'extends = "default"\n')
        touch(harness, deal)
        harness.run_rounds()
        assert ids_in_partner_center(harness, deal) == ids
        assert harness.count_in_audit(deal, "Products does not show SOL-00018-ABC") == 1
        assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
        assert_quiet(harness)


def test_a_file_that_sends_solutions_once_sends_the_rows_once(once: Harness) -> None:
    deal = deal_with(once, "SOL-1")
    assert ids_in_partner_center(once, deal) == ["SOL-1"]
    assert once.opportunity(deal)["Sync_Status__c"] == "Synced"
    seller_adds(once, deal, "SOL-2")
    once.run_rounds()
    assert ids_in_partner_center(once, deal) == ["SOL-1"]
    assert once.opportunity(deal)["Products__c"] == "SOL-1"
    assert once.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert_quiet(once)
