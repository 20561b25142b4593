"""The three commands: deploy, promote, rollback."""

from pathlib import Path

from infra.azure.deploy import infrastructure
from infra.azure.deploy import preflight as before
from infra.azure.deploy import previous_version as earlier
from infra.azure.deploy.failure import Stopped
from infra.azure.deploy.release import Unhealthy, put, release
from infra.azure.deploy.session import Session
from infra.azure.deploy.test_record import state_of
from infra.azure.deploy.zip_history import History, State
from infra.azure.deploy.zip_package import Package, build, for_environment
from shared.cli.exit_codes import Exit

STAGING, PRODUCTION = "staging", "production"
ENVIRONMENTS = (STAGING, PRODUCTION)
TEST_FIRST = "Commit everything, run `make test`, then `make deploy ENV=staging`, and run again."


def deploy(session: Session, subscription: str | None = None) -> None:
    """The checkout to an environment. Production takes only what `make test` passed. Raises Stopped."""
    package = build(session.root, session.environment)
    if session.environment == PRODUCTION and package.untested:
        raise Stopped(f"Production does not take this zip: {package.untested}.", TEST_FIRST, Exit.USAGE)
    if package.untested:
        session.say(f"note: `make promote` will not take this zip: {package.untested}")
    _bring(session, package, subscription)


def promote(session: Session, subscription: str | None = None) -> None:
    """What runs in staging to production, with production's mapping. Raises Stopped."""
    staging = Session(STAGING, session.say, session.ask, session.az, session.root, session.sleep, session.monotonic)
    package = _of_staging(staging)
    session.say(f"staging runs commit {package.commit[:12]}, tested at {package.record['tested']['finished']}")
    mapping = session.root / "mapping" / f"{PRODUCTION}.toml"
    if not mapping.is_file():
        raise Stopped(
            f"mapping/{mapping.name} is not there.", "Make it, commit it, and test it in staging.", Exit.USAGE
        )
    record = {name: value for name, value in package.record.items() if name not in ("environment", "mapping")}
    _bring(session, for_environment(package.code, record, PRODUCTION, mapping.read_bytes()), subscription)


def _of_staging(staging: Session) -> Package:
    """The zip that runs in staging, if it is what the checked-out commit makes and `make test` passed on it."""
    history = History(staging, infrastructure.known(staging))
    healthy = history.healthy()
    if not healthy:
        raise Stopped("Staging has no healthy zip.", "make deploy ENV=staging", Exit.USAGE)
    package = history.read(healthy[0])
    if package.untested:
        raise Stopped(f"The zip of staging is not promoted: {package.untested}.", TEST_FIRST)
    _same_sources(staging.root, package)
    return package


def _same_sources(root: Path, package: Package) -> None:
    commit, is_clean = state_of(root)
    if commit != package.commit or not is_clean:
        here = f"commit {commit[:12]}" + ("" if is_clean else " with changes")
        sentence = f"Staging runs commit {package.commit[:12]}, but the checkout is {here}."
        raise Stopped(
            sentence, f"git checkout {package.commit[:12]}, with nothing changed; or deploy to staging first."
        )
    made = build(root, STAGING)
    if made.code != package.code:
        differ = sorted({name for name, _ in made.code.items() ^ package.code.items()})
        sentence = f"The zip of staging is not what its commit makes: {', '.join(differ[:5])}."
        raise Stopped(sentence, "make deploy ENV=staging, and run again.")


def rollback(session: Session, subscription: str | None = None) -> None:
    """The zip that ran before back to the app; resources and settings stay. Raises Stopped."""
    before.check(session, subscription)
    target = infrastructure.known(session)
    history = History(session, target)
    healthy = history.healthy()
    older = [kept for kept in healthy if kept.digest != healthy[0].digest]
    if not older:
        raise Stopped("There is no earlier zip to go back to.", "Deploy an older commit instead.", Exit.USAGE)
    now, then = healthy[0], older[0]
    session.sure(f"Take {now.name} out of {session.environment} and put {then.name} back?")
    try:
        put(session, target, history.read(then))
    except Unhealthy as seen:
        sentence = f"{then.name} was put back, but: {seen}."
        raise Stopped(sentence, "Look at the app's log (docs/runbook.md), or deploy again.", Exit.PROBLEM) from seen
    history.mark(now.name, State.WITHDRAWN)
    session.say(f"{session.environment} runs {then.name} again")


def _bring(session: Session, package: Package, subscription: str | None) -> None:
    account = before.check(session, subscription)
    known = earlier.find(session)
    variables = earlier.variables(session, known)
    session.az.give(variables)
    location = variables[earlier.REGION]
    session.say(f"SYNC={variables['SYNC']}" + ("" if known.app else ": a new app plans, and writes nothing"))
    infrastructure.preview(session, location)
    target = infrastructure.create(session, location, account)
    release(session, target, package)
    _next_steps(session, variables["SYNC"])


def _next_steps(session: Session, sync: str) -> None:
    env = f"--env {session.environment}"
    steps = [f"cosell doctor {env}"]
    if sync != "on":
        slot = [f"cosell webhook register {env}"] if session.environment == PRODUCTION else []
        connect = [f"cosell connect partner-center {env}", f"cosell connect salesforce {env}"]
        steps = [*connect, f"cosell salesforce deploy {env}", *slot, *steps, f"cosell turn-on {env}"]
    session.say(f"\n{session.environment} is deployed and healthy. Next:")
    for step in steps:
        session.say(f"  {step}")
