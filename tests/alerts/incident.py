"""An incident: the app runs on its emulators while something is wrong. What the incidents need in common is here."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta

from emulators.base.emulator import Emulator
from emulators.base.faults import Fault, FaultKind
from tests.alerts.virtual_days import DAY, HOUR, MIDNIGHT, MINUTE, VirtualDays

MORNING = MIDNIGHT + timedelta(hours=10)
EVENING, NIGHT, DAYS_AGO = MIDNIGHT - 4 * HOUR, MIDNIGHT + 2 * HOUR, MORNING - 11 * DAY
QUIET = timedelta(minutes=5, seconds=20)
ALWAYS = 1_000_000


@dataclass
class Incident:
    """An incident while it is played: when it began and ended."""

    days: VirtualDays
    begun: datetime = MORNING
    ended: datetime = MORNING
    """When nothing is wrong any more. What waits for its next try may still wait."""
    afterwards: timedelta = 16 * MINUTE
    """How long the app runs on then: up to the next probe of a side, or the next try of a deal."""

    @contextmanager
    def lasting(self, duration: timedelta, wrong: AbstractContextManager[object] | None = None) -> Iterator[None]:
        """Let something be wrong for so long after some quiet minutes: `wrong`, or what the block does."""
        self.days.run_for(QUIET)
        self.begun = self.days.now()
        with wrong or nullcontext():
            yield
            self.days.run_for(duration)
        self.ended = self.days.now()


type Story = Callable[[Incident], None]
STORIES: dict[str, tuple[datetime, Story]] = {}
"""Each incident by its name: when the app begins to run, and what happens then."""


def incident_from(begin: datetime) -> Callable[[Story], Story]:
    """Make a function an incident, before which the app runs from `begin` on."""

    def add(story: Story) -> Story:
        STORIES[story.__name__] = begin, story
        return story

    return add


def deal_of(days: VirtualDays) -> str:
    """A deal that both sides have had for some minutes."""
    deal = days.systems.seller_creates(f"Deal {len(days.lines)}")
    days.run_for(4 * MINUTE)
    return deal


def referral_of(days: VirtualDays, deal: str) -> str:
    return str(days.systems.salesforce.record("Opportunity", deal)["Referral_Identifier__c"])


def edit_in_portal(days: VirtualDays, deal: str) -> None:
    value = {"op": "replace", "path": "/details/dealValue", "value": 500}
    days.systems.partner_center.portal_edits(referral_of(days, deal), [value])


def work_for_an_hour(days: VirtualDays) -> None:
    """People on both sides create and edit deals, Microsoft sends one, and somebody tries the webhook."""
    deal = deal_of(days)
    days.systems.salesforce.edit("Opportunity", deal, {"Amount": 700})
    referral = days.systems.partner_center.microsoft_sends()
    days.post_event(*days.systems.partner_center.signed_event(referral, "referral-created"))
    days.post_event({"Content-Type": "application/json"}, b"{}")
    days.run_for(10 * MINUTE)
    if days.systems.salesforce.record("Opportunity", deal)["Referral_Identifier__c"]:  # not in a preview, say
        edit_in_portal(days, deal)


@contextmanager
def failing(emulator: Emulator, status: int = 503, **at: str) -> Iterator[None]:
    """Let each request at a place fail within the block."""
    fault = Fault(FaultKind.ANSWER, status=status, times=ALWAYS, **at)  # type: ignore[arg-type]  # texts
    emulator.faults.append(fault)
    yield
    emulator.faults.remove(fault)


@contextmanager
def throttling(emulator: Emulator, seconds: int) -> Iterator[None]:
    """Let each write be refused for so long within the block."""
    fault = Fault(
        FaultKind.ANSWER, method="PATCH", status=429, headers={"Retry-After": str(seconds)}, times=ALWAYS,
        body='{"message": "slow down"}',
    )  # fmt: skip
    emulator.faults.append(fault)
    yield
    emulator.faults.remove(fault)


@contextmanager
def without_consent(days: VirtualDays) -> Iterator[None]:
    """Let Entra refuse the refresh token, and Partner Center the tokens that it has given."""
    entra = days.systems.partner.entra
    consented, entra.settings.consented = entra.settings.consented, ()
    entra.revoke_access_tokens()
    yield
    entra.settings.consented = consented
