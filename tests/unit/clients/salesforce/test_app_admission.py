"""Whom an app admits, in orgs that show less than others do."""

import pytest

from emulators.salesforce import SalesforceEmulator
from emulators.salesforce.client_apps import App
from shared.clients.salesforce.app_admission import AppAdmission, find_admissions
from shared.clients.salesforce.client import SalesforceClient
from shared.foundation.errors import Rejected
from tests.unit.clients.salesforce.emulated_org import EmulatedOrg
from tests.unit.clients.salesforce.fake_salesforce import FakeSalesforce

USERNAME, ADMINISTRATOR = "integration@partner.example", "ada.admin@partner.example"


@pytest.fixture
def org(fake: FakeSalesforce, salesforce: SalesforceClient) -> EmulatedOrg:
    emulator = SalesforceEmulator()
    emulator.oauth.apps["key"] = App(None, [USERNAME])
    emulator.reset_state()
    return EmulatedOrg(emulator, fake, salesforce)


def without(org: EmulatedOrg, *names: str) -> None:
    """Make the org one without these objects."""
    for name in names:
        del org.emulator.org.model._by_name[name.lower()]


def test_an_app_is_found_by_the_user_whom_it_admits(org: EmulatedOrg) -> None:
    assert find_admissions(org.salesforce, USERNAME.upper()) == [AppAdmission("cosell")]
    assert find_admissions(org.salesforce, ADMINISTRATOR) == []
    org.emulator.admit_user("key", ADMINISTRATOR)
    assert find_admissions(org.salesforce, ADMINISTRATOR) == [AppAdmission("cosell", (USERNAME,))]


def test_an_org_that_does_not_show_the_app_gives_its_id(org: EmulatedOrg) -> None:
    [app] = org.emulator.records("ExternalClientApplication")
    without(org, "ExtlClntAppOauthPlcyCnfg", "ExternalClientApplication")
    assert find_admissions(org.salesforce, USERNAME) == [AppAdmission(app["Id"])]


def test_a_user_who_may_not_read_it_gets_an_error(org: EmulatedOrg) -> None:
    org.sign_in(org.emulator.seller)
    with pytest.raises(Rejected):
        find_admissions(org.salesforce, USERNAME)
