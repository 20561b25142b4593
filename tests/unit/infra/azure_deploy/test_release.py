"""Release of a zip: the health check, the restore of the previous version, promotion and rollback."""

import io
import json
import zipfile

import pytest

from infra.azure.deploy.bytecode import bytecode_path, compile_sources
from infra.azure.deploy.deploy import deploy
from infra.azure.deploy.failure import DeploymentFailure
from infra.azure.deploy.infrastructure import read_target
from infra.azure.deploy.promote import promote
from infra.azure.deploy.restore_previous_version import rollback
from infra.azure.deploy.zip_package import ZipPackage, build_zip
from shared.cli.exit_codes import Exit
from shared.mapping.checked_file import RECORD, make_record
from tests.unit.infra.azure_deploy.fake_azure import FUNCTIONS, SHELL, FakeAzure, answer_deployment, commit_all, run_git

pytestmark = pytest.mark.slow

CONFIG_ZIP = "functionapp deployment source config-zip"


def deploy_change(azure: FakeAzure, text: str) -> str:
    """Commit a change with a test record and deploy it to staging. Returns the commit."""
    commit = azure.commit_change(text)
    azure.write_test_record()
    deploy(azure.open_session())
    return commit


def deploy_failure(azure: FakeAzure) -> DeploymentFailure:
    with pytest.raises(DeploymentFailure) as caught:
        deploy(azure.open_session())
    return caught.value


def test_after_a_failed_health_check_the_previous_version_is_restored_and_named(azure: FakeAzure) -> None:
    good = deploy_change(azure, "deal = 2\n")
    bad = azure.commit_change("deal = 3\n")
    azure.unhealthy_commits.add(bad)
    failure = deploy_failure(azure)
    assert failure.code is Exit.PROBLEM
    assert failure.sentence.startswith("The health check failed: status 500. The previous version, history/")
    assert failure.sentence.endswith("was restored and is healthy.")
    assert azure.running_record()["commit"] == good
    assert azure.zip_states() == ["healthy", "failed"]


@pytest.mark.parametrize("name", ["version", "environment", "mapping", "commit"])
def test_a_health_report_of_another_zip_does_not_count(azure: FakeAzure, name: str) -> None:
    azure.reported_instead[name] = "other"
    assert deploy_failure(azure).sentence.startswith(
        f"The health check failed: the health endpoint reports another {name}"
    )
    assert azure.elapsed_seconds == 180.0, "the previous version may still answer for a while"


def test_a_corrected_zip_can_be_deployed_after_a_failure(azure: FakeAzure) -> None:
    deploy_change(azure, "deal = 2\n")
    azure.unhealthy_commits.add(azure.commit_change("deal = 3\n"))
    deploy_failure(azure)
    corrected = deploy_change(azure, "deal = 4\n")
    assert azure.running_record()["commit"] == corrected
    assert azure.zip_states() == ["healthy", "healthy"], "the failed zip is deleted"


def test_without_a_previous_version_the_failure_says_so(azure: FakeAzure) -> None:
    azure.unhealthy_commits.add(run_git(azure.root, "rev-parse", "HEAD"))
    assert deploy_failure(azure).sentence.endswith("There is no previous version to restore.")
    assert (azure.root / ".cosell/staging.toml").exists(), "the resources exist"


def test_a_previous_version_that_is_unhealthy_too_is_reported(azure: FakeAzure) -> None:
    good = deploy_change(azure, "deal = 2\n")
    azure.unhealthy_commits |= {good, azure.commit_change("deal = 3\n")}
    assert "failed too: The health check failed: status 500." in deploy_failure(azure).sentence


