"""What happens in the incidents of `incidents.toml`: the app runs on its emulators while something is wrong."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import replace
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import azure.functions as func

from emulators.base.emulator import Emulator
from emulators.base.faults import Fault, FaultKind
from emulators.salesforce.data.hooks import ValidationRule
from functions.apply_poison import apply_poison
from shared.clients.salesforce.soql_literals import full_id
from shared.operations.stopped_changes import approve_stops, find_stops
from shared.webhook.admission import admit
from tests.alerts.virtual_days import COMPARE, COPY, CREDENTIALS, DAY, HOUR, MIDNIGHT, MINUTE, PUSH, SWEEP, VirtualDays

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
INCIDENTS: dict[str, tuple[datetime, Story]] = {}
"""Each incident by its name: when the app begins to run, and what happens then."""


def incident_from(begin: datetime) -> Callable[[Story], Story]:
    """Make a function an incident, before which the app runs from `begin` on."""

    def add(story: Story) -> Story:
        INCIDENTS[story.__name__] = begin, story
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


# --- the app and its runs


@incident_from(MORNING)
def app_does_not_start(incident: Incident) -> None:
    with incident.lasting(9 * MINUTE):
        incident.days.restart(SALESFORCE_URL="http://acme.my.salesforce.com")
    incident.days.restart(SALESFORCE_URL=incident.days.systems.environ["SALESFORCE_URL"])


@incident_from(MORNING)
def salesforce_is_down(incident: Incident) -> None:
    with incident.lasting(45 * MINUTE, failing(incident.days.systems.salesforce)):
        pass


@incident_from(MORNING)
def pushes_are_lost(incident: Incident) -> None:
    with incident.lasting(45 * MINUTE):
        incident.days.lost.add(PUSH)
    incident.days.lost.clear()


@incident_from(MORNING)
def partner_center_refuses_the_sign_in(incident: Incident) -> None:
    """No deal waits for it, so that the sweep alone notices it, every half an hour."""
    with incident.lasting(2 * HOUR, without_consent(incident.days)):
        pass


@incident_from(MORNING)
def a_deal_waits_for_the_sign_in(incident: Incident) -> None:
    with incident.lasting(2 * HOUR, without_consent(incident.days)):
        incident.days.systems.seller_creates("A deal")


@incident_from(MORNING)
def partner_center_throttles(incident: Incident) -> None:
    """It asks for a quarter of an hour, again and again."""
    days = incident.days
    deal = deal_of(days)
    with incident.lasting(2 * HOUR, throttling(days.systems.partner_center, 900)):
        days.systems.salesforce.edit("Opportunity", deal, {"Amount": 700})


@incident_from(MORNING)
def salesforce_refuses_the_sign_in(incident: Incident) -> None:
    refusal = '{"error": "invalid_grant", "error_description": "user hasn\'t approved this consumer"}'
    with incident.lasting(HOUR):
        incident.days.restart()
        fault = Fault(FaultKind.ANSWER, path="oauth2/token", status=400, body=refusal, times=ALWAYS)
        incident.days.systems.salesforce.faults.append(fault)
    incident.days.systems.salesforce.faults.clear()


@incident_from(MORNING)
def the_organisation_is_another(incident: Incident) -> None:
    """A refreshed sandbox, say: the store belongs to the former organisation."""
    org = incident.days.systems.salesforce
    founding = org.founding
    with incident.lasting(40 * MINUTE):
        org.founding = replace(founding, organization=full_id("00D9999999999ZZ"))
        incident.days.restart()
    org.founding = founding
    incident.days.restart()


@incident_from(MORNING)
def lists_are_down(incident: Incident) -> None:
    incident.days.only(SWEEP)
    with incident.lasting(2 * HOUR, failing(incident.days.systems.partner_center, method="GET")):
        pass


@incident_from(MORNING)
def the_vault_takes_no_token(incident: Incident) -> None:
    """The role of the app on the secret is gone: each hour a renewed token cannot be stored."""
    access = incident.days.systems.vault.access
    incident.days.only(SWEEP)
    with incident.lasting(4 * HOUR):
        access.write = False
    access.write = True


# --- the daily runs


def one_night(incident: Incident, timer: str, begin: timedelta, wrong: AbstractContextManager[object]) -> None:
    """Let only one timer run, from some minutes before its first run of the day on, while something is wrong."""
    days = incident.days
    days.only(timer)
    days.skip_to(MIDNIGHT + begin - MINUTE)
    with wrong:
        incident.begun = days.now()
        days.run_for(4 * HOUR)


@incident_from(NIGHT)
def entra_is_down_at_night(incident: Incident) -> None:
    """The renewal of the day fails; that of the next day works."""
    entra = incident.days.systems.partner.entra
    one_night(incident, CREDENTIALS, timedelta(hours=3, minutes=17), failing(entra))
    incident.ended = incident.begun + DAY


@incident_from(NIGHT)
def partner_center_is_down_at_night(incident: Incident) -> None:
    """No compare of the night ends."""
    partner_center = incident.days.systems.partner_center
    one_night(incident, COMPARE, timedelta(hours=2, minutes=23), failing(partner_center))
    incident.ended = incident.begun + DAY


@incident_from(NIGHT)
def the_copy_fails_twice(incident: Incident) -> None:
    days = incident.days
    copies = Path(f"{days.app.settings.store.file}.copies")
    copies.write_text("a file is in the way", encoding="utf-8")
    one_night(incident, COPY, timedelta(hours=6, minutes=47), nullcontext())
    days.skip_to(incident.begun + DAY)
    days.run_for(HOUR)
    copies.unlink()
    incident.ended = incident.begun + 2 * DAY


@incident_from(EVENING)
def two_deals_differ(incident: Incident) -> None:
    """A lost event and a sweep that passed it by leave two deals apart. The second compare ends in its last run."""
    days = incident.days
    deals = [deal_of(days), deal_of(days)]
    for deal in deals:
        days.systems.partner_center.raw_patch(referral_of(days, deal), {"/details/dealValue": 29000})
    days.app.store.move_cursor("sweep", days.now() + HOUR)
    days.only(COMPARE)
    days.skip_to(MIDNIGHT + timedelta(hours=2, minutes=22))
    incident.begun = days.now()
    days.run_for(DAY)
    with failing(days.systems.partner_center):
        days.run_for(3 * HOUR)
    days.run_for(HOUR)
    for deal in deals:
        days.systems.partner_center.raw_patch(referral_of(days, deal), {"/details/dealValue": 10000})
    incident.ended = incident.begun + 2 * DAY


# --- deals


@incident_from(MORNING)
def events_fail(incident: Incident) -> None:
    """Two events fail five times each, in the last minute of a period."""
    days = incident.days
    days.only()
    with incident.lasting(MINUTE):
        for _ in range(2):
            referral = days.systems.partner_center.microsoft_sends()
            answer = admit(*_signed(days, referral))
            message = func.QueueMessage(body=str(answer.message).encode())
            days.call("apply_poison", partial(_apply_poison, message))


def _apply_poison(message: Any) -> None:  # noqa: ANN401 - the library types a decorated function as its builder
    apply_poison(message)


def _signed(days: VirtualDays, referral: str) -> tuple[list[tuple[str, str]], bytes]:
    headers, body = days.systems.partner_center.signed_event(referral)
    return list(headers.items()), body


@incident_from(MORNING)
def salesforce_refuses_a_value(incident: Incident) -> None:
    days = incident.days
    deal = deal_of(days)
    with incident.lasting(20 * MINUTE):
        edit_in_portal(days, deal)
        days.systems.salesforce.org.hooks.rules.append(ValidationRule("Opportunity", "Amount", "Not so."))
    days.systems.salesforce.org.hooks.rules.clear()


@incident_from(MORNING)
def a_deal_cannot_be_made(incident: Incident) -> None:
    days = incident.days
    days.push_each_five_minutes()
    incident.afterwards = 70 * MINUTE
    with incident.lasting(3 * HOUR):
        days.systems.salesforce.org.hooks.rules.append(ValidationRule("Opportunity", "Name", "Not so."))
        days.systems.partner_center.microsoft_sends()
    days.systems.salesforce.org.hooks.rules.clear()


@incident_from(MORNING)
def a_sharing_rule_is_gone(incident: Incident) -> None:
    days = incident.days
    deal = deal_of(days)
    days.push_each_five_minutes()
    incident.afterwards = 70 * MINUTE
    with incident.lasting(3 * HOUR):
        days.systems.salesforce.org.sharing.models["Opportunity"] = "Private"
        edit_in_portal(days, deal)
    days.systems.salesforce.org.sharing.models.clear()


@incident_from(DAYS_AGO)
def an_answer_is_due(incident: Incident) -> None:
    """Eleven days have passed since Microsoft sent the deal."""
    days = incident.days
    days.systems.partner_center.microsoft_sends()
    days.run_for(20 * MINUTE)
    days.skip_to(MORNING)
    days.forget_lines()
    with incident.lasting(MINUTE):
        pass


@incident_from(MORNING)
def many_deals_are_new(incident: Incident) -> None:
    days = incident.days
    days.restart(MASS_CHANGE_LIMIT="3")
    days.push_each_five_minutes()
    incident.afterwards = 70 * MINUTE
    with incident.lasting(3 * HOUR):
        for number in range(6):
            days.systems.seller_creates(f"New {number}")
    approve_stops(days.app.context, find_stops(days.app.context), "local")


@incident_from(MORNING)
def partner_center_takes_no_change(incident: Incident) -> None:
    days = incident.days
    deal = deal_of(days)
    days.run_for(5 * MINUTE)
    days.push_each_five_minutes()
    incident.afterwards = 70 * MINUTE
    with incident.lasting(85 * MINUTE, failing(days.systems.partner_center, method="PATCH")):
        days.systems.salesforce.edit("Opportunity", deal, {"Amount": 700})


# --- events


@incident_from(MORNING)
def events_have_no_signature(incident: Incident) -> None:
    """A dozen events in a dozen minutes, and one with a signature."""
    days = incident.days
    days.only()
    with incident.lasting(MINUTE):
        days.post_event(*days.systems.partner_center.signed_event(days.systems.partner_center.microsoft_sends()))
        for _ in range(12):
            days.post_event({"Content-Type": "application/json"}, b"{}")
            days.run_for(MINUTE)


@incident_from(MORNING)
def events_have_another_form(incident: Incident) -> None:
    days = incident.days
    days.only()
    with incident.lasting(MINUTE):
        for name, uri in (
            ("referral-closed", "https://api.partnercenter.microsoft.com/engagements/v1/referrals/1"),
            ("referral-updated", "https://other.example/engagements/v1/referrals/1"),
        ):
            body = json.dumps({"EventName": name, "ResourceUri": uri, "ResourceName": "referral"}).encode()
            days.post_event(_headers_of(days, body), body)


def _headers_of(days: VirtualDays, body: bytes) -> dict[str, str]:
    host = days.systems.partner.certificates
    return {
        "Content-Type": "application/json",
        "X-MS-Certificate-Url": host.leaf_url,
        "X-MS-Signature-Algorithm": "rsa-sha256",
        "x-ms-signature": f"Signature {base64.b64encode(host.dispatcher_leaf.sign(body)).decode()}",
    }


# --- allowances and dates


@incident_from(MORNING)
def another_tool_uses_the_allowance(incident: Incident) -> None:
    rest = incident.days.systems.salesforce.rest
    used = rest.used
    with incident.lasting(20 * MINUTE):
        rest.used = int(rest.max_requests * 0.85)
    rest.used = used


@incident_from(NIGHT)
def two_credentials_end(incident: Incident) -> None:
    days = incident.days
    for name in ("partner-center-client-secret", "salesforce-private-key"):
        days.app.vault.set(name, days.app.vault.get(name), expires=MORNING + 12 * DAY)
    days.only(CREDENTIALS)
    days.skip_to(MIDNIGHT + timedelta(hours=3, minutes=16))
    incident.begun = days.now()
    days.run_for(DAY + HOUR)
    incident.ended = incident.begun + 2 * DAY


@incident_from(NIGHT)
def another_tool_registers(incident: Incident) -> None:
    days = incident.days
    days.restart(EVENTS_URL="https://func-cosell.azurewebsites.net/api/events", EVENTS_REGISTER="true")
    days.systems.partner_center.register_events("https://another.example/hook")
    days.only(CREDENTIALS)
    days.skip_to(MIDNIGHT + timedelta(hours=3, minutes=16))
    incident.begun = days.now()
    days.run_for(DAY + HOUR)
    incident.ended = incident.begun + 2 * DAY
