"""Choose how the emulator behaves where the documentation is silent or contradicts itself.

Tests and the control API change the switches at any time. Each comment names the fact in question on the page
docs/reference/partner-center.md; the defaults are the documented reading.
"""

from dataclasses import dataclass, fields
from typing import Any

from emulators.partner_center.service_errors import invalid_request

CHOICES = {
    "next_link": ("odd", "clean"),
    "msx_id_on": ("theirs", "ours", "both"),
    "microsoft_team": ("appended", "own"),
    "related_lists": ("all", "engagement", "never"),
    "related_get": ("allowed", "not_found", "denied"),
    "related_events": ("after", "before"),
    "related_event_names": ("theirs", "ours"),
    "webhook_names": ("pascal", "camel"),
    "validation_answer": ("object", "string"),
}
"""The values of the switches that have a few."""


@dataclass(slots=True)
class Switches:
    """The switches; docs/reference/emulator-of-partner-center.md#switches explains each."""

    page_size: int = 100  # docs/reference/partner-center.md#list-pages
    # odd: http and without /engagements, as documented; clean: this emulator's own address.
    next_link: str = "odd"  # docs/reference/partner-center.md#list-pages
    list_lag: float = 0.0  # seconds until a new referral appears in lists
    # Seconds for which lists show a changed referral as it was before; or for which lists by updatedDateTime lack it.
    list_stale: float = 0.0  # docs/reference/partner-center.md#list-pages
    list_gap: float = 0.0  # docs/reference/partner-center.md#list-pages
    # The first digits of the ids of the referrals that such lists lack; empty for all: an index is late in parts.
    list_gap_of: str = ""  # docs/reference/partner-center.md#list-pages
    # How many referrals at the end of a page the next page shows once more.
    list_repeats: int = 0  # docs/reference/partner-center.md#list-pages
    unfilterable: tuple[str, ...] = ()  # docs/reference/partner-center.md#filters
    create_status: int = 200  # or 201: docs/reference/partner-center.md#operations
    # Demand name, value, currency, closing date and complete contacts, as the portal does.
    demand_complete: bool = True  # docs/reference/partner-center.md#creating-a-referral
    demand_reasons: bool = True  # docs/reference/partner-center.md#referral-fields
    listed_reasons: bool = True  # docs/reference/partner-center.md#closing-reasons
    answer_before_closing: bool = True  # docs/reference/partner-center.md#status-changes-as-patches
    decline_accepted: bool = False  # docs/reference/partner-center.md#status-changes-as-patches
    error_substatus: bool = True  # docs/reference/partner-center.md#substatus-meanings
    extra_paths: tuple[str, ...] = ()  # such as "/name": docs/reference/partner-center.md#patch-paths
    single_create_invites: bool = False  # docs/reference/partner-center.md#co-sell-in-two-creates
    # theirs, ours or both.
    msx_id_on: str = "theirs"  # docs/reference/partner-center.md#engagement-and-the-microsoft-record
    self_made_direction: str = "Outgoing"  # docs/reference/partner-center.md#inbound-and-outbound-deals
    webhook_names: str = "pascal"  # or camel: docs/reference/partner-center.md#webhook-registration
    validation_answer: str = "object"  # or string: docs/reference/partner-center.md#webhook-registration
    empty_event_list: bool = True  # docs/reference/partner-center.md#webhook-registration
    # appended (after our own sellers) or own (Microsoft's sellers alone).
    microsoft_team: str = "appended"  # docs/reference/partner-center.md#engagement-and-the-microsoft-record
    # Ids of solutions that the catalogue has, but not as co-sell ready.
    solutions_not_ready: tuple[str, ...] = ()  # docs/reference/partner-center.md#asking-microsoft-for-help
    # Which lists show the referrals of other parties: all, engagement (a filter on the engagement only) or never.
    related_lists: str = "all"  # docs/reference/partner-center.md#engagement-and-the-microsoft-record
    related_list_lag: float = 0.0  # seconds until a new referral of another party appears in lists
    # allowed, not_found (404) or denied (403): what a GET of another party's referral answers.
    related_get: str = "allowed"  # docs/reference/partner-center.md#engagement-and-the-microsoft-record
    # after or before: whether related events are sent before the answer to the call that caused them.
    related_events: str = "after"  # docs/reference/partner-center.md#engagement-and-the-microsoft-record
    # theirs or ours.
    related_event_names: str = "theirs"  # docs/reference/partner-center.md#engagement-and-the-microsoft-record

    def reset(self) -> None:
        """Set every switch to its default. Whoever holds this object sees the change."""
        for f in fields(self):
            setattr(self, f.name, f.default)

    def apply_changes(self, changes: dict[str, Any]) -> None:
        """Set several switches by name. Raises ServiceError for an unknown name or a value that it cannot have."""
        for name, value in changes.items():
            if name not in {f.name for f in fields(self)}:
                raise invalid_request(f"The emulator has no switch '{name}'.", target="switches")
            converted = tuple(value) if isinstance(value, list) else value
            kind = type(getattr(self, name))
            if not isinstance(converted, kind) and not (kind is float and isinstance(converted, int)):
                raise invalid_request(f"Switch '{name}' is of type {kind.__name__}.", target="switches")
            if value not in CHOICES.get(name, (value,)):
                raise invalid_request(f"Switch '{name}' is one of {', '.join(CHOICES[name])}.", target="switches")
            setattr(self, name, converted)
