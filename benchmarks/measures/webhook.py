"""Processor time of the webhook for one event, over a bare verification of a signature with a key of the same size."""

from benchmarks.measures.measure import Work
from benchmarks.systems.stand import open_stand

EVENTS, WARM_UPS, RUNS = 500, 50, 5


def measure_webhook(work: Work) -> None:
    """Let the webhook admit many signed events. The first ones fetch the certificates, and do not count."""
    count = work.effort.deals(EVENTS)
    with open_stand(work.build) as stand:
        _, referrals = stand.link(1)
        stand.messages_of(referrals * WARM_UPS)
        for _ in range(work.effort.runs(RUNS)):
            events = stand.emulators.ask("events", ids=referrals * count)
            received = stand.app.ask("receive", events=events)["cpu"]
            bare = stand.app.ask("verify", count=count, event=events[0])["cpu"]
            work.add("webhook", received / bare)
