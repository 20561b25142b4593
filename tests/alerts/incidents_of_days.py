"""Incidents of the daily runs, and of allowances and dates that they look at."""

from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path

from tests.alerts.incident import EVENING, MORNING, NIGHT, Incident, deal_of, failing, incident_from, referral_of
from tests.alerts.virtual_days import COMPARE, COPY, CREDENTIALS, DAY, HOUR, MIDNIGHT, MINUTE


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
