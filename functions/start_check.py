"""Check settings and mapping file when the app starts, quickly where they are as usual."""

import os
from pathlib import Path

from shared.foundation.logs import log
from shared.mapping.checked_file import unchecked_reason
from shared.settings.surely_right import settings_are_right
from shared.webhook.admission import event_admission

HOME = Path(__file__).resolve().parent.parent


def check_start() -> None:
    """Raise one ConfigurationError that names everything that is wrong in settings and mapping.

    If a quick look finds all settings right, and the mapping file was checked when the zip was made, that is enough:
    then the first event need not wait for what only the sync needs.
    """
    if settings_are_right() and _is_mapping_checked():
        event_admission()
        return
    from shared.app import app  # noqa: PLC0415 - late: seldom needed in Azure
    from shared.settings.variables import run_startup_checks, trigger_settings  # noqa: PLC0415 - as above

    run_startup_checks(app, event_admission, trigger_settings)


def _is_mapping_checked() -> bool:
    chosen = os.environ.get("MAPPING")
    reason = unchecked_reason(HOME / chosen if chosen else HOME / "shared/mapping/default.toml", HOME)
    if reason not in (None, "no_record"):
        log("mapping_rechecked", reason=reason)
    return reason is None
