"""Verify that a certificate belongs to the dispatcher: its name, its use, its key, and a chain to a trusted root.

`cryptography.x509.verification` builds and checks the chain: signatures and their digests, validity, basic constraints,
path length, name constraints, key usage and key size of every authority, unknown critical extensions. Its ready-made
profiles are not used, because they demand more of a leaf than a signing certificate has
(docs/reference/partner-center.md#decisions-about-the-signature). Under our own profile the library does not check the
leaf's name, use and key, so this module does (docs/reference/partner-center.md#webhook-admission-controls, controls 8
and 9).
"""

import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import chain as joined
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509 import verification
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from msgspec import Struct

from shared.foundation.errors import ConfigurationError
from shared.webhook.certificate_origins import AllowList, Target
from shared.webhook.refusals import Reason, Unverified

MIN_RSA_BITS = 2048
MAX_DEPTH = 4
MAX_DOWNLOADED_ISSUERS = 4

# Errors that parsing and reading a hostile certificate may raise. They have no common base class.
_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    CryptographyDeprecationWarning,  # raised only if warnings are errors; a later release raises ValueError
)
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_TLS_PURPOSES = {
    ExtendedKeyUsageOID.SERVER_AUTH,
    ExtendedKeyUsageOID.CLIENT_AUTH,
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
}

type Follow = Callable[[Target], bytes]


