"""The check *approvals* fails while changes or fields wait for `cosell approve`."""

from contextlib import closing
from datetime import UTC, datetime

from shared.app import App
from shared.doctor.finding import Result
from tests.unit.doctor.conftest import Doctor


def test_what_waits_for_an_operator_is_named(doctor: Doctor) -> None:
    assert doctor.run("approvals")["approvals"].result is Result.OK
    with closing(App()) as app:
        for name in ("closure|partner_center", "value|partner_center|closing|0123", "value|salesforce|removed|4567"):
            app.store.let_changes_go(name, {"a": "a", "b": "b"}, datetime.now(UTC), 1)
        app.store.keep_first_approval({"notes": ("another column",)})
    verdict = doctor.run("approvals")["approvals"]
    assert verdict.result is Result.FAILED
    stopped = "0 changes in {}, stopped at the limit of 1 a day: {}"  # no link of this store waits for them
    for side, meaning in (
        ("Partner Center", "closed deals"),
        ("Partner Center", "one value of Close Date on many deals"),
        ("Salesforce", "one value of removed on many deals"),
    ):
        assert stopped.format(side, meaning) in verdict.found
    assert "the field Description, which is newly sent" in verdict.found
    assert "cosell approve" in verdict.remedy
