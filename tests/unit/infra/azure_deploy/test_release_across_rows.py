"""No way leads back to a version that cannot read newer rows (docs/protocol.md#rows-of-other-builds)."""

import json

import pytest

from infra.azure.deploy import zip_package
from infra.azure.deploy.deploy import deploy
from infra.azure.deploy.failure import DeploymentFailure
from infra.azure.deploy.restore_previous_version import rollback
from shared.cli.exit_codes import Exit
from shared.store.row_codec import ROWS
from tests.unit.infra.azure_deploy.fake_azure import FakeAzure
from tests.unit.infra.azure_deploy.test_release import CONFIG_ZIP, deploy_change, deploy_failure

FORWARD = (
    "Go forward instead: correct the cause, and deploy the newest version that ran here, or a newer one, again "
    "(docs/staging-and-production.md#roll-back)."
)


def deploy_older(azure: FakeAzure, text: str) -> str:
    """Deploy a version as the builds up to 0.2.0 did: nothing says which rows it writes. Returns its commit."""
    commit = deploy_change(azure, text)
    states = json.loads((azure.storage / "states.json").read_text("utf-8"))
    (azure.storage / "states.json").write_text(json.dumps({undeclared(name): states[name] for name in states}), "utf-8")
    for blob in (azure.storage / "blobs").iterdir():
        blob.rename(blob.with_name(undeclared(blob.name)))
    return commit


def undeclared(name: str) -> str:
    return name.replace(f"-rows{ROWS}-", "-")


def test_the_zip_records_which_rows_it_writes(azure: FakeAzure) -> None:
    deploy_change(azure, "deal = 2\n")
    assert azure.running_record()["rows"] == ROWS
    (name,) = json.loads((azure.storage / "states.json").read_text("utf-8"))
    assert f"-rows{ROWS}-" in name


def test_a_rollback_to_a_version_that_cannot_read_the_rows_is_refused(azure: FakeAzure) -> None:
    deploy_older(azure, "deal = 2\n")
    newer = deploy_change(azure, "deal = 3\n")
    installed = len(azure.calls_of(CONFIG_ZIP))
    with pytest.raises(DeploymentFailure, match="The previous version, history/") as caught:
        rollback(azure.open_session())
    assert caught.value.sentence.endswith(
        " cannot read rows that a newer version has written in staging, and would stop at them."
    )
    assert (caught.value.remedy, caught.value.code) == (FORWARD, Exit.REFUSED)
    assert len(azure.calls_of(CONFIG_ZIP)) == installed
    assert azure.running_record()["commit"] == newer
    assert azure.zip_states() == ["healthy", "healthy"]


def test_a_rollback_between_older_versions_goes_on_as_before(azure: FakeAzure) -> None:
    first = deploy_older(azure, "deal = 2\n")
    deploy_older(azure, "deal = 3\n")
    rollback(azure.open_session())
    assert azure.running_record()["commit"] == first


def test_a_failed_deployment_does_not_restore_a_version_that_cannot_read_the_rows(azure: FakeAzure) -> None:
    deploy_older(azure, "deal = 2\n")
    newer = azure.commit_change("deal = 3\n")
    azure.unhealthy_commits.add(newer)
    failure = deploy_failure(azure)
    assert failure.sentence.startswith("The health check failed: status 500. The previous version, history/")
    assert failure.sentence.endswith(
        " was not restored: it cannot read rows that the newer version may have written, and would stop at them."
    )
    assert (failure.remedy, failure.code) == (FORWARD, Exit.PROBLEM)
    assert azure.running_record()["commit"] == newer
    assert azure.zip_states() == ["healthy", "failed"]


def test_after_such_a_failure_a_rollback_is_refused_and_a_corrected_version_is_deployed(azure: FakeAzure) -> None:
    for text in ("deal = 1.1\n", "deal = 2\n"):
        deploy_older(azure, text)
    azure.unhealthy_commits.add(azure.commit_change("deal = 3\n"))
    deploy_failure(azure)
    with pytest.raises(DeploymentFailure, match="cannot read rows that a newer version has written"):
        rollback(azure.open_session())
    corrected = deploy_change(azure, "deal = 4\n")
    assert azure.running_record()["commit"] == corrected


def test_a_zip_that_azure_could_not_build_has_written_nothing(azure: FakeAzure) -> None:
    first, second = deploy_older(azure, "deal = 2\n"), deploy_older(azure, "deal = 3\n")
    azure.commit_change("deal = 4\n")
    azure.fail(CONFIG_ZIP, "Deployment failed: remote build failed", {})
    assert "was restored and is healthy" in deploy_failure(azure).sentence
    assert azure.running_record()["commit"] == second
    assert azure.zip_states() == ["healthy", "healthy", "not_built"]
    del azure.answers[CONFIG_ZIP]
    rollback(azure.open_session())
    assert azure.running_record()["commit"] == first


def test_after_a_timeout_azure_may_still_build_the_zip(azure: FakeAzure) -> None:
    deploy_older(azure, "deal = 2\n")
    azure.commit_change("deal = 3\n")
    azure.fail(CONFIG_ZIP, "Timeout reached by the command, however, the deployment operation is still on-going.", {})
    assert "was not restored" in deploy_failure(azure).sentence
    assert azure.zip_states() == ["healthy", "failed"]


def test_a_deployment_that_stopped_half_way_may_have_written_rows(azure: FakeAzure) -> None:
    for text in ("deal = 2\n", "deal = 3\n"):
        deploy_older(azure, text)
    azure.commit_change("deal = 4\n")
    listed = azure.answers["functionapp function list"]
    azure.fail("functionapp function list", "Please run 'az login' to setup account.")
    assert deploy_failure(azure).code is Exit.SIGN_IN
    azure.answers["functionapp function list"] = listed
    with pytest.raises(DeploymentFailure, match="cannot read rows that a newer version has written"):
        rollback(azure.open_session())


def test_an_older_checkout_is_not_deployed_over_newer_rows(azure: FakeAzure, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = deploy_change(azure, "deal = 2\n")
    azure.commit_change("deal = 1\n")
    monkeypatch.setattr(zip_package, "ROWS", ROWS - 1)
    with pytest.raises(DeploymentFailure, match="This version cannot read rows that a newer one has written") as caught:
        deploy(azure.open_session())
    assert caught.value.remedy == FORWARD
    assert azure.running_record()["commit"] == newer
    assert azure.zip_states() == ["healthy", "not_built"]
