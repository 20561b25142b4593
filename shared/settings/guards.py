"""The settings of the guards: the mass-change stop, the daily compare, the purge, and the copies of the store."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from shared.settings.settings_group import SettingsGroup
from shared.settings.value_types import Https


class GuardSettings(SettingsGroup):
    """How much may change in a day, how much a compare reads besides, and how long values and copies are kept.

    Sources: docs/protocol.md#the-mass-change-stop, docs/protocol.md#the-daily-compare, docs/protocol.md#personal-data,
    docs/protocol.md#copies-of-the-store.
    """

    examples: ClassVar[Mapping[str, str]] = {
        "mass_change_limit": "200",
        "backup_container": "https://stcopies.blob.core.windows.net/copies",
    }

    mass_change_limit: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    purge_after_days: Annotated[int, Field(ge=0, le=3650)] = 90
    """Days after a deal is closed. A quarter is enough to correct an end and to hear Microsoft's; 0 keeps all."""
    compare_sample: Annotated[int, Field(ge=0, le=10_000)] = 100
    backup_container: Https | None = None
    backup_retention_days: Annotated[int, Field(ge=1, le=3650)] = 35
