"""`cosell webhook`: the registration for Partner Center's events, of which a tenant has one.

Whoever registers an address takes the events from whoever had them, so a foreign registration is named and left, and
an environment other than production does not register at all: it lives by its sweep.
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
from shared.clients.partner_center.webhook_registration import PATIENCE, Webhooks, foreign
from shared.foundation.errors import Cause, ConfigurationError, Rejected
from shared.webhook.event_names import TEST_CREATED

ATTEMPTS = 10
"""As often Partner Center tries to deliver an event (reference/partner-center.md 11.3)."""
_EXAMPLE = "EVENTS_URL=https://func-cosell.azurewebsites.net/api/events"

app = typer.Typer(help="Look after the registration for Partner Center's events.", no_args_is_help=True)

Overwrite = Annotated[bool, typer.Option("--overwrite", help="Take the registration from another address.")]
Wait = Annotated[float, typer.Option("--wait", min=0, help="Seconds to follow the test event at most.")]


@app.command()
def show(env: Env, as_json: Json = False) -> None:
    """Show where Partner Center sends the tenant's events, and which."""
    run_command(env, as_json, _show)


@app.command()
def register(env: Env, overwrite: Overwrite = False, as_json: Json = False) -> None:
    """Have the events about referrals, and the test event, sent to our event door."""
    run_command(env, as_json, lambda environment, output: _register(environment, output, overwrite=overwrite))


@app.command("test")
def try_out(env: Env, wait: Wait = PATIENCE, as_json: Json = False) -> None:
    """Have a test event sent, and follow it to our event door."""
    run_command(env, as_json, lambda environment, output: _test(environment, output, patience=wait))


class _Slot(Struct, frozen=True):
    """The tenant's one slot, seen from an environment."""

    webhooks: Webhooks
    environment: str
    address: str | None
    may_hold: bool

    def whose(self, found: Registration | None) -> str:
        if found is None:
            return "none"
        return "ours" if self.address is not None and found.is_at(self.address) else "foreign"

    def door(self) -> str:
        """Our event door. Raises Rejected where the slot is another environment's, ConfigurationError."""
        if not self.may_hold:
            raise Rejected(_not_here(self.environment))
        if self.address is None:
            raise ConfigurationError(f"EVENTS_URL: nobody says where events arrive (example: {_EXAMPLE})")
        return self.address


@contextmanager
def _slot(environment: Environment) -> Iterator[_Slot]:
    with closing(App()) as connector:
        said, home = connector.settings, environment.app_url
        address = said.webhook.events_url or (f"{home.rstrip('/')}/api/events" if home else said.webhook.address)
        yield _Slot(connector.webhooks, said.sync.environment, address, said.holds_registration)


# --- show


def _show(environment: Environment, output: Output) -> Exit:
    with _slot(environment) as slot:
        found = slot.webhooks.registration()
    whose = slot.whose(found)
    is_well = whose == "ours" and found is not None and found.is_complete
    for sentence in _sentences(slot, found, whose):
        output.say(escape(sentence))
    if found is not None:
        output.print_table(
            ("event", "we use it"), [(escape(name), "yes" if _is_used(name) else "") for name in found.events]
        )
    output.print_document({
        "ok": is_well or not slot.may_hold, "registration": whose, "address": slot.address,
        "host": found and found.host, "events": list(found.events) if found else [],
        "missing": list(found.lacks()) if found else list(EVENTS),
        "x_ms_signature": found and found.x_ms_signature, "registers": slot.may_hold,
    })  # fmt: skip
    return Exit.OK if is_well or not slot.may_hold else Exit.PROBLEM


def _is_used(name: str) -> bool:
    return name.casefold() in EVENTS


