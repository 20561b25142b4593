"""The zip in the app: indexed, healthy, or the one before is put back; promote and rollback."""

import io
import json
import zipfile

import pytest

from infra.azure.deploy.failure import Stopped
from infra.azure.deploy.flows import deploy, promote, rollback
from infra.azure.deploy.infrastructure import known
from infra.azure.deploy.zip_package import build
from shared.cli.exit_codes import Exit
from tests.unit.infra.azure_deploy.stage import FUNCTIONS, SHELL, Stage, commit, git, made

CONFIG_ZIP = "functionapp deployment source config-zip"


def deployed(stage: Stage, text: str) -> str:
    """A tested commit that runs in staging."""
    head = stage.changes(text)
    stage.was_tested()
    deploy(stage.session())
    return head


def fails(stage: Stage) -> Stopped:
    with pytest.raises(Stopped) as caught:
        deploy(stage.session())
    return caught.value


def test_a_failed_health_check_puts_the_zip_before_back_and_says_so(stage: Stage) -> None:
    good = deployed(stage, "deal = 2\n")
    bad = stage.changes("deal = 3\n")
    stage.sick.add(bad)
    stop = fails(stage)
    assert stop.code is Exit.PROBLEM
    assert stop.sentence.startswith("The health check failed: status 500; the zip before, history/")
    assert stop.sentence.endswith("was put back and is healthy.")
    assert stage.running()["commit"] == good
    assert stage.states() == ["healthy", "failed"]


@pytest.mark.parametrize("name", ["version", "environment", "mapping", "commit"])
def test_an_answer_of_another_zip_is_not_taken_for_health(stage: Stage, name: str) -> None:
    stage.stale[name] = "before"
    assert fails(stage).sentence.startswith(f"The health check failed: it answers for another {name}")
    assert stage.passed == 180.0, "the zip before may still answer for a while"


def test_after_the_mend_a_second_run_succeeds(stage: Stage) -> None:
    deployed(stage, "deal = 2\n")
    stage.sick.add(stage.changes("deal = 3\n"))
    fails(stage)
    mended = deployed(stage, "deal = 4\n")
    assert stage.running()["commit"] == mended
    assert stage.states() == ["healthy", "healthy"], "what failed is not kept beside what works"


def test_a_first_zip_that_is_ill_has_nothing_before_it(stage: Stage) -> None:
    stage.sick.add(git(stage.root, "rev-parse", "HEAD"))
    assert fails(stage).sentence.endswith("and there is no earlier zip to put back.")
    assert (stage.root / ".cosell/staging.toml").exists(), "the names are left: the resources are there"


def test_a_zip_before_that_is_ill_too_is_not_called_healthy(stage: Stage) -> None:
    good = deployed(stage, "deal = 2\n")
    stage.sick |= {good, stage.changes("deal = 3\n")}
    assert "that did not help: The health check failed: status 500." in fails(stage).sentence


def test_functions_that_never_appear_are_named_and_the_zip_before_is_put_back(stage: Stage) -> None:
    good = deployed(stage, "deal = 2\n")
    stage.changes("deal = 3\n")
    some, every = ([{"name": f"app/{name}"} for name in names] for names in (FUNCTIONS[:1], FUNCTIONS))
    stage.out("functionapp function list", *[some] * 31, every)
    stop = fails(stage)
    assert "1 of 2 functions after 300 s (missing: report_health)" in stop.sentence
    assert stage.running()["commit"] == good


def test_functions_that_appear_late_are_waited_for(stage: Stage) -> None:
    stage.out("functionapp function list", [], [], [{"name": f"app/{name}"} for name in FUNCTIONS])
    deploy(stage.session())
    assert stage.passed == 20.0


def test_an_app_that_starts_anew_may_answer_with_errors_for_a_while(stage: Stage) -> None:
    for command in ("functionapp function list", "functionapp function keys list"):
        stage.answers[command] = [
            {"error": "Operation returned an invalid status 'Bad Request'"},
            *stage.answers[command],
        ]
    deploy(stage.session())
    assert stage.states() == ["healthy"]


def test_a_login_that_ends_while_the_app_starts_puts_nothing_back(stage: Stage) -> None:
    deployed(stage, "deal = 2\n")
    new = stage.changes("deal = 3\n")
    stage.fails("functionapp function list", "Please run 'az login' to setup account.")
    assert fails(stage).code is Exit.SIGN_IN
    assert stage.running()["commit"] == new
    assert stage.states() == ["healthy", "pending"]


def test_a_build_that_fails_leaves_the_zip_before(stage: Stage) -> None:
    good = deployed(stage, "deal = 2\n")
    stage.changes("deal = 3\n")
    stage.fails(CONFIG_ZIP, "Deployment failed: remote build failed", {})
    assert "The app could not be built" in fails(stage).sentence
    assert stage.running()["commit"] == good


def test_another_zip_on_its_way_is_no_reason_to_put_anything_back(stage: Stage) -> None:
    deployed(stage, "deal = 2\n")
    stage.changes("deal = 3\n")
    stage.fails(CONFIG_ZIP, "There may be an ongoing deployment. Please track your deployment in https://x")
    assert fails(stage).code is Exit.RETRY
    assert len(stage.calls(CONFIG_ZIP)) == 2


def test_the_last_three_zips_are_kept(stage: Stage) -> None:
    heads = [deployed(stage, f"deal = {number}\n") for number in range(2, 7)]
    kept = json.loads((stage.folder / "states.json").read_text("utf-8"))
    assert [name.split("-")[1] for name in sorted(kept)] == [head[:12] for head in heads[-3:]]


