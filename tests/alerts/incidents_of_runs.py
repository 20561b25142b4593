"""Incidents of the app, its frequent runs and its sign-ins."""

from copy import replace

from emulators.base.faults import Fault, FaultKind
from shared.clients.salesforce.soql_literals import full_id
from tests.alerts.incident import (
    ALWAYS,
    MORNING,
    Incident,
    deal_of,
    failing,
    incident_from,
    throttling,
    without_consent,
)
from tests.alerts.virtual_days import HOUR, MINUTE, PUSH, SWEEP


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
    """A refreshed sandbox, say: the store belongs to the former organisation. Only two sweeps fall into the time."""
    org = incident.days.systems.salesforce
    founding = org.founding
    with incident.lasting(28 * MINUTE):
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
