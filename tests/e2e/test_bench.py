"""`make bench` can drive this build: its programs reach the app by its functions, and the scripts do the app's work."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.figures.effort import Effort
from benchmarks.measures.calls import measure_calls
from benchmarks.measures.changed_referrals import _count_calls, _sweep_all
from benchmarks.measures.cold_start import measure_start
from benchmarks.measures.measure import Work
from benchmarks.measures.operations import measure_operations
from benchmarks.measures.pairs import check_amounts, check_days, push_edits
from benchmarks.measures.webhook import measure_webhook
from benchmarks.peers.start import run_peer
from benchmarks.systems.builds import this_build
from benchmarks.systems.stand import EMBEDDED, Stand, open_stand
from local import azurite


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with open_stand(this_build(), EMBEDDED, tmp_path_factory.mktemp("bench")) as running:
        yield running


@pytest.fixture(scope="module")
def deals(stand: Stand) -> tuple[list[str], list[str]]:
    return stand.link(2)


def test_edits_travel_to_partner_center(stand: Stand, deals: tuple[list[str], list[str]]) -> None:
    took = push_edits(stand, *deals, turn=1)

    assert took["cpu"] > 0
    assert stand.take_calls()[0] >= 2


@pytest.mark.parametrize("script", ["naive_push", "batched_push"])
def test_the_scripts_bring_edits_to_partner_center(
    stand: Stand, deals: tuple[list[str], list[str]], script: str
) -> None:
    ids, referrals = deals
    since, turn = stand.emulators.ask("now"), {"naive_push": 2, "batched_push": 3}[script]
    stand.emulators.ask("pass_time", seconds=1)
    stand.emulators.ask("sellers_edit", ids=ids, turn=turn)
    stand.take_calls()

    run_peer(stand, script, ids, since, in_flight=8)

    check_amounts(stand, referrals, turn)
    assert stand.take_calls()[0] == {"naive_push": 3 * 2, "batched_push": 1 + 2 + 1}[script]


def test_events_and_sweeps_bring_changes_to_salesforce(stand: Stand, deals: tuple[list[str], list[str]]) -> None:
    ids, referrals = deals
    stand.rest()
    stand.push()
    assert _count_calls(stand, ids[:1], referrals[:1], turn=4, age=0.0) == 3
    day = stand.emulators.ask("colleagues_edit", ids=referrals, turn=5)
    stand.rest()
    _sweep_all(stand, ids, day)


def test_the_script_brings_changes_to_salesforce(stand: Stand, deals: tuple[list[str], list[str]]) -> None:
    ids, referrals = deals
    since = stand.emulators.ask("now")
    stand.emulators.ask("pass_time", seconds=1)
    day = stand.emulators.ask("colleagues_edit", ids=referrals, turn=6)
    stand.take_calls()

    run_peer(stand, "batched_pull", ids, since, in_flight=8)

    check_days(stand, ids, day)
    assert stand.take_calls()[0] == 1 + 1


def test_a_latency_is_set_and_ended(stand: Stand) -> None:
    for seconds in (0.001, 0):
        stand.at_latency(seconds)
        stand.push()


@pytest.mark.slow
@pytest.mark.node
@pytest.mark.skipif(azurite.unavailable_reason() is not None, reason=f"NOT RUN: {azurite.unavailable_reason()}")
@pytest.mark.parametrize("measure", [measure_calls, measure_operations, measure_start, measure_webhook])
def test_a_measure_gives_figures(measure: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("benchmarks.measures.cold_start.FOLDER", tmp_path)
    names = ("partner-center-call", "salesforce-call")
    work = Work(this_build(), names, Effort(is_quick=True), lambda _: None)
    assert callable(measure)
    measure(work)
    assert all(len(samples) > 1 and min(samples) > 0 for samples in work.samples.values())
    assert work.samples
