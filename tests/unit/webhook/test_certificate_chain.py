"""Certificate chains: each fault, one at a time."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from shared.webhook.certificate_chain import ChainVerifier, public_roots
from shared.webhook.certificate_origins import ISSUER_PATH, AllowList, Target, read_origins
from shared.webhook.refusals import Reason, Unverified
from tests.unit.webhook.throwaway_chain import (
    DISPATCHER,
    HOST,
    INTERMEDIATE_URL,
    NOW,
    CertificateSpec,
    Chain,
    Identity,
    authority_spec,
    issue,
    resign_with_sha1,
    rsa_key,
)

ISSUERS = AllowList(read_origins([f"https://{HOST}"], setting="s", schemes=["https"], in_azure=False), ISSUER_PATH)


def refusal_reason(
    leaf: Identity | bytes,
    roots: Sequence[Identity],
    intermediates: Sequence[Identity] = (),
    *,
    now: datetime = NOW,
    follow: Callable[[Target], bytes] | None = None,
) -> Reason | None:
    """The reason why the leaf is refused; None if it is trusted."""
    chains = ChainVerifier(
        DISPATCHER, [r.certificate for r in roots], ISSUERS, [one.certificate for one in intermediates]
    )
    try:
        chains.verify(leaf if isinstance(leaf, bytes) else leaf.der, now, follow)
    except Unverified as refused:
        return refused.reason
    return None


def leaf_refusal(chain: Chain, spec: CertificateSpec) -> Reason | None:
    return refusal_reason(issue(spec, chain.intermediate), [chain.root], [chain.intermediate])


def test_der_pem_and_pem_with_its_issuers_are_all_read(chain: Chain) -> None:
    assert refusal_reason(chain.leaf.der, [chain.root], [chain.intermediate]) is None
    assert refusal_reason(chain.leaf.pem.encode(), [chain.root], [chain.intermediate]) is None
    assert refusal_reason((chain.leaf.pem + chain.intermediate.pem).encode(), [chain.root]) is None


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"\x30\x82", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
def test_bytes_that_are_not_a_certificate_are_unreadable(data: bytes, chain: Chain) -> None:
    assert refusal_reason(data, [chain.root]) is Reason.CERTIFICATE_UNREADABLE


def test_a_leaf_without_its_intermediate_has_no_chain(chain: Chain) -> None:
    assert refusal_reason(chain.leaf, [chain.root]) is Reason.CERTIFICATE_CHAIN


def test_another_root_with_the_same_name_is_not_trusted(chain: Chain) -> None:
    twin = issue(authority_spec("Throw-away Root", key=rsa_key("twin")))
    assert refusal_reason(chain.leaf, [twin], [chain.intermediate]) is Reason.CERTIFICATE_CHAIN


def test_an_intermediate_with_the_same_name_and_another_key_is_not_trusted(chain: Chain) -> None:
    twin = issue(authority_spec("Throw-away Issuing CA 01", key=rsa_key("twin")), chain.root)
    assert refusal_reason(chain.leaf, [chain.root], [twin]) is Reason.CERTIFICATE_CHAIN


@pytest.mark.parametrize(
    ("name", "alternative"),
    [
        (DISPATCHER, ("other.microsoft.com",)),  # the common name does not count if there are DNS names
        (DISPATCHER, ()),
        ("other", None),
        ("x", ("*.microsoft.com",)),
        ("x", (f"a.{DISPATCHER}",)),
        ("x", (f"{DISPATCHER}.evil.test",)),
    ],
)
def test_a_certificate_with_another_name_is_refused(name: str, alternative: Sequence[str] | None, chain: Chain) -> None:
    assert leaf_refusal(chain, CertificateSpec(name=name, alternative_names=alternative)) is Reason.CERTIFICATE_NAME


def test_the_common_name_counts_if_there_are_no_dns_names(chain: Chain) -> None:
    assert leaf_refusal(chain, CertificateSpec(alternative_names=None)) is None


def test_a_common_name_cannot_bypass_name_constraints(chain: Chain) -> None:
    confined = issue(authority_spec("Confined CA", excluded="microsoft.com"), chain.root)
    for names in (None, (DISPATCHER,)):
        reason = refusal_reason(issue(CertificateSpec(alternative_names=names), confined), [chain.root], [confined])
        assert reason is (Reason.CERTIFICATE_NAME if names is None else Reason.CERTIFICATE_CHAIN)


def test_a_leaf_outside_its_validity_is_refused(chain: Chain) -> None:
    off = Reason.CERTIFICATE_NOT_VALID_NOW
    times = {NOW - timedelta(days=31): off, NOW: None, NOW + timedelta(days=336): off}
    for moment, reason in times.items():
        assert refusal_reason(chain.leaf, [chain.root], [chain.intermediate], now=moment) is reason


def test_an_expired_authority_breaks_the_chain(chain: Chain) -> None:
    over = NOW - timedelta(days=1)
    old = issue(authority_spec("Old CA", not_after=over), chain.root)
    assert refusal_reason(issue(CertificateSpec(), old), [chain.root], [old]) is Reason.CERTIFICATE_CHAIN
    root = issue(authority_spec("Old Root", not_after=over))
    assert refusal_reason(issue(CertificateSpec(), root), [root]) is Reason.CERTIFICATE_CHAIN
    long_lived = issue(CertificateSpec(not_after=NOW + timedelta(days=5000)), chain.intermediate)
    later = NOW + timedelta(days=4000)
    assert refusal_reason(long_lived, [chain.root], [chain.intermediate], now=later) is Reason.CERTIFICATE_CHAIN


@pytest.mark.parametrize(
    "spec",
    [
        CertificateSpec(ca=True),
        CertificateSpec(ca=True, may_issue=False),
        CertificateSpec(may_issue=True),
        CertificateSpec(may_sign=False),
        CertificateSpec(purposes=(ExtendedKeyUsageOID.CODE_SIGNING,)),
        CertificateSpec(purposes=(ExtendedKeyUsageOID.OCSP_SIGNING, ExtendedKeyUsageOID.TIME_STAMPING)),
    ],
)
def test_a_leaf_for_another_use_is_refused(spec: CertificateSpec, chain: Chain) -> None:
    assert leaf_refusal(chain, spec) is Reason.CERTIFICATE_USAGE


def test_a_leaf_that_states_no_purpose_is_accepted(chain: Chain) -> None:
    assert leaf_refusal(chain, CertificateSpec(purposes=None, basic_constraints=False)) is None
    assert leaf_refusal(chain, CertificateSpec(purposes=(ExtendedKeyUsageOID.SERVER_AUTH,))) is None


def test_a_short_or_an_elliptic_key_is_refused(chain: Chain) -> None:
    assert leaf_refusal(chain, CertificateSpec(key=rsa_key("short", 1024))) is Reason.CERTIFICATE_KEY
    assert leaf_refusal(chain, CertificateSpec(key=ec.generate_private_key(ec.SECP256R1()))) is Reason.CERTIFICATE_KEY


def test_a_short_key_of_an_authority_is_refused_too(chain: Chain) -> None:
    weak = issue(authority_spec("Weak CA", key=rsa_key("weak", 1024)), chain.root)
    assert refusal_reason(issue(CertificateSpec(), weak), [chain.root], [weak]) is Reason.CERTIFICATE_CHAIN
    root = issue(authority_spec("Weak Root", key=rsa_key("weak", 1024)))
    assert refusal_reason(issue(CertificateSpec(), root), [root]) is Reason.CERTIFICATE_CHAIN


def test_an_unknown_critical_extension_is_refused(chain: Chain) -> None:
    assert leaf_refusal(chain, CertificateSpec(unknown_critical=True)) is Reason.CERTIFICATE_CHAIN


def test_a_link_signed_with_sha1_is_refused(chain: Chain) -> None:
    leaf = resign_with_sha1(chain.leaf, chain.intermediate)
    key, made = chain.intermediate.key.public_key(), leaf.certificate
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(made.signature, made.tbs_certificate_bytes, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - the signature is valid, only weak
    assert refusal_reason(leaf, [chain.root], [chain.intermediate]) is Reason.CERTIFICATE_CHAIN


@pytest.mark.parametrize(
    "changes",
    [
        {"ca": False},
        {"ca": False, "may_issue": True},
        {"may_issue": False},
        {"basic_constraints": False},
        {"purposes": (ExtendedKeyUsageOID.CODE_SIGNING,)},
    ],
)
def test_a_certificate_that_is_not_an_authority_cannot_issue(changes: dict[str, object], chain: Chain) -> None:
    false_authority = issue(authority_spec("False CA", **changes), chain.root)
    assert (
        refusal_reason(issue(CertificateSpec(), false_authority), [chain.root], [false_authority])
        is Reason.CERTIFICATE_CHAIN
    )


def test_a_genuine_leaf_cannot_issue_another(chain: Chain) -> None:
    forged = issue(CertificateSpec(key=rsa_key("forged")), chain.leaf)
    assert refusal_reason(forged, [chain.root], [chain.intermediate, chain.leaf]) is Reason.CERTIFICATE_CHAIN


def test_an_authority_for_tls_servers_only_is_accepted(chain: Chain) -> None:
    tls = issue(authority_spec("TLS CA", purposes=(ExtendedKeyUsageOID.SERVER_AUTH,)), chain.root)
    assert refusal_reason(issue(CertificateSpec(), tls), [chain.root], [tls]) is None


def chain_of_authorities(root: Identity, height: int, **changes: object) -> list[Identity]:
    made = [root]
    for number in range(height):
        made.append(issue(authority_spec(f"Authority {number}", **(changes if number == 0 else {})), made[-1]))
    return made[1:]


def test_path_length_and_depth_are_limited(chain: Chain) -> None:
    broken = Reason.CERTIFICATE_CHAIN
    heights: list[tuple[int, dict[str, object], Reason | None]] = [
        (2, {"path_length": 0}, broken),
        (4, {}, None),
        (6, {}, broken),
    ]
    for height, changes, reason in heights:
        authorities = chain_of_authorities(chain.root, height, **changes)
        assert refusal_reason(issue(CertificateSpec(), authorities[-1]), [chain.root], authorities) is reason


def test_a_self_signed_leaf_is_refused(chain: Chain) -> None:
    assert refusal_reason(issue(CertificateSpec()), [chain.root]) is Reason.CERTIFICATE_CHAIN


def test_missing_issuers_are_fetched_and_kept(chain: Chain) -> None:
    requested: list[str] = []

    def follow(target: Target) -> bytes:
        requested.append(str(target))
        return chain.intermediate.der

    chains = ChainVerifier(DISPATCHER, [chain.root.certificate], ISSUERS)
    for _ in range(2):
        assert chains.verify(chain.leaf.der, NOW, follow).valid_until == chain.leaf.certificate.not_valid_after_utc
    assert requested == [INTERMEDIATE_URL]
    assert chains.intermediates == [chain.intermediate.certificate]


@pytest.mark.parametrize(
    "url", ["https://evil.test/i.cer", "http://169.254.169.254/i.cer", "ldap:///CN=x", f"http://{HOST}/i.cer"]
)
def test_an_issuer_at_another_address_is_not_fetched(url: str, chain: Chain) -> None:
    def follow(_: Target) -> bytes:
        raise AssertionError

    leaf = issue(CertificateSpec(issuer_url=url), chain.intermediate)
    assert refusal_reason(leaf, [chain.root], follow=follow) is Reason.CERTIFICATE_CHAIN


def test_the_issuers_of_a_leaf_with_another_name_are_not_fetched(chain: Chain) -> None:
    def follow(_: Target) -> bytes:
        raise AssertionError

    leaf = issue(CertificateSpec(alternative_names=("x.test",), issuer_url=INTERMEDIATE_URL), chain.intermediate)
    assert refusal_reason(leaf, [chain.root], follow=follow) is Reason.CERTIFICATE_NAME


def test_at_most_four_missing_issuers_are_fetched(chain: Chain) -> None:
    ladder = [issue(authority_spec("Ladder 8"))]
    for number in range(7, -1, -1):
        spec = authority_spec(f"Ladder {number}", issuer_url=f"https://{HOST}/up/{number + 1}.cer")
        ladder.insert(0, issue(spec, ladder[0]))
    requested: list[str] = []

    def follow(target: Target) -> bytes:
        requested.append(target.path)
        return ladder[int(target.path[4:-4])].der

    leaf = issue(CertificateSpec(issuer_url=f"https://{HOST}/up/0.cer"), ladder[0])
    assert refusal_reason(leaf, [chain.root], follow=follow) is Reason.CERTIFICATE_CHAIN
    assert len(requested) == 4


def test_an_issuer_that_did_not_sign_is_not_used(chain: Chain) -> None:
    onward = f"https://{HOST}/up/1.cer"
    twin = issue(authority_spec("Throw-away Issuing CA 01", key=rsa_key("twin"), issuer_url=onward), unknown_root())
    requested: list[str] = []

    def follow(target: Target) -> bytes:
        requested.append(str(target))
        return twin.der

    assert refusal_reason(chain.leaf, [chain.root], follow=follow) is Reason.CERTIFICATE_CHAIN
    assert requested == [INTERMEDIATE_URL]


def unknown_root() -> Identity:
    return issue(authority_spec("Unknown Root"))


def test_the_public_roots_are_read_without_warnings() -> None:
    assert len(public_roots()) > 80
