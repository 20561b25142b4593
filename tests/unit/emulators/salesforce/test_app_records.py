"""The records of Setup that show whom an app admits (docs/reference/salesforce.md#whom-an-app-admits)."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.salesforce import SalesforceEmulator
from tests.unit.emulators.salesforce.api_session import ApiSession
from tests.unit.emulators.salesforce.control_calls import control

USERNAME, SELLER = "integration@partner.example", "sam.seller@partner.example"
USERS = "SELECT Assignee.Username FROM PermissionSetAssignment ORDER BY Assignee.Username"
OBJECTS = (
    "PermissionSet", "PermissionSetAssignment", "SetupEntityAccess", "ExternalClientApplication",
    "ExtlClntAppOauthPlcyCnfg", "Translation",
)  # fmt: skip


@pytest.fixture(scope="module")
def pem() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def session(emulator: SalesforceEmulator, pem: bytes) -> ApiSession:
    """The administrator's session, in an org with an app."""
    emulator.register_connected_app("key", pem, USERNAME)
    return ApiSession(emulator, emulator.oauth.issue_session_id(emulator.founding.administrator))


def usernames(session: ApiSession) -> list[str]:
    return [row["Assignee"]["Username"] for row in session.query_records(USERS)]


def test_an_app_shows_its_user_and_each_one_more(emulator: SalesforceEmulator, session: ApiSession, pem: bytes) -> None:
    [app] = session.query_records("SELECT Id, MasterLabel FROM ExternalClientApplication")
    [access] = session.query_records("SELECT ParentId, Parent.Label, SetupEntityId FROM SetupEntityAccess")
    assert (app["MasterLabel"], access["SetupEntityId"], access["Parent"]["Label"]) == (
        "cosell",
        app["Id"],
        "cosell users",
    )
    assert usernames(session) == [USERNAME]
    control(emulator, "admit", consumer_key="key", username=SELLER)
    emulator.register_connected_app("key", pem, USERNAME)  # a new certificate
    assert usernames(session) == [USERNAME, SELLER]


def test_the_records_are_there_after_a_reset(emulator: SalesforceEmulator, session: ApiSession) -> None:
    emulator.reset_state()
    del session
    again = ApiSession(emulator, emulator.oauth.issue_session_id(emulator.founding.administrator))
    assert usernames(again) == [USERNAME]


def test_an_app_does_not_change_the_ids_of_other_records(emulator: SalesforceEmulator, pem: bytes) -> None:
    other = SalesforceEmulator()
    emulator._ensure_user(USERNAME)
    other.register_connected_app("key", pem, USERNAME)
    ids = {each.insert("Account", {"Name": "Acme"}) for each in (emulator, other)}
    assert len(ids) == 1


@pytest.mark.parametrize("sobject", OBJECTS)
def test_users_without_view_setup_do_not_see_the_objects(
    emulator: SalesforceEmulator, session: ApiSession, sobject: str
) -> None:
    seller = ApiSession(emulator, emulator.oauth.issue_session_id(emulator.seller))
    soql = f"SELECT Id FROM {sobject}"  # noqa: S608 - the names of this module
    assert seller.query_refusal(soql)[0] == "INVALID_TYPE"
    assert seller("GET", f"/sobjects/{sobject}/describe").status == 404
    assert session("GET", f"/sobjects/{sobject}/describe").status == 200
    control(emulator, "view_setup", username=SELLER, has=True)
    assert isinstance(seller.query_records(soql), list)


def test_the_languages_that_are_on_are_records(emulator: SalesforceEmulator, session: ApiSession) -> None:
    control(emulator, "translations", languages=["de", "zh_TW"])
    control(emulator, "translations", languages=["zh_TW"])
    rows = session.query_records("SELECT Language, IsActive FROM Translation ORDER BY Language")
    assert [(row["Language"], row["IsActive"]) for row in rows] == [("de", False), ("zh_TW", True)]
