"""Incidents of deals, and of the events about them."""

import json
from functools import partial
from typing import Any

import azure.functions as func

from emulators.partner_center.events import sign_body
from emulators.salesforce.data.hooks import ValidationRule
from functions.apply_poison import apply_poison
from shared.operations.stopped_changes import approve_stops, find_stops
from shared.webhook.admission import admit
from tests.alerts.incident import DAYS_AGO, MORNING, Incident, deal_of, edit_in_portal, failing, incident_from
from tests.alerts.virtual_days import HOUR, MINUTE, VirtualDays


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
            days.post_event(sign_body(body, days.systems.partner.certificates), body)
