"""Keep what the token endpoint and the sign-in pages share: settings, app registrations and planned failures."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from emulators.base.clock import EmulatedClock
from emulators.entra.aadsts_errors import AadstsError
from emulators.entra.app_registrations import AppRegistration
from emulators.entra.settings import EntraSettings

FAILING_PLACES = ("refresh", "authorize", "token", "devicecode")


@dataclass(slots=True)
class _PlannedFailure:
    code: int
    place: str
    times: int


@dataclass(slots=True)
class TenantState:
    """The state of one tenant that several requests share; a reset makes a new one."""

    clock: EmulatedClock
    random: random.Random
    apps: dict[str, AppRegistration]
    settings: EntraSettings = field(default_factory=EntraSettings)
    _planned_failures: list[_PlannedFailure] = field(default_factory=list)

    def make_random_id(self) -> str:
        """Return an id of 128 random bits, as hexadecimal digits."""
        return f"{self.random.getrandbits(128):032x}"

    def seconds_from_now(self, seconds: float) -> float:
        """Return the emulated time in `seconds` from now, as epoch seconds."""
        return self.clock.now().timestamp() + seconds

    def plan_failure(self, code: int, times: int, place: str) -> None:
        """Let the next `times` requests at `place` fail with AADSTS`code`. Raises ValueError for an unknown place."""
        if place not in FAILING_PLACES:
            raise ValueError(f"a failure can be planned at {', '.join(FAILING_PLACES)}, not at {place!r}")
        self._planned_failures.append(_PlannedFailure(code, place, times))

    def raise_planned_failure(self, place: str) -> None:
        """Raise the AadstsError that is planned at `place`, if there is one."""
        for planned in self._planned_failures:
            if planned.times > 0 and planned.place == place:
                planned.times -= 1
                raise AadstsError(planned.code)

    def require_admin_consent(self, audience: str) -> None:
        """Raise AadstsError unless the API exists in the tenant and an administrator consented to it."""
        if audience not in self.settings.audiences:
            raise AadstsError(500011)
        if audience not in self.settings.consented:
            raise AadstsError(65001)


def requested_audience(fields: Mapping[str, str], *, v2: bool) -> str:
    """Return the API that a request names: in `resource` (v1), or in its first scope with an address (v2).

    Raises AadstsError for a v2 request without such a scope. Source:
    docs/reference/partner-center.md#authorization-code-and-refresh-grants
    """
    if not v2:
        return fields.get("resource", "").rstrip("/")
    scopes = [scope for scope in fields.get("scope", "").split() if "://" in scope]
    if not scopes:
        raise AadstsError(70011)
    return scopes[0].rpartition("/")[0].rstrip("/")
