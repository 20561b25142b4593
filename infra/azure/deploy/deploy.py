"""Runs `make deploy`: builds the zip, checks the prerequisites, deploys the resources, and releases the zip."""

from infra.azure.deploy.deployed_values import REGION, read_deployed_values, variables_for_parameter_file
from infra.azure.deploy.failure import DeploymentFailure
from infra.azure.deploy.infrastructure import confirm_changes, deploy_resources
from infra.azure.deploy.lock_right import check_lock_right
from infra.azure.deploy.parameter_check import check_parameters
from infra.azure.deploy.preflight import check_region, run_preflight
from infra.azure.deploy.release import release_zip
from infra.azure.deploy.schedule_check import check_parameter_file, check_schedules
from infra.azure.deploy.session import PRODUCTION, Session
from infra.azure.deploy.zip_package import ZipPackage, build_zip
from shared.cli.exit_codes import Exit
from shared.cli.next_command import CommandOptions

TEST_FIRST = "Commit all changes, run `make test`, then `make deploy ENV=staging`, and run again."


def deploy(session: Session, subscription: str | None = None) -> None:
    """Deploy the checkout. Production accepts only a zip with a test record. Raises DeploymentFailure."""
    package = build_zip(session.root, session.environment)
    if session.environment == PRODUCTION and package.untested_reason:
        raise DeploymentFailure(
            f"Production does not accept this zip: {package.untested_reason}.", TEST_FIRST, Exit.USAGE
        )
    if package.untested_reason:
        session.say(f"Note: `make promote` will not accept this zip: {package.untested_reason}.")
    deploy_package(session, package, subscription)


def deploy_package(session: Session, package: ZipPackage, subscription: str | None) -> None:
    """Deploy the resources of an environment, then release a zip to its app. Raises DeploymentFailure."""
    account = run_preflight(session, subscription)
    deployed = read_deployed_values(session)
    variables = variables_for_parameter_file(session, deployed)
    session.az.set_variables(variables)
    check_parameters(session)
    check_parameter_file(session)
    check_lock_right(session, account.id)
    if deployed.region is None:
        check_region(session, variables[REGION])
    sync = variables["SYNC"]
    session.say(f"SYNC={sync}." + ("" if deployed.app else " A new app logs what it would do, and writes nothing."))
    confirm_changes(session, variables[REGION])
    target = deploy_resources(session, variables[REGION], account)
    check_schedules(session, target.settings)  # a parameter file may compute them
    release_zip(session, target, package)
    _print_next_steps(session, sync)


def _print_next_steps(session: Session, sync: str) -> None:
    steps = ["cosell doctor"]
    if sync != "on":
        register = ["cosell webhook register"] if session.environment == PRODUCTION else []
        connect = ["cosell connect partner-center", "cosell connect salesforce"]
        steps = [*connect, "cosell salesforce deploy", *register, *steps, "cosell turn-on"]
    session.say(f"\n{session.environment} is deployed and healthy. Next commands:")
    for step in steps:
        session.say(f"  {CommandOptions(session.environment).complete(step)}")
