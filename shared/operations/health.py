"""Build the health report. It calls neither side and shows no secret."""

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from shared import __version__
from shared.app import HOME, App

BUILD_RECORD = HOME / "build.json"
"""The file in which the deployment writes the commit of the zip. It is missing on a developer's machine."""
HEARTBEATS = {"push": "push_done", "sweep": "sweep_done"}
"""The cursor that each run moves when it ends."""


def health_report(app: App) -> dict[str, object]:
    """Return version, commit, mapping hash, mode, and the seconds since the last push and sweep (None: never)."""
    now = datetime.now(UTC)
    ages = {f"{run}_age_seconds": _age(now, app.store.cursor(cursor)) for run, cursor in HEARTBEATS.items()}
    settings = app.settings.sync
    paused = {"push": settings.push_paused, "pull": settings.pull_paused}
    return {
        "version": __version__,
        "commit": deployed_commit(BUILD_RECORD),
        "environment": settings.environment,
        "mode": settings.sync,
        "paused": [run for run, is_paused in paused.items() if is_paused],
        "mapping": app.translation.hash,
        **ages,
    }


@cache
def deployed_commit(record: Path) -> str | None:
    """Return the commit from which the deployed zip was made, or None if no zip was deployed."""
    try:
        return str(json.loads(record.read_text(encoding="utf-8"))["commit"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _age(now: datetime, heartbeat: datetime | None) -> int | None:
    return round((now - heartbeat).total_seconds()) if heartbeat else None