def test_missing_functions_are_named_and_the_previous_version_is_restored(azure: FakeAzure) -> None:
    good = deploy_change(azure, "deal = 2\n")
    azure.commit_change("deal = 3\n")
    incomplete, complete = ([{"name": f"app/{name}"} for name in names] for names in (FUNCTIONS[:1], FUNCTIONS))
    azure.answer("functionapp function list", *[incomplete] * 31, complete)
    failure = deploy_failure(azure)
    assert "1 of 2 functions after 300 s (missing: report_health)" in failure.sentence
    assert azure.running_record()["commit"] == good


def test_an_app_that_cannot_start_shows_its_errors_at_once_and_the_former_zip_is_restored(azure: FakeAzure) -> None:
    good = deploy_change(azure, "deal = 2\n")
    bad = azure.commit_change("deal = 3\n")
    azure.start_errors[bad] = ["SALESFORCE_URL: is missing (example: …)", "staging.toml, line 4: no such key."]
    minimal, complete = ([{"name": f"app/{name}"} for name in names] for names in (("report_health",), FUNCTIONS))
    azure.answer("functionapp function list", *[minimal] * 2, complete)
    failure = deploy_failure(azure)
    assert failure.sentence.startswith(
        "The app cannot start: SALESFORCE_URL: is missing (example: …); staging.toml, line 4: no such key. "
        "The previous version, history/"
    )
    assert failure.sentence.endswith("was restored and is healthy.")
    assert azure.running_record()["commit"] == good
    assert azure.zip_states() == ["healthy", "failed"]
    assert azure.elapsed_seconds == 20.0, "the functions are not waited for"


def test_the_fault_of_a_former_instance_does_not_count(azure: FakeAzure) -> None:
    new = azure.commit_change("deal = 3\n")
    azure.start_errors[new] = ["SYNC: is wrong"]
    azure.answer("functionapp function list", [], [{"name": f"app/{name}"} for name in FUNCTIONS])
    session = azure.open_session()
    sleep = session.sleep

    def start_in_the_meantime(seconds: float) -> None:
        azure.start_errors.clear()
        sleep(seconds)

    session.sleep = start_in_the_meantime
    deploy(session)
    assert azure.zip_states() == ["healthy"]


def test_the_release_waits_for_functions_that_are_listed_late(azure: FakeAzure) -> None:
    azure.answer("functionapp function list", [], [], [{"name": f"app/{name}"} for name in FUNCTIONS])
    deploy(azure.open_session())
    assert azure.elapsed_seconds == 20.0


def test_errors_of_an_app_that_restarts_are_ignored_for_a_while(azure: FakeAzure) -> None:
    for command in ("functionapp function list", "functionapp function keys list"):
        azure.answers[command] = [
            {"error": "Operation returned an invalid status 'Bad Request'"},
            *azure.answers[command],
        ]
    deploy(azure.open_session())
    assert azure.zip_states() == ["healthy"]


def test_a_login_that_expires_during_the_wait_restores_nothing(azure: FakeAzure) -> None:
    deploy_change(azure, "deal = 2\n")
    new = azure.commit_change("deal = 3\n")
    azure.fail("functionapp function list", "Please run 'az login' to setup account.")
    assert deploy_failure(azure).code is Exit.SIGN_IN
    assert azure.running_record()["commit"] == new
    assert azure.zip_states() == ["healthy", "pending"]


def test_after_a_failed_build_the_previous_version_is_restored(azure: FakeAzure) -> None:
    good = deploy_change(azure, "deal = 2\n")
    azure.commit_change("deal = 3\n")
    azure.fail(CONFIG_ZIP, "Deployment failed: remote build failed", {})
    assert "The app could not be built" in deploy_failure(azure).sentence
    assert azure.running_record()["commit"] == good


def test_another_deployment_in_progress_restores_nothing(azure: FakeAzure) -> None:
    deploy_change(azure, "deal = 2\n")
    azure.commit_change("deal = 3\n")
    azure.fail(CONFIG_ZIP, "There may be an ongoing deployment. Please track your deployment in https://x")
    assert deploy_failure(azure).code is Exit.RETRY
    assert len(azure.calls_of(CONFIG_ZIP)) == 2


