"""The settings of the guards, which stop or look for what no single pair can see (docs/protocol.md)."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from shared.settings.settings_group import SettingsGroup
from shared.settings.value_types import Https


class GuardSettings(SettingsGroup):
    """How much may change at once before an operator is asked, and how many referrals a daily compare reads.

    Sources: docs/protocol.md#the-mass-change-stop, docs/protocol.md#the-daily-compare.
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
