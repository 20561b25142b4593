"""A commit that changes neither code nor mapping file is not installed again, and can be promoted all the same."""

import json

import pytest

from infra.azure.deploy.bytecode import bytecode_path, compile_sources
from infra.azure.deploy.deploy import deploy
from infra.azure.deploy.failure import DeploymentFailure
from infra.azure.deploy.promote import promote
from infra.azure.deploy.restore_previous_version import rollback
from infra.azure.deploy.zip_history import KeptZip
from infra.azure.deploy.zip_package import build_zip
from tests.unit.infra.azure_deploy.fake_azure import FakeAzure, answer_deployment, commit_all, run_git
from tests.unit.infra.azure_deploy.test_release import (
    CONFIG_ZIP,
    deploy_change,
    deploy_failure,
    prepare_production,
    with_file,
)

pytestmark = pytest.mark.slow

UPLOAD = "storage blob upload"


def commit_docs(azure: FakeAzure, *, is_tested: bool = True) -> str:
    """Commit a change that the zip does not hold, and return the commit."""
    (azure.root / "README.md").write_text(run_git(azure.root, "rev-parse", "HEAD"), "utf-8")
    commit = commit_all(azure.root)
    if is_tested:
        azure.write_test_record()
    return commit


def installed(azure: FakeAzure) -> tuple[int, int]:
    """How often a zip was uploaded and installed so far."""
    return len(azure.calls_of(UPLOAD)), len(azure.calls_of(CONFIG_ZIP))


def test_a_zip_with_the_same_files_is_neither_uploaded_nor_installed(azure: FakeAzure) -> None:
    deploy_change(azure, "deal = 2\n")
    (azure.folder / "calls.jsonl").unlink()
    commit = commit_docs(azure)
    deploy(azure.open_session())
    names = azure.command_names()
    assert names[names.index("deployment sub create") + 1 :] == [
        "storage blob list", "storage blob download", "rest", "functionapp function keys list",
        "functionapp function list", "functionapp function keys list", "storage blob metadata update",
    ]  # fmt: skip
    assert azure.zip_states() == ["healthy"]
    assert "The app runs exactly this code and mapping file already: no zip is uploaded, and nothing restarts." in (
        azure.printed
    )
    assert f"Its record now names the commit {commit[:12]}." in azure.printed
    assert azure.printed[-1] == "  cosell turn-on --env staging"


def test_the_later_commit_is_promoted_after_make_test(azure: FakeAzure) -> None:
    deploy_change(azure, "deal = 2\n")
    commit = commit_docs(azure)
    deploy(azure.open_session())
    prepare_production(azure)
    promote(azure.open_session("production"))
    record = azure.running_record()
    assert (record["commit"], record["environment"]) == (commit, "production")
    assert record["tested"] == {
        "commit": commit, "clean": True, "finished": "2026-11-22T10:00:00Z",
        "passed": 3, "failed": 0, "skipped": 0, "deselected": 0,
    }  # fmt: skip


def test_a_test_record_that_comes_after_the_deployment_is_added_to_it(azure: FakeAzure) -> None:
    deploy(azure.open_session())
    azure.write_test_record()
    deploy(azure.open_session())
    assert installed(azure) == (1, 1)
    prepare_production(azure)
    promote(azure.open_session("production"))
    assert azure.running_record()["tested"]["passed"] == 3


def test_a_promotion_of_the_same_files_leaves_production_as_it_is(azure: FakeAzure) -> None:
    deploy_change(azure, "deal = 2\n")
    prepare_production(azure)
    promote(azure.open_session("production"))
    before = installed(azure)
    commit = commit_docs(azure)
    answer_deployment(azure, "staging")
    deploy(azure.open_session())
    prepare_production(azure)
    promote(azure.open_session("production"))
    assert installed(azure) == before
    assert azure.printed.count(f"Its record now names the commit {commit[:12]}.") == 2


