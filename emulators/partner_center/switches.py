"""What the documentation leaves open, and how the emulator lies today: plain settings, changed by tests at any time."""

from dataclasses import dataclass, fields
from typing import Any

from emulators.partner_center.service_errors import invalid_request


@dataclass(slots=True)
class Switches:
    """Defaults are the documented reading; section numbers are those of reference/partner-center.md."""

    page_size: int = 100  # 2.3
    next_link: str = "odd"  # 2.3: "odd" is http and without /engagements, "clean" is this emulator's own address
    list_lag: float = 0.0  # seconds until a new referral appears in lists
    unfilterable: tuple[str, ...] = ()  # 15.5: fields whose use in $filter answers 400
    create_status: int = 200  # 1.2: 200 or 201
    demand_complete: bool = True  # 5.1: name, value, currency, closing date and whole contacts, as the portal does
    demand_reasons: bool = False  # 3.2: statusReason on Declined, Lost and Error
    answer_before_closing: bool = False  # 6.3: New may not become Won or Lost directly
    error_substatus: bool = True  # 6.2: Closed/Error is known
    extra_paths: tuple[str, ...] = ()  # 15.2: further paths that PATCH takes, such as "/name"
    single_create_invites: bool = False  # 15.7: one POST with target msft, outside an engagement, tells Microsoft
    msx_id_on: str = "theirs"  # 15.8: "theirs", "ours" or "both"
    self_made_direction: str = "Outgoing"  # 4.2
    webhook_names: str = "pascal"  # 11.1: how answers of the registration API spell names, "pascal" or "camel"
    validation_answer: str = "object"  # 11.1: what begins a test event answers, "object" or a bare "string"
    empty_event_list: bool = True  # 15.11: a registration may name no event at all
    related_event_names: str = "theirs"  # 7: whose id a related-* event carries, "theirs" or "ours"

    def reset(self) -> None:
        """Back to the defaults; whoever holds this object sees it."""
        for f in fields(self):
            setattr(self, f.name, f.default)

    def apply_changes(self, wanted: dict[str, Any]) -> None:
        """Set several by name. Raises ServiceError on an unknown name or another type."""
        for name, value in wanted.items():
            if name not in {f.name for f in fields(self)}:
                raise invalid_request(f"There is no switch '{name}'.", target="switches")
            given = tuple(value) if isinstance(value, list) else value
            kind = type(getattr(self, name))
            if not isinstance(given, kind) and not (kind is float and isinstance(given, int)):
                raise invalid_request(f"Switch '{name}' is of type {kind.__name__}.", target="switches")
            setattr(self, name, given)
