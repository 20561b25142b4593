"""Hold the settings that tests and the control API change: token lifetimes, MFA, rotation, consent, the person."""

from dataclasses import asdict, dataclass
from typing import Any

from emulators.base.control_body import convert_strictly
from emulators.entra.tokens import REFERRALS_AUDIENCE, WEBHOOKS_AUDIENCE

_CHOICES = {"rotation": ("keep", "invalidate", "withhold"), "person": ("consents", "refuses", "waits")}


@dataclass(slots=True)
class EntraSettings:
    """The behaviour of Entra ID. The defaults are the real service's (docs/reference/partner-center.md#sign-in)."""

    access_token_seconds: int = 3599
    mfa: bool = True  # whether new access tokens have `mfa` in their `amr` claim
    # What happens when a refresh token is redeemed. keep: the old one stays valid beside the new one; invalidate: only
    # the new one is valid; withhold: the answer has no new one.
    rotation: str = "keep"
    roles: tuple[str, ...] | None = None  # in place of the user's own roles
    audiences: tuple[str, ...] = (REFERRALS_AUDIENCE, WEBHOOKS_AUDIENCE)  # APIs that exist in the tenant
    consented: tuple[str, ...] = (REFERRALS_AUDIENCE, WEBHOOKS_AUDIENCE)  # APIs that an administrator consented to
    person: str = "consents"  # what the person does on the sign-in page: consents, refuses or waits
    device_interval: int = 5  # seconds that a client waits between two requests about a device code

    def apply_changes(self, changes: dict[str, Any]) -> None:
        """Set several settings by name. Raises ValueError, msgspec.ValidationError."""
        changed = convert_strictly(EntraSettings, {**asdict(self), **changes})
        invalid = [name for name, allowed in _CHOICES.items() if getattr(changed, name) not in allowed]
        if invalid:
            raise ValueError(f"{invalid} has an unknown value")
        for name, value in asdict(changed).items():
            setattr(self, name, value)