def test_a_commit_that_was_not_tested_leaves_the_record_of_the_former_one(azure: FakeAzure) -> None:
    tested = deploy_change(azure, "deal = 2\n")
    commit_docs(azure, is_tested=False)
    deploy(azure.open_session())
    assert f"Its record still names the commit {tested[:12]}." in azure.printed
    prepare_production(azure)
    with pytest.raises(DeploymentFailure, match=f"Staging runs the commit {tested[:12]}, but the checkout is at"):
        promote(azure.open_session("production"))
    run_git(azure.root, "checkout", "-q", tested)
    promote(azure.open_session("production"))
    assert azure.running_record()["commit"] == tested


@pytest.mark.parametrize("name", ["mapping/staging.toml", "requirements.txt", "host.json"])
def test_another_mapping_file_or_other_packages_are_installed(azure: FakeAzure, name: str) -> None:
    deploy_change(azure, "deal = 2\n")
    path = azure.root / name
    path.write_text(path.read_text("utf-8") + "\n", "utf-8")
    commit = commit_docs(azure)
    deploy(azure.open_session())
    assert installed(azure) == (2, 2)
    assert azure.running_record()["commit"] == commit


def test_after_a_zip_that_failed_the_same_files_are_installed_again(azure: FakeAzure) -> None:
    """If the restore had failed too, the app would run the zip that failed."""
    good = deploy_change(azure, "deal = 2\n")
    azure.unhealthy_commits.add(azure.commit_change("deal = 3\n"))
    deploy_failure(azure)
    run_git(azure.root, "reset", "-q", "--hard", good)
    before = installed(azure)
    deploy(azure.open_session())
    assert installed(azure) == (before[0] + 1, before[1] + 1)


def test_an_app_that_is_not_healthy_with_the_same_files_gets_them_again(azure: FakeAzure) -> None:
    deploy_change(azure, "deal = 2\n")
    commit_docs(azure)
    azure.reported_instead["commit"] = "another"
    session = azure.open_session()
    say = session.say

    def mend_after_the_first_check(text: str) -> None:
        if text.endswith("The zip is installed again."):
            azure.reported_instead.clear()
        say(text)

    session.say = mend_after_the_first_check
    deploy(session)
    assert installed(azure) == (2, 2)
    assert azure.zip_states() == ["healthy", "healthy"]


def test_after_a_rollback_the_older_code_is_not_installed_again(azure: FakeAzure) -> None:
    first, _ = deploy_change(azure, "deal = 2\n"), deploy_change(azure, "deal = 3\n")
    rollback(azure.open_session())
    before = installed(azure)
    run_git(azure.root, "reset", "-q", "--hard", first)
    deploy(azure.open_session())
    assert installed(azure) == before


def test_a_rollback_goes_to_the_version_before_although_a_record_was_renewed(azure: FakeAzure) -> None:
    first, _ = deploy_change(azure, "deal = 2\n"), deploy_change(azure, "deal = 3\n")
    commit_docs(azure)
    deploy(azure.open_session())
    rollback(azure.open_session())
    assert azure.running_record()["commit"] == first


def test_a_zip_that_was_changed_in_the_container_is_replaced(azure: FakeAzure) -> None:
    deploy_change(azure, "deal = 2\n")
    (blob,) = (azure.storage / "blobs").iterdir()
    name = bytecode_path("shared/domain/deal.py")
    forged = compile_sources({"shared/domain/deal.py": b"deal = 666\n"})[name]
    blob.write_bytes(with_file(blob.read_bytes(), name, forged))
    commit_docs(azure)
    deploy(azure.open_session())
    assert installed(azure) == (2, 2)


def test_the_record_beside_a_zip_fits_into_metadata(azure: FakeAzure) -> None:
    deploy_change(azure, "deal = 2\n")
    commit = commit_docs(azure)
    deploy(azure.open_session())
    (metadata,) = json.loads((azure.storage / "metadata.json").read_text("utf-8")).values()
    assert metadata == {
        "state": "healthy", "commit": commit, "finished": "2026-11-22T10:00:00Z",
        "passed": "3", "failed": "0", "skipped": "0", "deselected": "0",
    }  # fmt: skip


def test_a_zip_of_an_earlier_build_has_no_record_beside_it(azure: FakeAzure) -> None:
    package = build_zip(azure.root, "staging")
    assert KeptZip("history/x.zip", "healthy", {"state": "healthy"}).with_renewed_record(package) is package
