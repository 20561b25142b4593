"""During a rotation, the secret in the vault holds the new key before the old one, and a sign-in tries both."""

import jwt
import pytest

from emulators.base.server import Request, Response
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.private_keys import keys_with_certificates, private_keys_in
from shared.foundation.errors import ConsentNeeded, SignInFailed
from tests.unit.clients.salesforce.fake_salesforce import FakeSalesforce, MemoryVault, new_pem
from tests.unit.clients.salesforce.test_sign_in import claims_of, refusal_answer


class OrgWithCertificate:
    """Accepts only assertions that are signed with the key of its certificate."""

    def __init__(self, fake: FakeSalesforce, pem: str) -> None:
        self.fake, self.pem = fake, pem
        fake.grant = self.grant

    def grant(self, request: Request) -> Response:
        try:
            claims_of(request, self.pem)
        except jwt.InvalidSignatureError:
            return refusal_answer("invalid_grant", "invalid assertion")
        return self.fake.token_answer()


@pytest.mark.parametrize("swapped", [False, True])
def test_sign_in_works_before_and_after_the_certificate_is_replaced(
    salesforce: SalesforceClient, fake: FakeSalesforce, vault: MemoryVault, pem: str, swapped: bool
) -> None:
    new = new_pem()
    vault.pem = vault.stored_pem = new + pem
    OrgWithCertificate(fake, new if swapped else pem)
    assert salesforce.organization_id()
    assert len(fake.sign_in_requests) == (1 if swapped else 2)


def test_an_app_that_accepts_neither_key_refuses_the_sign_in(
    salesforce: SalesforceClient, fake: FakeSalesforce, vault: MemoryVault, pem: str
) -> None:
    vault.pem = vault.stored_pem = new_pem() + pem
    OrgWithCertificate(fake, new_pem())
    with pytest.raises(SignInFailed):
        salesforce.organization_id()
    assert len(fake.sign_in_requests) == 2


def test_the_old_key_is_not_tried_if_consent_is_missing(
    salesforce: SalesforceClient, fake: FakeSalesforce, vault: MemoryVault, pem: str
) -> None:
    vault.pem = vault.stored_pem = new_pem() + pem
    fake.grant = lambda _: refusal_answer("invalid_grant", "user hasn't approved this consumer")
    with pytest.raises(ConsentNeeded):
        salesforce.organization_id()
    assert len(fake.sign_in_requests) == 1


CERTIFICATE = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def test_keys_are_separated_from_the_certificates_that_follow_them(pem: str) -> None:
    other = new_pem()
    secret = other + CERTIFICATE + pem + CERTIFICATE
    assert private_keys_in(secret) == (other.strip(), pem.strip())
    assert keys_with_certificates(secret) == (other + CERTIFICATE, pem + CERTIFICATE)
    assert private_keys_in(secret.replace("\n", "\\n")) == private_keys_in(secret)


def test_a_text_without_a_key_is_returned_whole() -> None:
    assert private_keys_in("placeholder") == ("placeholder",)
    assert keys_with_certificates("placeholder") == ()