def test_the_last_three_healthy_zips_are_kept(azure: FakeAzure) -> None:
    commits = [deploy_change(azure, f"deal = {number}\n") for number in range(2, 7)]
    kept = json.loads((azure.storage / "states.json").read_text("utf-8"))
    assert [name.split("-")[1] for name in sorted(kept)] == [commit[:12] for commit in commits[-3:]]


def test_repeated_deployments_of_one_zip_do_not_delete_the_previous_version(azure: FakeAzure) -> None:
    commits = [deploy_change(azure, f"deal = {number}\n") for number in (2, 3)]
    for _ in range(4):
        deploy(azure.open_session())
    rollback(azure.open_session())
    assert azure.running_record()["commit"] == commits[0]


# --- rollback ---------------------------------------------------------------------------------------------------------


def test_a_rollback_restores_the_previous_version_and_a_second_one_goes_back_further(azure: FakeAzure) -> None:
    commits = [deploy_change(azure, f"deal = {number}\n") for number in (2, 3, 4)]
    rollback(azure.open_session())
    assert azure.running_record()["commit"] == commits[1]
    rollback(azure.open_session())
    assert azure.running_record()["commit"] == commits[0]
    with pytest.raises(DeploymentFailure, match="no previous version"):
        rollback(azure.open_session())


def test_a_rollback_to_an_unhealthy_zip_fails_and_withdraws_nothing(azure: FakeAzure) -> None:
    first, _ = deploy_change(azure, "deal = 2\n"), deploy_change(azure, "deal = 3\n")
    azure.unhealthy_commits.add(first)
    with pytest.raises(DeploymentFailure, match="was installed, but it is not healthy: The health check failed"):
        rollback(azure.open_session())
    assert azure.zip_states() == ["healthy", "healthy"]


# --- promote ----------------------------------------------------------------------------------------------------------


def prepare_production(azure: FakeAzure) -> None:
    """Let Azure answer for production from now on."""
    answer_deployment(azure, "production")
    azure.fail("deployment sub show", "DeploymentNotFound")


def test_the_code_of_staging_goes_to_production_with_the_mapping_of_production(azure: FakeAzure) -> None:
    commit = deploy_change(azure, "deal = 2\n")
    in_staging = azure.running_record()
    prepare_production(azure)
    promote(azure.open_session("production"))
    record = azure.running_record()
    assert (record["commit"], record["environment"]) == (commit, "production")
    assert record["tested"] == in_staging["tested"]
    assert record["mapping"] != in_staging["mapping"]
    assert azure.calls_of("deployment sub create")[-1]["environ"]["SYNC"] == "preview"
    assert "  cosell webhook register --env production" in azure.printed, (
        "production has the tenant's one event registration"
    )


def test_production_gets_bytecode_and_the_record_of_its_own_mapping_file(azure: FakeAzure) -> None:
    deploy_change(azure, "deal = 2\n")
    in_staging = ZipPackage.from_bytes((azure.folder / "running.zip").read_bytes())
    prepare_production(azure)
    promote(azure.open_session("production"))
    package = ZipPackage.from_bytes((azure.folder / "running.zip").read_bytes())
    assert package.files[RECORD] == make_record(package.files["mapping/production.toml"], package.code_files)
    assert package.files[RECORD] != in_staging.files[RECORD]
    assert compile_sources(package.code_files).items() <= package.files.items()


def test_bytecode_that_was_changed_in_the_container_is_not_promoted(azure: FakeAzure) -> None:
    deploy_change(azure, "deal = 2\n")
    (blob,) = (azure.storage / "blobs").iterdir()
    name = bytecode_path("shared/domain/deal.py")
    forged = compile_sources({"shared/domain/deal.py": b"deal = 666\n"})[name]
    blob.write_bytes(with_file(blob.read_bytes(), name, forged))
    assert promotion_failure(azure) == f"The zip has bytecode that was not made of its sources: {name}."


