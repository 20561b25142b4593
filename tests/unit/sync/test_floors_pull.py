"""The floors of protocol.md section 11, for pull, from the emulators' journals."""

from math import ceil

from tests.unit.sync.arrivals import opportunities_of, sent
from tests.unit.sync.bench import MINUTE, Bench

GET, LIST = "partner_center.get", "partner_center.list"
QUERY, CONDITIONAL, GRAPH = "salesforce.query", "salesforce.conditional", "salesforce.graph"


def test_one_event_costs_one_read_one_query_and_one_composite(bench: Bench) -> None:
    deal = bench.shared()
    referral = bench.referral_of(deal)["id"]
    bench.colleague_edits(referral, details_dealValue=12000, details_notes="More")
    bench.event(referral)
    assert bench.calls() == {GET: 1, QUERY: 1, CONDITIONAL: 1}


def test_the_event_of_our_own_write_costs_one_read(bench: Bench) -> None:
    deal = bench.seller_creates()
    bench.push()
    referral = bench.referral_of(deal)["id"]
    bench.calls()
    bench.event(referral)
    assert bench.calls() == {GET: 1}


def test_a_new_referral_costs_one_read_one_look_up_and_one_graph(bench: Bench) -> None:
    bench.event(sent(bench))
    assert bench.calls() == {GET: 1, QUERY: 1, GRAPH: 1}


def test_its_event_played_again_costs_one_read(bench: Bench) -> None:
    referral = sent(bench)
    bench.event(referral)
    bench.calls()
    bench.event(referral)
    assert bench.calls() == {GET: 1}


def test_a_sweep_that_finds_nothing_changed_costs_one_page(bench: Bench) -> None:
    bench.sweep()
    bench.calls()
    bench.sweep()
    assert bench.calls() == {LIST: 1}


def test_a_sweep_costs_its_pages_a_read_each_and_full_composites(bench: Bench) -> None:
    deals = [bench.seller_creates(Name=f"Deal {number}") for number in range(130)]
    bench.quiet()
    for deal in deals:
        bench.colleague_edits(bench.referral_of(deal)["id"], details_dealValue=12000)
    bench.sweep()
    pages = ceil(130 / 100)
    assert bench.calls() == {LIST: pages, GET: 130, QUERY: 1, CONDITIONAL: ceil(130 / 24)}
    assert {row["Amount"] for row in bench.salesforce.records("Opportunity")} == {12000}
    bench.sweep(MINUTE)
    assert bench.calls() == {LIST: pages}


def test_when_every_event_is_lost_the_sweep_finds_everything(bench: Bench) -> None:
    new = [sent(bench, name=f"New {number}") for number in range(3)]
    deals = [bench.seller_creates(Name=f"Deal {number}") for number in range(3)]
    bench.quiet()
    for deal in deals:
        bench.colleague_edits(bench.referral_of(deal)["id"], details_dealValue=7)
    bench.sweep()
    assert [len(opportunities_of(bench, referral)) for referral in new] == [1, 1, 1]
    assert [bench.row(deal)["Amount"] for deal in deals] == [7, 7, 7]
