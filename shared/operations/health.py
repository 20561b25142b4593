"""Build the health report. It calls neither side and shows no secret."""

from datetime import datetime

from shared import __version__
from shared.app import App
from shared.domain.deal import Side
from shared.domain.own_organization import wrong_organization
from shared.domain.policy import PULL, PUSH
from shared.foundation.build_record import deployed_commit

HEARTBEATS = {"push": "push_done", "sweep": "sweep_done"}
"""The cursor that each run moves when it ends."""


def health_report(app: App) -> dict[str, object]:
    """Return versions, mapping hash, mode, and the seconds since the last push and sweep (None: never)."""
    moved = {run: app.store.cursor(cursor) for run, cursor in HEARTBEATS.items()}
    now = app.clock.now()  # after a read of the store, by whose clock ours goes
    ages = {f"{run}_age_seconds": _age(now, at) for run, at in moved.items()}
    settings = app.settings.sync
    paused = settings.paused.union(app.store.pauses())
    return {
        "version": __version__,
        "commit": deployed_commit(),
        "environment": settings.environment,
        "mode": settings.sync,
        "paused": [direction for direction in (PUSH, PULL) if direction in paused],
        "paused_sides": _paused_sides(app, now),
        "mapping": app.translation.hash,
        "package": _package(app),
        "wrong_organization": _wrong_organization(app),
        **ages,
    }


def _package(app: App) -> dict[str, object] | None:
    """Return the version of the org's package, and what it lacks, as the store has it; None before the first answer."""
    known = app.store.org_shape()
    return {"version": known[0].package, "missing": known[0].missing} if known else None


def _wrong_organization(app: App) -> str | None:
    """Return why the environment must not use the organisation that was asked last; None if it may."""
    known = app.store.organization()
    wrong = wrong_organization(app.own_organization, known) if known else None
    return wrong.reason if wrong else None


def _paused_sides(app: App, now: datetime) -> dict[str, dict[str, str | None]]:
    """Return why and until when each paused side is paused, as the store has it."""
    states = {side: app.store.side_state(side) for side in Side}
    return {
        str(side): {"reason": state.reason, "until": state.paused_until.isoformat()}
        for side, state in states.items()
        if state.paused_until is not None and now < state.paused_until
    }


def _age(now: datetime, heartbeat: datetime | None) -> int | None:
    return round((now - heartbeat).total_seconds()) if heartbeat else None
