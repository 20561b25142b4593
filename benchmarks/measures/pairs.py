"""Processor time of the app's process for a pair: created, updated, heard of as an echo, and changed by a colleague."""

from benchmarks.measures.measure import Work
from benchmarks.systems.processes import CannotMeasure
from benchmarks.systems.stand import Stand, open_stand

PAIRS, RUNS = 100, 5
MILLISECONDS = 1000.0


def measure_pairs(work: Work) -> None:
    """Measure each run with deals of its own. The first run only opens connections, and does not count."""
    with open_stand(work.build) as stand:
        stand.link(2)
        for turn in range(work.effort.runs(RUNS)):
            _measure_turn(work, stand, work.effort.deals(PAIRS), turn)


def _measure_turn(work: Work, stand: Stand, count: int, turn: int) -> None:
    """One run. What is not wanted is done all the same where later steps need it."""
    calm(stand)
    ids = list(stand.emulators.ask("sellers_create", count=count))
    work.add("create", stand.push_all(ids)["cpu"] / count * MILLISECONDS)
    referrals = list(stand.emulators.ask("referrals_of", ids=ids))
    if work.wants("echo"):
        work.add("echo", _apply_events(stand, referrals))
    if work.wants("update"):
        calm(stand)
        work.add("update", push_edits(stand, ids, referrals, turn)["cpu"] / count * MILLISECONDS)
    if work.wants("changed"):
        day = stand.emulators.ask("colleagues_edit", ids=referrals, turn=turn)
        stand.rest()
        work.add("changed", _apply_events(stand, referrals))
        check_days(stand, ids, day)


def _apply_events(stand: Stand, referrals: list[str]) -> float:
    """Milliseconds for each event."""
    took = stand.app.ask("apply", messages=stand.messages_of(referrals))
    return float(took["cpu"]) / len(referrals) * MILLISECONDS


def calm(stand: Stand) -> None:
    """Let so much time pass that neither push nor sweep looks at earlier deals again."""
    for _ in range(2):
        stand.rest(900)
        stand.push()
        stand.sweep()
    stand.rest()


def push_edits(stand: Stand, ids: list[str], referrals: list[str], turn: int) -> dict[str, float]:
    """Let sellers edit all deals, and push once. Raises CannotMeasure if an edit did not arrive."""
    stand.emulators.ask("sellers_edit", ids=ids, turn=turn)
    stand.rest()
    took = stand.push()
    check_amounts(stand, referrals, turn)
    return {"cpu": took["cpu"], "wall": took["wall"]}


def check_amounts(stand: Stand, referrals: list[str], turn: int) -> None:
    """Raise CannotMeasure if a referral has another amount than the one that sellers entered in this turn."""
    if set(stand.emulators.ask("amounts_in_partner_center", ids=referrals)) != {20_000.0 + turn}:
        raise CannotMeasure("not all amounts arrived in Partner Center")


def has_days(stand: Stand, ids: list[str], day: str) -> bool:
    """Whether all these opportunities have the closing date that colleagues have entered."""
    return set(stand.emulators.ask("days_in_salesforce", ids=ids)) == {day}


def check_days(stand: Stand, ids: list[str], day: str) -> None:
    """Raise CannotMeasure if an opportunity has another closing date than the one that colleagues have entered."""
    if not has_days(stand, ids, day):
        raise CannotMeasure("not all closing dates arrived in Salesforce")