class TrustedCertificate(Struct, frozen=True):
    """A leaf whose chain was verified, and the time (UTC) in which every certificate of that chain is valid."""

    key: rsa.RSAPublicKey
    sha256: str
    valid_from: datetime
    valid_until: datetime

    def is_valid_at(self, moment: datetime) -> bool:
        """Whether the whole chain is valid at this time."""
        return self.valid_from <= moment <= self.valid_until

    def has_signed(self, body: bytes, signature: bytes) -> bool:
        """Whether this key signed exactly these bytes (RSA PKCS#1 v1.5 with SHA-256)."""
        try:
            self.key.verify(signature, body, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


def read_certificates(data: bytes) -> list[x509.Certificate]:
    """One DER certificate, or every certificate of a PEM text. Raises Unverified."""
    blocks = _PEM.findall(data)
    try:
        if blocks:
            return [x509.load_pem_x509_certificate(block) for block in blocks]
        return [x509.load_der_x509_certificate(data)]
    except _UNREADABLE:
        raise Unverified(Reason.CERTIFICATE_UNREADABLE) from None


def der_bytes(certificate: x509.Certificate) -> bytes:
    """The certificate in DER."""
    return certificate.public_bytes(serialization.Encoding.DER)


def read_pem_setting(pem: str, setting: str) -> list[x509.Certificate]:
    """The certificates in a PEM setting, which may be empty. Raises ConfigurationError."""
    if not pem.strip():
        return []
    try:
        return read_certificates(pem.encode(errors="replace"))
    except Unverified:
        example = "-----BEGIN CERTIFICATE----- ... -----END CERTIFICATE-----"
        raise ConfigurationError(f"{setting} contains no readable certificate. Example: {example}") from None


@cache
def public_roots() -> tuple[x509.Certificate, ...]:
    """The roots of certifi, without those that the library calls malformed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the serial number of some old roots breaks RFC 5280
        return tuple(joined.from_iterable(map(_parse_root, _PEM.findall(Path(certifi.where()).read_bytes()))))


def _parse_root(block: bytes) -> Iterable[x509.Certificate]:
    try:
        return (x509.load_pem_x509_certificate(block),)
    except _UNREADABLE:
        return ()


@dataclass
class ChainVerifier:
    """Verifies certificates for one dispatcher's name and a set of roots.

    Missing intermediates may be fetched from the addresses that `issuers` allows (AIA caIssuers). Intermediates of a
    verified chain are kept.
    """

    name: str
    roots: Sequence[x509.Certificate]
    issuers: AllowList
    intermediates: list[x509.Certificate] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Build the store of roots once."""
        self._store = verification.Store(list(self.roots))
        self._root_names = {root.subject for root in self.roots}

    def verify(self, data: bytes, now: datetime, follow: Follow | None) -> TrustedCertificate:
        """The dispatcher's certificate in `data`. `follow` fetches a missing issuer; None: fetch nothing.

        Raises Unverified if the certificate is not the dispatcher's.
        """
        leaf, *helpers = read_certificates(data)
        try:
            self._check_leaf(leaf, now)
            known = [*helpers, *self.intermediates]
            known += self._fetch_missing_issuers(leaf, known, follow)
            chain = self._build_chain(leaf, known, now)
            _check_chain(chain)
        except _UNREADABLE:
            raise Unverified(Reason.CERTIFICATE_UNREADABLE) from None
        self._keep_intermediates(chain[1:-1])
        return _trusted_certificate(chain)

    def _check_leaf(self, leaf: x509.Certificate, now: datetime) -> None:
        if not _has_name(leaf, self.name):
            raise Unverified(Reason.CERTIFICATE_NAME)
        if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
            raise Unverified(Reason.CERTIFICATE_NOT_VALID_NOW)
        key = leaf.public_key()
        if not isinstance(key, rsa.RSAPublicKey) or key.key_size < MIN_RSA_BITS:
            raise Unverified(Reason.CERTIFICATE_KEY)
        if not _may_sign(leaf):
            raise Unverified(Reason.CERTIFICATE_USAGE)

    def _fetch_missing_issuers(
        self, leaf: x509.Certificate, known: Sequence[x509.Certificate], follow: Follow | None
    ) -> list[x509.Certificate]:
        """Issuers fetched by AIA, from the leaf upwards, until one is known or a root is reached."""
        fetched: list[x509.Certificate] = []
        current = leaf
        for _ in range(2 * MAX_DEPTH):
            if current.issuer in self._root_names or current.issuer == current.subject:
                break
            above = next((one for one in known if _has_issued(one, current)), None)
            if above is None:
                if follow is None or len(fetched) == MAX_DOWNLOADED_ISSUERS:
                    break
                above = self._fetch_issuer(current, follow)
                if above is None:
                    break
                fetched.append(above)
            current = above
        return fetched

    def _fetch_issuer(self, current: x509.Certificate, follow: Follow) -> x509.Certificate | None:
        for url in _issuer_urls(current):
            try:
                issuer = read_certificates(follow(self.issuers.parse_url(url)))[0]
            except Unverified:
                continue
            if _has_issued(issuer, current):
                return issuer
        return None

    def _build_chain(
        self, leaf: x509.Certificate, known: list[x509.Certificate], now: datetime
    ) -> Sequence[x509.Certificate]:
        builder = verification.PolicyBuilder().store(self._store).time(now).max_chain_depth(MAX_DEPTH)
        builder = builder.extension_policies(
            ca_policy=_authority_policy(), ee_policy=verification.ExtensionPolicy.permit_all()
        )
        try:
            return builder.build_client_verifier().verify(leaf, known).chain
        except verification.VerificationError:
            raise Unverified(Reason.CERTIFICATE_CHAIN) from None

    def _keep_intermediates(self, used: Iterable[x509.Certificate]) -> None:
        for one in used:
            if one not in self.intermediates and len(self.intermediates) < 4 * MAX_DEPTH:
                self.intermediates.append(one)


def _trusted_certificate(chain: Sequence[x509.Certificate]) -> TrustedCertificate:
    key = chain[0].public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise Unverified(Reason.CERTIFICATE_KEY)
    return TrustedCertificate(
        key,
        chain[0].fingerprint(hashes.SHA256()).hex(),
        max(one.not_valid_before_utc for one in chain),
        min(one.not_valid_after_utc for one in chain),
    )


def _find_extension[E: x509.ExtensionType](certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _has_name(leaf: x509.Certificate, name: str) -> bool:
    """Whether the name is one of the DNS names. The common name counts only if there are no DNS names.

    Wildcards are not expanded.
    """
    names = _find_extension(leaf, x509.SubjectAlternativeName)
    if names is not None:
        return name in {one.lower() for one in names.get_values_for_type(x509.DNSName)}
    common = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return len(common) == 1 and str(common[0].value).lower() == name


def _may_sign(leaf: x509.Certificate) -> bool:
    """Whether the leaf is not an authority, may make signatures, and is for TLS if it states a purpose."""
    basic, usage = _find_extension(leaf, x509.BasicConstraints), _find_extension(leaf, x509.KeyUsage)
    if (basic is not None and basic.ca) or (usage is not None and (usage.key_cert_sign or not usage.digital_signature)):
        return False
    return _is_for_tls(_find_extension(leaf, x509.ExtendedKeyUsage))


def _is_for_tls(purposes: x509.ExtendedKeyUsage | None) -> bool:
    return purposes is None or not _TLS_PURPOSES.isdisjoint(purposes)


def _check_chain(chain: Sequence[x509.Certificate]) -> None:
    """Refuse a name that the library's check of name constraints does not cover. Raises Unverified."""
    has_no_dns_names = _find_extension(chain[0], x509.SubjectAlternativeName) is None
    if has_no_dns_names and any(_find_extension(one, x509.NameConstraints) for one in chain[1:]):
        # Constraints apply to DNS names. An authority limited to other names could put ours into the common name.
        raise Unverified(Reason.CERTIFICATE_NAME)


@cache
def _authority_policy() -> verification.ExtensionPolicy:
    """Return the rules for the certificate of an authority.

    It needs basic constraints and the right to sign certificates. If it lists purposes, TLS must be among them.
    """
    either = verification.Criticality.AGNOSTIC
    return (
        verification.ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, either, _must_be_authority)
        .may_be_present(x509.KeyUsage, either, _must_sign_certificates)
        .may_be_present(x509.ExtendedKeyUsage, either, _must_be_for_tls)
    )


def _must_be_authority(
    _policy: verification.Policy, _certificate: x509.Certificate, basic: x509.BasicConstraints
) -> None:
    if not basic.ca:  # the library checks this as well, under any policy
        raise ValueError("not an authority")


def _must_sign_certificates(
    _policy: verification.Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None
) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("may not sign certificates")


def _must_be_for_tls(
    _policy: verification.Policy, _certificate: x509.Certificate, purposes: x509.ExtendedKeyUsage | None
) -> None:
    if not _is_for_tls(purposes):
        raise ValueError("not for TLS")


def _has_issued(issuer: x509.Certificate, subject: x509.Certificate) -> bool:
    if issuer.subject != subject.issuer:
        return False
    try:
        subject.verify_directly_issued_by(issuer)
    except (InvalidSignature, *_UNREADABLE):
        return False
    return True


def _issuer_urls(certificate: x509.Certificate) -> list[str]:
    access = _find_extension(certificate, x509.AuthorityInformationAccess)
    return [
        entry.access_location.value
        for entry in access or ()
        if entry.access_method == AuthorityInformationAccessOID.CA_ISSUERS
        and isinstance(entry.access_location, x509.UniformResourceIdentifier)
    ][:MAX_DOWNLOADED_ISSUERS]