def _sentences(slot: _Slot, found: Registration | None, whose: str) -> Iterator[str]:
    if found is None:
        yield "There is no registration for events."
    elif whose == "ours":
        yield f"Partner Center sends this tenant's events to our event door, {slot.address}."
        if missing := found.lacks():
            yield f"Missing: {', '.join(missing)}."
        if found.x_ms_signature is False:
            yield "The signature travels as Authorization, which a platform before the door may take for its own."
    else:
        yield f"Partner Center sends this tenant's events to another address, at {found.host}."
    if not slot.may_hold:
        yield f"{_not_here(slot.environment).reason}."
    elif found is None or not (whose == "ours" and found.is_complete):
        yield f"To mend it: cosell webhook register{' --overwrite' if whose == 'foreign' else ''}."


def _not_here(environment: str) -> Cause:
    return Cause(
        "notThisEnvironment",
        None,
        f"{environment} does not register for events: the tenant has one registration, which production holds;"
        f" {environment} lives by its sweep",
        "Where this environment has a tenant of its own, set EVENTS_REGISTER=true.",
    )


# --- register


def _register(environment: Environment, output: Output, *, overwrite: bool) -> Exit:
    with _slot(environment) as slot:
        door = slot.door()
        before = slot.webhooks.registration()
        made = slot.webhooks.register(door, overwrite=overwrite)
    whose = slot.whose(before)
    if before is not None and whose == "foreign":
        output.say(escape(f"Taken from the address at {before.host}, which gets no events any more."))
    output.say(escape(f"Partner Center sends these events to {door}: {', '.join(made.events)}."))
    output.say("Next: cosell webhook test.")
    output.print_document({
        "ok": True, "address": door, "events": list(made.events), "before": whose,
        "taken_from": before.host if before is not None and whose == "foreign" else None,
    })  # fmt: skip
    return Exit.OK


# --- test


def _test(environment: Environment, output: Output, *, patience: float) -> Exit:
    with _slot(environment) as slot:
        door = slot.door()
        _check_ours(slot, slot.webhooks.registration())
        correlation_id = slot.webhooks.test()
        output.say(f"A test event is on its way to {escape(door)}; Partner Center calls it {correlation_id}.")
        with output.show_progress("waiting for the first attempt", ATTEMPTS) as bar:
            found = slot.webhooks.follow(correlation_id, _Follower(output, bar), patience=patience)
    for sentence in _verdict(found, patience):
        output.say(escape(sentence))
    output.print_document({
        "ok": found.is_delivered, "correlation_id": correlation_id, "status": found.status,
        "attempts": [{"code": attempt.code, "at": attempt.at} for attempt in found.attempts],
    })  # fmt: skip
    if found.is_delivered:
        return Exit.OK
    return Exit.PROBLEM if found.is_over else Exit.RETRY


def _check_ours(slot: _Slot, found: Registration | None) -> None:
    """Raises Rejected unless the registration leads to us and holds the test event."""
    if found is None:
        raise Rejected(Cause("noRegistration", None, "there is no registration for events", _REGISTER))
    if slot.whose(found) == "foreign":
        raise Rejected(foreign(found))
    if found.lacks((TEST_CREATED,)):
        raise Rejected(Cause("testCreatedMissing", None, f"the registration does not hold {TEST_CREATED}", _REGISTER))


_REGISTER = "Register first: cosell webhook register."


class _Follower:
    """Says each attempt once, as it becomes known."""

    def __init__(self, output: Output, bar: ProgressBar) -> None:
        self._output, self._bar = output, bar
        self._told = 0

    def __call__(self, found: Validation) -> None:
        for number, attempt in enumerate(found.attempts[self._told :], self._told + 1):
            self._output.say(
                escape(f"Attempt {number}: {attempt.code or 'nobody answered'} ({attempt.at or 'no time'}).")
            )
        self._told = max(self._told, len(found.attempts))
        self._bar.move_to(self._told, ATTEMPTS, f"after attempt {self._told}" if self._told else None)


def _verdict(found: Validation, patience: float) -> Iterator[str]:
    if found.is_delivered:
        yield "The test event arrived: our event door verified its signature and took it."
    elif found.is_over:
        yield "The test event did not arrive. Where the log has event_refused, docs/event-signature.md explains why;"
        yield "where it has nothing, no request came as far as the app: check its address and its network."
    else:
        yield f"Partner Center has no result after {patience:.0f} seconds; run the test again in a minute."