def test_the_same_zip_again_does_not_push_the_others_out(stage: Stage) -> None:
    heads = [deployed(stage, f"deal = {number}\n") for number in (2, 3)]
    for _ in range(4):
        deploy(stage.session())
    rollback(stage.session())
    assert stage.running()["commit"] == heads[0]


# --- rollback ---------------------------------------------------------------------------------------------------------


def test_a_rollback_puts_the_zip_before_back_and_the_next_one_goes_further(stage: Stage) -> None:
    heads = [deployed(stage, f"deal = {number}\n") for number in (2, 3, 4)]
    rollback(stage.session())
    assert stage.running()["commit"] == heads[1]
    rollback(stage.session())
    assert stage.running()["commit"] == heads[0]
    with pytest.raises(Stopped, match="no earlier zip"):
        rollback(stage.session())


def test_a_rollback_to_a_zip_that_is_ill_says_so_and_does_not_call_it_done(stage: Stage) -> None:
    first, _ = deployed(stage, "deal = 2\n"), deployed(stage, "deal = 3\n")
    stage.sick.add(first)
    with pytest.raises(Stopped, match="was put back, but: The health check failed"):
        rollback(stage.session())
    assert stage.states() == ["healthy", "healthy"]


# --- promote ----------------------------------------------------------------------------------------------------------


def ready(stage: Stage) -> None:
    """Azure answers for production from now on."""
    made(stage, "production")
    stage.fails("deployment sub show", "DeploymentNotFound")


def test_what_runs_in_staging_goes_to_production_with_productions_mapping(stage: Stage) -> None:
    head = deployed(stage, "deal = 2\n")
    before = stage.running()
    ready(stage)
    promote(stage.session("production"))
    record = stage.running()
    assert (record["commit"], record["environment"]) == (head, "production")
    assert record["tested"] == before["tested"]
    assert record["mapping"] != before["mapping"]
    assert stage.calls("deployment sub create")[-1]["environ"]["SYNC"] == "preview"
    assert "  cosell webhook register --env production" in stage.said, "production holds the tenant's one slot"


def refused(stage: Stage) -> str:
    ready(stage)
    calls = len(stage.calls("deployment sub create"))
    with pytest.raises(Stopped) as caught:
        promote(stage.session("production"))
    assert len(stage.calls("deployment sub create")) == calls
    return caught.value.sentence


def test_a_zip_without_a_record_of_the_tests_is_not_promoted(stage: Stage) -> None:
    deploy(stage.session())
    assert any("will not take this zip" in line for line in stage.said)
    assert "carries no record of `make test`" in refused(stage)


def test_a_record_of_another_commit_is_none(stage: Stage) -> None:
    stage.was_tested()
    stage.changes("deal = 2\n")
    deploy(stage.session())
    assert "carries no record of `make test`" in refused(stage)


def test_a_zip_from_changes_that_are_in_no_commit_is_not_promoted(stage: Stage) -> None:
    stage.was_tested()
    (stage.root / "shared/domain/deal.py").write_text("deal = 9\n", "utf-8")
    deploy(stage.session())
    assert "made from changes that are in no commit" in refused(stage)


def test_a_checkout_of_another_commit_does_not_promote(stage: Stage) -> None:
    deployed(stage, "deal = 2\n")
    commit(stage.root)
    assert "but the checkout is commit" in refused(stage)


def test_a_zip_that_was_changed_in_the_container_is_not_promoted(stage: Stage) -> None:
    head = deployed(stage, "deal = 2\n")
    (blob,) = (stage.folder / "blobs").iterdir()
    stage.changes("deal = 666\n")
    stage.was_tested()

    forged = build(stage.root, "staging")
    record = json.dumps({**forged.record, "commit": head, "tested": {**forged.record["tested"], "commit": head}})
    blob.write_bytes(rewritten(forged.data, record))
    git(stage.root, "reset", "-q", "--hard", head)
    assert refused(stage) == "The zip of staging is not what its commit makes: shared/domain/deal.py."


def rewritten(data: bytes, record: str) -> bytes:

    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, record if name == "build.json" else old.read(name))
    return out.getvalue()


def test_a_zip_that_failed_in_staging_is_not_promoted(stage: Stage) -> None:
    stage.was_tested()
    stage.sick.add(git(stage.root, "rev-parse", "HEAD"))
    fails(stage)
    assert refused(stage) == "Staging has no healthy zip."


def test_production_is_not_deployed_to_without_tests(stage: Stage) -> None:
    ready(stage)
    with pytest.raises(Stopped, match="Production does not take this zip"):
        deploy(stage.session("production"))
    assert stage.commands() == []
    stage.was_tested()
    deploy(stage.session("production"))
    assert known(stage.session("production")).settings["ENVIRONMENT"] == "production"


def test_production_keeps_its_own_values_and_switches(stage: Stage) -> None:
    deployed(stage, "deal = 2\n")
    ready(stage)
    stage.is_deployed("production", {**SHELL, "SYNC": "on", "SALESFORCE_URL": "https://prod.my.salesforce.com"})
    stage.shell.clear()
    promote(stage.session("production"))
    create = stage.calls("deployment sub create")[-1]
    assert (create["environ"]["SYNC"], create["environ"]["SALESFORCE_URL"]) == ("on", "https://prod.my.salesforce.com")
