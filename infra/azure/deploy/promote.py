"""Runs `make promote`: takes the zip that runs in staging to production, with production's mapping file."""

from dataclasses import replace
from pathlib import Path

from infra.azure.deploy.deploy import TEST_FIRST, deploy_package
from infra.azure.deploy.failure import DeploymentFailure
from infra.azure.deploy.infrastructure import read_target
from infra.azure.deploy.session import PRODUCTION, STAGING, Session
from infra.azure.deploy.test_record import git_state
from infra.azure.deploy.zip_history import ZipHistory
from infra.azure.deploy.zip_package import ZipPackage, build_zip, zip_for_environment
from shared.cli.exit_codes import Exit


def promote(session: Session, subscription: str | None = None) -> None:
    """Deploy staging's code to production. `session` is production's. Raises DeploymentFailure."""
    package = _tested_zip_of_staging(replace(session, environment=STAGING))
    test_record = package.record["tested"]
    session.say(f"Staging runs the commit {package.commit[:12]}, which passed the tests at {test_record['finished']}.")
    mapping = session.root / "mapping" / f"{PRODUCTION}.toml"
    if not mapping.is_file():
        sentence = f"mapping/{mapping.name} is missing."
        raise DeploymentFailure(sentence, "Create it, commit it, and test it in staging.", Exit.USAGE)
    record = {name: value for name, value in package.record.items() if name not in ("environment", "mapping")}
    production = zip_for_environment(package.code_files, record, PRODUCTION, mapping.read_bytes())
    deploy_package(session, production, subscription)


def _tested_zip_of_staging(staging: Session) -> ZipPackage:
    """The zip that runs in staging, if `make test` passed on it and the checkout builds the same files."""
    history = ZipHistory(staging, read_target(staging))
    healthy = history.list_healthy()
    if not healthy:
        raise DeploymentFailure("Staging has no healthy zip.", "make deploy ENV=staging", Exit.USAGE)
    package = healthy[0].with_renewed_record(history.download(healthy[0]))
    if package.untested_reason:
        raise DeploymentFailure(f"The zip of staging is not promoted: {package.untested_reason}.", TEST_FIRST)
    _check_same_sources(staging.root, package)
    return package


def _check_same_sources(root: Path, package: ZipPackage) -> None:
    commit, is_clean = git_state(root)
    if commit != package.commit or not is_clean:
        checkout = f"commit {commit[:12]}" + ("" if is_clean else " with changes")
        raise DeploymentFailure(
            f"Staging runs the commit {package.commit[:12]}, but the checkout is at {checkout}.",
            f"Run `git checkout {package.commit[:12]}` and keep no local changes, or deploy to staging first.",
        )
    built = build_zip(root, STAGING)
    if built.code_files != package.code_files:
        names = sorted({name for name, _ in built.code_files.items() ^ package.code_files.items()})
        sentence = f"The zip of staging differs from what its commit builds: {', '.join(names[:5])}."
        raise DeploymentFailure(sentence, "Run `make deploy ENV=staging`, then run again.")
