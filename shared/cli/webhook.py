"""Run `cosell webhook`: show, register and test the registration for Partner Center's events.

A tenant has one registration, and whoever changes its address takes the events from the former address
(docs/reference/partner-center.md#webhook-registration). So these commands never replace another tool's address unless
the person asks for it. An environment other than production does not register: its sweep finds the changes.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated

import typer
from msgspec import Struct
from rich.markup import escape

from shared.app import App
from shared.cli.command import Env, Json, run_command
from shared.cli.environment import Environment
from shared.cli.exit_codes import Exit
from shared.cli.output import Output, ProgressBar
from shared.clients.partner_center.webhook_bodies import EVENTS, Registration, Validation
from shared.clients.partner_center.webhook_registration import FOLLOW_SECONDS, Webhooks, foreign_registration_cause
from shared.foundation.errors import Cause, ConfigurationError, Rejected
from shared.webhook.event_names import TEST_CREATED

ATTEMPTS = 10
"""The number of attempts to deliver an event (docs/reference/partner-center.md#event-delivery)."""
_EXAMPLE = "EVENTS_URL=https://func-cosell.azurewebsites.net/api/events"

app = typer.Typer(help="Show, register and test the registration for Partner Center's events.", no_args_is_help=True)

Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a registration that has another address.")]
Wait = Annotated[float, typer.Option("--wait", min=0, help="How many seconds to follow the test event.")]


@app.command()
def show(env: Env, as_json: Json = False) -> None:
    """Show to which address Partner Center sends the tenant's events, and which events."""
    run_command(env, as_json, _show_registration)


@app.command()
def register(env: Env, overwrite: Overwrite = False, as_json: Json = False) -> None:
    """Register the app's address for the referral events and the test event."""
    run_command(env, as_json, lambda environment, output: _register_address(environment, output, overwrite=overwrite))


@app.command("test")
def send_test_event(env: Env, wait: Wait = FOLLOW_SECONDS, as_json: Json = False) -> None:
    """Make Partner Center send a test event, and report whether it reaches the app."""
    run_command(env, as_json, lambda environment, output: _follow_test_event(environment, output, wait=wait))


class _TenantRegistration(Struct, frozen=True):
    """The registration of the tenant, as one environment sees it."""

    webhooks: Webhooks
    environment: str
    our_address: str | None
    may_register: bool

    def owner_of(self, registration: Registration | None) -> str:
        """Return `none`, `ours` or `foreign`, the words of the JSON output."""
        if registration is None:
            return "none"
        return "ours" if self.our_address is not None and registration.is_at(self.our_address) else "foreign"

    def address_to_register(self) -> str:
        """Return our address. Raises Rejected if another environment holds the registration, ConfigurationError."""
        if not self.may_register:
            raise Rejected(_not_this_environment(self.environment))
        if self.our_address is None:
            raise ConfigurationError(f"EVENTS_URL: the address for events is not known (example: {_EXAMPLE})")
        return self.our_address


@contextmanager
def _open_registration(environment: Environment) -> Iterator[_TenantRegistration]:
    with closing(App()) as connector:
        settings, app_url = connector.settings, environment.app_url
        from_deployment = f"{app_url.rstrip('/')}/api/events" if app_url else settings.webhook.address
        yield _TenantRegistration(
            connector.webhooks,
            settings.sync.environment,
            settings.webhook.events_url or from_deployment,
            settings.holds_registration,
        )


# --- show


def _show_registration(environment: Environment, output: Output) -> Exit:
    with _open_registration(environment) as tenant:
        registration = tenant.webhooks.read_registration()
    owner = tenant.owner_of(registration)
    is_well = owner == "ours" and registration is not None and registration.is_complete
    for sentence in _describe_registration(tenant, registration, owner):
        output.say(escape(sentence))
    if registration is not None:
        lines = [(escape(name), "yes" if name.casefold() in EVENTS else "") for name in registration.events]
        output.print_table(("event", "used by the connector"), lines)
    output.print_document({
        "ok": is_well or not tenant.may_register, "registration": owner, "address": tenant.our_address,
        "host": registration and registration.host, "events": list(registration.events) if registration else [],
        "missing": list(registration.missing_events()) if registration else list(EVENTS),
        "x_ms_signature": registration and registration.x_ms_signature, "registers": tenant.may_register,
    })  # fmt: skip
    return Exit.OK if is_well or not tenant.may_register else Exit.PROBLEM


def _describe_registration(tenant: _TenantRegistration, registration: Registration | None, owner: str) -> Iterator[str]:
    if registration is None:
        yield "There is no registration for events."
    elif owner == "ours":
        yield f"Partner Center sends this tenant's events to the app's address, {tenant.our_address}."
        if missing := registration.missing_events():
            yield f"Missing: {', '.join(missing)}."
        if registration.x_ms_signature is False:
            yield "The signature arrives in the header Authorization, which the platform may handle itself."
    else:
        yield f"Partner Center sends this tenant's events to another address, at {registration.host}."
    if not tenant.may_register:
        yield f"{_not_this_environment(tenant.environment).reason}."
    elif registration is None or not (owner == "ours" and registration.is_complete):
        yield f"To correct this, run `cosell webhook register{' --overwrite' if owner == 'foreign' else ''}`."


def _not_this_environment(environment: str) -> Cause:
    return Cause(
        "notThisEnvironment",
        None,
        f"{environment} does not register for events, because production holds the tenant's only registration:"
        f" the sweep of {environment} finds the changes",
        "If this environment has a tenant of its own, set EVENTS_REGISTER=true.",
    )


# --- register


def _register_address(environment: Environment, output: Output, *, overwrite: bool) -> Exit:
    with _open_registration(environment) as tenant:
        address = tenant.address_to_register()
        former = tenant.webhooks.read_registration()
        registration = tenant.webhooks.register(address, overwrite=overwrite)
    owner = tenant.owner_of(former)
    taken_from = former.host if former is not None and owner == "foreign" else None
    if taken_from is not None:
        output.say(escape(f"The former address, at {taken_from}, receives no events any more."))
    output.say(escape(f"Partner Center sends these events to {address}: {', '.join(registration.events)}."))
    output.say("Next, run `cosell webhook test`.")
    output.print_document({
        "ok": True, "address": address, "events": list(registration.events), "before": owner,
        "taken_from": taken_from,
    })  # fmt: skip
    return Exit.OK


# --- test


def _follow_test_event(environment: Environment, output: Output, *, wait: float) -> Exit:
    with _open_registration(environment) as tenant:
        address = tenant.address_to_register()
        _check_registration(tenant, tenant.webhooks.read_registration())
        correlation_id = tenant.webhooks.send_test_event()
        output.say(f"Partner Center sends a test event to {escape(address)}. Its correlation id is {correlation_id}.")
        with output.show_progress("waiting for the first attempt", ATTEMPTS) as bar:
            validation = tenant.webhooks.follow_test_event(correlation_id, _AttemptPrinter(output, bar), seconds=wait)
    for sentence in _describe_result(validation, wait):
        output.say(escape(sentence))
    output.print_document({
        "ok": validation.is_delivered, "correlation_id": correlation_id, "status": validation.status,
        "attempts": [{"code": attempt.code, "at": attempt.at} for attempt in validation.attempts],
    })  # fmt: skip
    if validation.is_delivered:
        return Exit.OK
    return Exit.PROBLEM if validation.is_over else Exit.RETRY


def _check_registration(tenant: _TenantRegistration, registration: Registration | None) -> None:
    """Raise Rejected unless the registration has our address and the test event."""
    if registration is None:
        raise Rejected(Cause("noRegistration", None, "there is no registration for events", _REGISTER_FIRST))
    if tenant.owner_of(registration) == "foreign":
        raise Rejected(foreign_registration_cause(registration))
    if registration.missing_events((TEST_CREATED,)):
        reason = f"the registration lacks the event {TEST_CREATED}"
        raise Rejected(Cause("testCreatedMissing", None, reason, _REGISTER_FIRST))


_REGISTER_FIRST = "Run `cosell webhook register` first."


class _AttemptPrinter:
    """Prints each delivery attempt once, as soon as Partner Center reports it."""

    def __init__(self, output: Output, bar: ProgressBar) -> None:
        self._output, self._bar = output, bar
        self._printed = 0

    def __call__(self, validation: Validation) -> None:
        for number, attempt in enumerate(validation.attempts[self._printed :], self._printed + 1):
            self._output.say(
                escape(f"Attempt {number}: {attempt.code or 'no answer'} ({attempt.at or 'time not reported'}).")
            )
        self._printed = max(self._printed, len(validation.attempts))
        self._bar.move_to(self._printed, ATTEMPTS, f"after attempt {self._printed}" if self._printed else None)


def _describe_result(validation: Validation, wait: float) -> Iterator[str]:
    if validation.is_delivered:
        yield "The test event arrived: the app verified its signature and accepted it."
    elif validation.is_over:
        yield "The test event did not arrive. If the log has event_refused, docs/event-signature.md explains why."
        yield "If the log has nothing, no request reached the app: check its address and its network."
    else:
        yield f"Partner Center has no result after {wait:.0f} seconds. In a minute, run `cosell webhook test` again."
