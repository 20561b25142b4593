"""Logs hold ids and hashes only: docs/protocol.md#rule-8-nothing-secret-or-personal-in-logs.

The tests use canary values for all personal data, and search for them in the output of every logger at level DEBUG.
"""

import logging
import traceback
from collections.abc import Iterator

import pytest

from emulators.base.faults import Fault, FaultKind
from local.host.invocations import InvocationFailed
from shared.app import app
from tests.e2e.traffic import Traffic
from tests.e2e.world import World

pytestmark = pytest.mark.slow

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

OUR_LOGGERS = {"cosell", "asyncio", "concurrent"}
"""Our own logger, and those of Python's own library."""


class AllLogLines(logging.Handler):
    """Everything that any logger writes: message, arguments, extras and traceback."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []
        self.details: set[str] = set()
        """The loggers that wrote below WARNING."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.WARNING:
            self.details.add(record.name)
        trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        self.lines.append(f"{record.getMessage()} {record.__dict__!r} {trace}")


@pytest.fixture
def all_log_lines(world: World) -> Iterator[AllLogLines]:  # noqa: ARG001 - the app is built in the world's environment
    """The output of every logger at level DEBUG. The app quiets the loggers of libraries again when it starts."""
    loggers = [logging.getLogger(name) for name in ("", *logging.root.manager.loggerDict)]
    before = [(logger, logger.level) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    handler = AllLogLines()
    logging.getLogger().addHandler(handler)
    app()  # builds the app, which quiets the loggers of libraries
    yield handler
    logging.getLogger().removeHandler(handler)
    for logger, level in before:
        logger.setLevel(level)


def secret_values(world: World) -> dict[str, str]:
    """The values that must never appear in a log: secrets, tokens, keys and personal data."""
    names = ("partner-center-refresh-token", "partner-center-client-secret")
    values = {name: version.value for name in names for version in world.systems.vault.secret_store.find(name).versions}
    key = world.systems.vault.secret_store.find("salesforce-private-key").latest.value
    values |= {"private key": key.splitlines()[3], "identity header": world.systems.environ["IDENTITY_HEADER"]}
    values |= {"function key": world.host.keys.function, "master key": world.host.keys.master}
    return values | CANARIES


def find_canaries(world: World, lines: list[str]) -> dict[str, str]:
    """The values that appear in the lines, each with the start of such a line."""
    lines_by_canary = {}
    for name, value in secret_values(world).items():
        for line in lines:
            if value in line:
                lines_by_canary[name] = line[:400]
    return lines_by_canary


def referral_values() -> dict[str, object]:
    """Values of an inbound referral, all of them canaries."""
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


def exercise_both_directions(world: World) -> None:
    """Sync in both directions, with failures: held, rejected, unavailable, and a lost reply."""
    salesforce, partner = world.systems.salesforce, world.systems.partner_center
    address = {"BillingStreet": "Nest 1", "BillingCity": CANARIES["city"], "BillingCountry": "DE"}
    account = salesforce.insert("Account", {"Name": CANARIES["company"], **address})
    values = {"Name": CANARIES["deal"], "Description": CANARIES["notes"], "AccountId": account}
    opportunity = world.seller_creates(**values)
    world.seller_creates(**values, Amount=None)
    world.host.run_now("push_opportunities")
    partner.register_events(f"{world.host.url}/api/events")
    salesforce.edit("Opportunity", opportunity, {"Description": CANARIES["notes"] + ".", "Amount": 5})
    partner.faults.append(Fault(FaultKind.ANSWER, method="PATCH", status=400, body=refusal_body()))
    world.host.run_now("push_opportunities")
    salesforce.faults.append(Fault(FaultKind.ANSWER, path="/composite", status=503, times=2, body=CANARIES["notes"]))
    partner.faults.append(Fault(FaultKind.TRUNCATE, method="GET", times=2))
    partner.microsoft_sends(**referral_values())
    world.wait_for_events()
    for timer in ("sweep_referrals", "push_opportunities", "sweep_referrals"):
        world.host.run_now(timer)


def refusal_body() -> str:
    """The error body of the service, with the rejected value in it."""
    return (
        '{"error":{"code":"invalidRequest","message":"The value ' + CANARIES["notes"] + " of "
        + CANARIES["email"] + ' is not valid.","target":"/details/notes"}}'
    )  # fmt: skip


def test_the_search_finds_canaries_in_messages_arguments_extras_and_tracebacks(
    world: World, all_log_lines: AllLogLines
) -> None:
    logger = logging.getLogger("some.library")
    logger.debug("sent to %s", CANARIES["email"])
    logger.debug("sent", extra={"body": {"notes": CANARIES["notes"]}})
    try:
        int(f"{CANARIES['phone']} is not a number")
    except ValueError:
        logger.debug("failed", exc_info=True)

    assert set(find_canaries(world, all_log_lines.lines)) == {"email", "notes", "phone"}


def test_a_sync_in_both_directions_leaves_no_canary_in_any_log(
    world: World, all_log_lines: AllLogLines, capfd: pytest.CaptureFixture[str]
) -> None:
    exercise_both_directions(world)

    assert any("opportunity_created" in line for line in all_log_lines.lines)
    assert any("referral_created" in line for line in all_log_lines.lines)
    printed = capfd.readouterr()
    assert find_canaries(world, [*all_log_lines.lines, printed.out, printed.err]) == {}


def test_no_token_and_no_assertion_is_in_any_log_at_level_debug(
    world: World, all_log_lines: AllLogLines, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    traffic = Traffic()
    traffic.watch(monkeypatch)
    exercise_both_directions(world)
    world.host.run_now("keep_credentials")

    printed = capfd.readouterr()
    lines = [*all_log_lines.lines, printed.out, printed.err]
    assert len(traffic.secrets) >= 6  # tokens of Salesforce, both audiences and the vault; assertion; refresh token
    assert {secret for line in lines for secret in traffic.secrets if secret in line} == set()


def test_no_logger_of_a_library_writes_details_at_level_debug(world: World, all_log_lines: AllLogLines) -> None:
    exercise_both_directions(world)
    world.host.run_now("keep_credentials")

    libraries = {record_name.partition(".")[0] for record_name in all_log_lines.details}
    assert libraries <= OUR_LOGGERS


def test_a_refused_sign_in_leaves_no_canary_in_any_log(
    world: World, all_log_lines: AllLogLines, capfd: pytest.CaptureFixture[str]
) -> None:
    user, description = world.systems.environ["SALESFORCE_USERNAME"], CANARIES["email"]
    body = f'{{"error":"invalid_grant","error_description":"user {user} {description}"}}'
    world.systems.salesforce.faults.append(
        Fault(FaultKind.ANSWER, path="/oauth2/token", times=5, status=400, body=body)
    )
    with pytest.raises(InvocationFailed) as refused:
        world.host.run_now("push_opportunities")

    printed = capfd.readouterr()
    lines = [*all_log_lines.lines, printed.out, printed.err, str(refused.value), refused.value.stack]
    assert find_canaries(world, lines) == {}
    assert not [line for line in lines if user in line]


def test_a_refused_refresh_token_leaves_no_canary_in_any_log(
    world: World, all_log_lines: AllLogLines, capfd: pytest.CaptureFixture[str]
) -> None:
    world.seller_creates(Name=CANARIES["deal"], Description=CANARIES["notes"])
    world.systems.partner.entra.fail_next(700082, times=5)
    world.host.run_now("push_opportunities")

    printed = capfd.readouterr()
    assert any("sign_in_failed" in line for line in all_log_lines.lines)
    assert find_canaries(world, [*all_log_lines.lines, printed.out, printed.err]) == {}
