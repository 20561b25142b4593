"""The check *approvals* fails while changes or fields wait for `cosell approve`."""

from contextlib import closing
from datetime import UTC, datetime

from shared.app import App
from shared.doctor.finding import Result
from tests.unit.doctor.conftest import Doctor


def test_what_waits_for_an_operator_is_named(doctor: Doctor) -> None:
    assert doctor.run("approvals")["approvals"].result is Result.OK
    with closing(App()) as app:
        app.store.let_changes_go("closure|partner_center", {"a": "a", "b": "b"}, datetime.now(UTC), 1)
        app.store.keep_first_approval({"notes": ("another column",)})
    verdict = doctor.run("approvals")["approvals"]
    assert verdict.result is Result.FAILED
    assert "closure" in verdict.found
    assert "the field notes" in verdict.found
    assert "cosell approve" in verdict.remedy