def promotion_failure(azure: FakeAzure) -> str:
    prepare_production(azure)
    calls = len(azure.calls_of("deployment sub create"))
    with pytest.raises(DeploymentFailure) as caught:
        promote(azure.open_session("production"))
    assert len(azure.calls_of("deployment sub create")) == calls
    return caught.value.sentence


def test_a_zip_without_a_test_record_is_not_promoted(azure: FakeAzure) -> None:
    deploy(azure.open_session())
    assert any("will not accept this zip" in line for line in azure.printed)
    assert "contains no record that `make test` passed" in promotion_failure(azure)


def test_a_test_record_of_another_commit_does_not_count(azure: FakeAzure) -> None:
    azure.write_test_record()
    azure.commit_change("deal = 2\n")
    deploy(azure.open_session())
    assert "contains no record that `make test` passed" in promotion_failure(azure)


def test_a_zip_with_changes_that_are_not_committed_is_not_promoted(azure: FakeAzure) -> None:
    azure.write_test_record()
    (azure.root / "shared/domain/deal.py").write_text("deal = 9\n", "utf-8")
    deploy(azure.open_session())
    assert "built from changes that are not committed" in promotion_failure(azure)


def test_a_checkout_of_another_commit_cannot_promote(azure: FakeAzure) -> None:
    deploy_change(azure, "deal = 2\n")
    commit_all(azure.root)
    assert "but the checkout is at commit" in promotion_failure(azure)


def test_a_zip_that_was_changed_in_the_container_is_not_promoted(azure: FakeAzure) -> None:
    commit = deploy_change(azure, "deal = 2\n")
    (blob,) = (azure.storage / "blobs").iterdir()
    azure.commit_change("deal = 666\n")
    azure.write_test_record()

    forged = build_zip(azure.root, "staging")
    record = json.dumps({**forged.record, "commit": commit, "tested": {**forged.record["tested"], "commit": commit}})
    blob.write_bytes(with_record(forged.data, record))
    run_git(azure.root, "reset", "-q", "--hard", commit)
    assert promotion_failure(azure) == "The zip of staging differs from what its commit builds: shared/domain/deal.py."


def with_record(data: bytes, record: str) -> bytes:
    """The same zip with another record."""
    return with_file(data, "build.json", record.encode())


def with_file(data: bytes, changed: str, content: bytes) -> bytes:
    """The same zip with another content of one file."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, content if name == changed else old.read(name))
    return out.getvalue()


def test_a_zip_that_failed_in_staging_is_not_promoted(azure: FakeAzure) -> None:
    azure.write_test_record()
    azure.unhealthy_commits.add(run_git(azure.root, "rev-parse", "HEAD"))
    deploy_failure(azure)
    assert promotion_failure(azure) == "Staging has no healthy zip."


def test_production_accepts_only_a_zip_with_a_test_record(azure: FakeAzure) -> None:
    prepare_production(azure)
    with pytest.raises(DeploymentFailure, match="Production does not accept this zip"):
        deploy(azure.open_session("production"))
    assert azure.command_names() == []
    azure.write_test_record()
    deploy(azure.open_session("production"))
    assert read_target(azure.open_session("production")).settings["ENVIRONMENT"] == "production"


def test_a_promotion_keeps_the_deployed_values_and_switches_of_production(azure: FakeAzure) -> None:
    deploy_change(azure, "deal = 2\n")
    prepare_production(azure)
    azure.set_deployed("production", {**SHELL, "SYNC": "on", "SALESFORCE_URL": "https://prod.my.salesforce.com"})
    azure.shell.clear()
    promote(azure.open_session("production"))
    create = azure.calls_of("deployment sub create")[-1]
    assert (create["environ"]["SYNC"], create["environ"]["SALESFORCE_URL"]) == ("on", "https://prod.my.salesforce.com")
