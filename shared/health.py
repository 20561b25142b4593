"""What the health endpoint and the operator see: neither side is called, and nothing secret is shown."""

from datetime import UTC, datetime

from shared import __version__
from shared.app import App

HEARTBEATS = {"push": "push_done", "sweep": "sweep_done"}


def health(app: App) -> dict[str, object]:
    """Version, mapping hash, mode, and the seconds since the last push and sweep (None: never)."""
    now = datetime.now(UTC)
    beats = {name: app.store.cursor(cursor) for name, cursor in HEARTBEATS.items()}
    ages = {f"{name}_age_seconds": _age(now, beat) for name, beat in beats.items()}
    said = app.settings.sync
    return {
        "version": __version__,
        "environment": said.environment,
        "mode": said.sync,
        "paused": [name for name, is_paused in (("push", said.push_paused), ("pull", said.pull_paused)) if is_paused],
        "mapping": app.translation.hash,
        **ages,
    }


def _age(now: datetime, beat: datetime | None) -> int | None:
    return round((now - beat).total_seconds()) if beat else None
