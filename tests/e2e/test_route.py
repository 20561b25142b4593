"""A deal takes the shortest honest route through the code: the figures of `make route` stay within their limits."""

from local.measure_route import LIMITS, SIGNING_IN, Trace, engine_arrows, package_of, traced_runs


def test_the_route_of_a_deal_stays_within_its_limits() -> None:
    with traced_runs() as traces:
        frames = {run: trace.frames for run, trace in traces.items() if run != SIGNING_IN}
        returns = traces["push"].returns
    assert {run: count for run, count in frames.items() if count > LIMITS["frames"]} == {}
    assert returns <= LIMITS["returns"]


def test_the_modules_of_the_engine_import_each_other_rarely() -> None:
    arrows = engine_arrows()
    assert ("shared.sync.runs", "shared.sync.reconcile") in arrows
    assert len(arrows) <= LIMITS["arrows"]


def test_a_return_is_a_call_into_a_package_that_was_left() -> None:
    trace = Trace(packages=["shared.sync", "shared.store", "shared.sync", "shared.domain", "shared.store"])
    assert trace.returns == 2
    assert package_of(__file__) is None
