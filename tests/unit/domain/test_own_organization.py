"""Production is not used with a sandbox, and no other environment with a production org that the settings do not name.

Source: docs/protocol.md#the-organisation-of-an-environment.
"""

import pytest

from shared.domain.own_organization import OTHER_STORE, Organization, OwnOrganization, other_store, wrong_organization

ID, OTHER = "00D000000000001EAA", "00D000000000002EAA"
ACME = "https://acme.my.salesforce.com"
UAT = "https://acme--uat.sandbox.my.salesforce.com"
ENTERPRISE = Organization(ID, is_sandbox=False, edition="Enterprise Edition")
SANDBOX = Organization(ID, is_sandbox=True, edition="Enterprise Edition")
DEVELOPER = Organization(ID, is_sandbox=False, edition="Developer Edition")
TRIAL = Organization(ID, is_sandbox=False, edition="Enterprise Edition", is_trial=True)
UNKNOWN = Organization(ID)

CASES = {
    "production on its org": (None, ACME, None, ENTERPRISE, None),
    "production on a sandbox": (None, UAT, None, SANDBOX, "sandbox"),
    "production on a sandbox that is named": (None, ACME, ID, SANDBOX, "sandbox"),
    "production on an org whose address is a sandbox's": (None, UAT, None, UNKNOWN, "sandbox"),
    "production on an org of unknown kind": (None, ACME, None, UNKNOWN, None),
    "production on another org than the named one": (None, ACME, OTHER, ENTERPRISE, "other_organization"),
    "production on the named org, by its short id": (None, ACME, ID[:15], ENTERPRISE, None),
    "staging on a sandbox": ("STAGING", UAT, None, SANDBOX, None),
    "staging on another sandbox than the named one": ("STAGING", UAT, OTHER, SANDBOX, "other_organization"),
    "staging on a production org": ("STAGING", ACME, None, ENTERPRISE, "production_org"),
    "staging on a production org that is named": ("STAGING", ACME, ID, ENTERPRISE, None),
    "staging on a developer org": ("STAGING", ACME, None, DEVELOPER, None),
    "staging on a trial": ("STAGING", ACME, None, TRIAL, None),
    "staging on an org of unknown kind": ("STAGING", ACME, None, UNKNOWN, "production_org"),
    "staging on an unknown org at a developer's address": (
        "STAGING", "https://acme-dev-ed.develop.my.salesforce.com", None, UNKNOWN, None
    ),
    "production at an address of its own that only sounds like a sandbox": (
        None, "https://acme.sandbox.acme.example", None, UNKNOWN, None
    ),
    "staging on an org whose name is a sandbox's only in part": (
        "STAGING", "https://sandbox.my.salesforce.com", None, ENTERPRISE, "production_org"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_an_environment_may_use_an_organisation_or_is_told_why_not(case: str) -> None:
    tag, url, organization_id, found, reason = CASES[case]
    wrong = wrong_organization(OwnOrganization(tag, url, organization_id), found)
    assert (wrong.reason if wrong else None) == reason
    assert wrong is None or (ID in wrong.text and "Nothing is written" in wrong.text)


def test_each_text_says_what_to_do() -> None:
    found = wrong_organization(OwnOrganization(None, UAT), SANDBOX)
    assert found is not None
    assert found.text.endswith(
        "Nothing is written. Set SALESFORCE_URL to the production org, or give the sandbox an environment of its own, "
        "such as staging."
    )
    store = other_store(ID, OTHER)
    assert store.reason == OTHER_STORE
    assert store.text.endswith(f"leads to {OTHER}. Give this environment a store of its own.")
