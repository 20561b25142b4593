"""The doctor's check of whom the app admits."""

from collections.abc import Iterator

import pytest

from local.systems import CONSUMER_KEY, USERNAME, Systems
from shared.doctor.finding import Result, ok
from tests.unit.doctor.conftest import Doctor
from tests.unit.emulators.salesforce.control_calls import control

SELLER = "sam.seller@partner.example"


@pytest.fixture
def reading_systems(systems: Systems) -> Iterator[Systems]:
    """The integration user may read Setup."""
    control(systems.salesforce, "view_setup", username=USERNAME, has=True)
    yield systems
    systems.salesforce.oauth.apps[CONSUMER_KEY].usernames[:] = [USERNAME]


def test_where_the_integration_user_may_not_read_it_the_check_says_who_may(doctor: Doctor) -> None:
    verdict = doctor.run("app access")["app access"]
    assert verdict.result is Result.SKIPPED
    assert "may not read whom the app admits, as it should be: `cosell salesforce deploy --check-only`" in verdict.found


@pytest.mark.usefixtures("reading_systems")
def test_an_app_that_admits_the_integration_user_alone_passes(doctor: Doctor) -> None:
    assert doctor.run("app access")["app access"] == ok("the app admits the integration user alone")


def test_an_app_that_admits_somebody_else_fails_without_their_name(doctor: Doctor, reading_systems: Systems) -> None:
    control(reading_systems.salesforce, "admit", consumer_key=CONSUMER_KEY, username=SELLER)
    verdict = doctor.failed_verdict("app access")
    assert verdict.found == "the app cosell admits others too: 1"
    assert "can sign in as each of them" in verdict.remedy
    assert "seller" not in verdict.found + verdict.remedy


def test_an_org_that_shows_no_app_is_not_a_pass(doctor: Doctor, reading_systems: Systems) -> None:
    org = reading_systems.salesforce.org
    for each in list(org.stored_records("SetupEntityAccess")):
        org.put("SetupEntityAccess", each["Id"], each | {"IsDeleted": True})
    verdict = doctor.run("app access")["app access"]
    assert (verdict.result, "shows no app" in verdict.found) == (Result.SKIPPED, True)
