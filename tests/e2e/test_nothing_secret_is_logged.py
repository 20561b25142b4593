"""Ids and hashes only (design.md section 4, rule 8): a story full of canaries, every logger at DEBUG, not one hit."""

import logging
import traceback
from collections.abc import Iterator

import pytest

from emulators.base.emulator import Fault, FaultKind
from local.host.invocations import InvocationFailed
from shared.app import app
from tests.e2e.world import World

CANARIES = {
    "company": "Zanzibar Kanarienvogel GmbH",
    "person": "Philomena",
    "surname": "Quackenbush",
    "email": "philomena.quackenbush@kanarienvogel.example",
    "phone": "+49301112223334",
    "notes": "the board decides on Thursday, keep it quiet",
    "deal": "Operation Yellow Feather",
    "city": "Birdsville",
}


class Everything(logging.Handler):
    """All that any logger says: message, arguments, extras and traceback."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        self.lines.append(f"{record.getMessage()} {record.__dict__!r} {trace}")


@pytest.fixture
def everything(world: World) -> Iterator[Everything]:  # noqa: ARG001 - the app is made in its environment
    """Every logger at DEBUG, but for what the app itself holds back when it is made."""
    loggers = [logging.getLogger(name) for name in ("", *logging.root.manager.loggerDict)]
    before = [(logger, logger.level) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    handler = Everything()
    logging.getLogger().addHandler(handler)
    app()  # what a process does at its start: it quiets the libraries
    yield handler
    logging.getLogger().removeHandler(handler)
    for logger, level in before:
        logger.setLevel(level)


def secrets(world: World) -> dict[str, str]:
    """What must never be read in a log: secrets, tokens, keys and people."""
    names = ("partner-center-refresh-token", "partner-center-client-secret")
    values = {name: version.value for name in names for version in world.systems.vault.shelf.find(name).versions}
    key = world.systems.vault.shelf.find("salesforce-private-key").latest.value
    values |= {"private key": key.splitlines()[3], "identity header": world.systems.environ["IDENTITY_HEADER"]}
    values |= {"function key": world.host.keys.function, "master key": world.host.keys.master}
    return values | CANARIES


def hits(world: World, said: list[str]) -> dict[str, str]:
    """The canaries that were seen, each with a line that has it."""
    found = {}
    for name, value in secrets(world).items():
        for line in said:
            if value in line:
                found[name] = line[:400]
    return found


def customer() -> dict[str, object]:
    """Fields of an inbound referral."""
    contact = {
        "firstName": CANARIES["person"], "lastName": CANARIES["surname"],
        "email": CANARIES["email"], "phoneNumber": CANARIES["phone"],
    }  # fmt: skip
    return {
        "name": CANARIES["deal"],
        "customerProfile": {
            "name": CANARIES["company"],
            "address": {"addressLine1": "Nest 1", "city": CANARIES["city"], "country": "DE"},
            "team": [contact],
        },
    }


def a_story(world: World) -> None:
    """Both ways, with what fails on the way: held, refused, throttled, lost, poisoned."""
    salesforce, partner = world.systems.salesforce, world.systems.partner_center
    account = salesforce.insert(
        "Account", {"Name": CANARIES["company"], "BillingCity": CANARIES["city"], "BillingCountry": "DE"}
    )
    values = {"Name": CANARIES["deal"], "Description": CANARIES["notes"], "AccountId": account}
    opportunity = world.seller_creates(**values)
    world.seller_creates(**values, Amount=None)
    world.host.fire("push_opportunities")
    partner.register_events(f"{world.host.url}/api/events")
    salesforce.edit("Opportunity", opportunity, {"Description": CANARIES["notes"] + ".", "Amount": 5})
    partner.faults.append(Fault(FaultKind.ANSWER, method="PATCH", status=400, body=refusal()))
    world.host.fire("push_opportunities")
    salesforce.faults.append(Fault(FaultKind.ANSWER, path="/composite", status=503, times=2, body=CANARIES["notes"]))
    partner.faults.append(Fault(FaultKind.TRUNCATE, method="GET", times=2))
    partner.microsoft_sends(**customer())
    world.settle()
    for timer in ("sweep_referrals", "push_opportunities", "sweep_referrals"):
        world.host.fire(timer)


def refusal() -> str:
    """The service's error, with the offending value in it."""
    return (
        '{"error":{"code":"invalidRequest","message":"The value ' + CANARIES["notes"] + " of "
        + CANARIES["email"] + ' is not valid.","target":"/details/notes"}}'
    )  # fmt: skip


def test_the_detector_sees_messages_arguments_extras_and_tracebacks(world: World, everything: Everything) -> None:
    logger = logging.getLogger("some.library")
    logger.debug("sent to %s", CANARIES["email"])
    logger.debug("sent", extra={"body": {"notes": CANARIES["notes"]}})
    try:
        int(f"{CANARIES['phone']} is no number")
    except ValueError:
        logger.debug("failed", exc_info=True)

    assert set(hits(world, everything.lines)) == {"email", "notes", "phone"}


def test_a_whole_story_leaves_no_canary_in_any_log(
    world: World, everything: Everything, capfd: pytest.CaptureFixture[str]
) -> None:
    a_story(world)

    assert any("opportunity_created" in line for line in everything.lines)
    assert any("referral_created" in line for line in everything.lines)
    printed = capfd.readouterr()
    assert hits(world, [*everything.lines, printed.out, printed.err]) == {}


def test_a_refused_sign_in_leaves_no_canary_in_any_log(
    world: World, everything: Everything, capfd: pytest.CaptureFixture[str]
) -> None:
    user, description = world.systems.environ["SALESFORCE_USERNAME"], CANARIES["email"]
    body = f'{{"error":"invalid_grant","error_description":"user {user} {description}"}}'
    world.systems.salesforce.faults.append(
        Fault(FaultKind.ANSWER, path="/oauth2/token", times=5, status=400, body=body)
    )
    with pytest.raises(InvocationFailed) as refused:
        world.host.fire("push_opportunities")

    printed = capfd.readouterr()
    said = [*everything.lines, printed.out, printed.err, str(refused.value), refused.value.stack]
    assert hits(world, said) == {}
    assert not [line for line in said if user in line]


def test_a_refused_redemption_leaves_no_canary_in_any_log(
    world: World, everything: Everything, capfd: pytest.CaptureFixture[str]
) -> None:
    world.seller_creates(Name=CANARIES["deal"], Description=CANARIES["notes"])
    world.systems.partner.entra.fail_next(700082, times=5)
    world.host.fire("push_opportunities")

    printed = capfd.readouterr()
    assert any("sign_in_failed" in line for line in everything.lines)
    assert hits(world, [*everything.lines, printed.out, printed.err]) == {}
