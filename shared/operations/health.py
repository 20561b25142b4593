"""What the health endpoint and the operator see: neither side is called, and nothing secret is shown."""

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from shared import __version__
from shared.app import HOME, App

BUILD_RECORD = HOME / "build.json"
"""What the deployment says of the zip; on one machine there is none."""
HEARTBEATS = {"push": "push_done", "sweep": "sweep_done"}


def health_report(app: App) -> dict[str, object]:
    """Version, commit, mapping hash, mode, and the seconds since the last push and sweep (None: never)."""
    now = datetime.now(UTC)
    beats = {name: app.store.cursor(cursor) for name, cursor in HEARTBEATS.items()}
    ages = {f"{name}_age_seconds": _age(now, beat) for name, beat in beats.items()}
    said = app.settings.sync
    return {
        "version": __version__,
        "commit": deployed_commit(BUILD_RECORD),
        "environment": said.environment,
        "mode": said.sync,
        "paused": [name for name, is_paused in (("push", said.push_paused), ("pull", said.pull_paused)) if is_paused],
        "mapping": app.translation.hash,
        **ages,
    }


@cache
def deployed_commit(record: Path) -> str | None:
    """The commit that the deployed zip was made from; None where no zip was deployed."""
    try:
        return str(json.loads(record.read_text(encoding="utf-8"))["commit"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _age(now: datetime, beat: datetime | None) -> int | None:
    return round((now - beat).total_seconds()) if beat else None
