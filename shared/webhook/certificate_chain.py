"""Whether a certificate is the dispatcher's: its name, its use, its key, and a chain to a root that we trust.

The path is built and checked by `cryptography.x509.verification`: signatures and their digests, validity, basic
constraints, path length, name constraints, key usage and key size of every authority, unknown critical extensions. Its
ready-made profiles are not used: they demand more of a leaf than a signing certificate promises
(docs/event-signature.md). What it does not look at under our own profile is checked here: the leaf's name, use and key
(examples-to-follow.md B3, controls 8 and 9).
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

# What parsing and reading a hostile certificate may raise; none of it derives from one class.
_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    CryptographyDeprecationWarning,  # raised only where warnings are errors; a coming release raises ValueError instead
)
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_TLS_PURPOSES = {
    ExtendedKeyUsageOID.SERVER_AUTH,
    ExtendedKeyUsageOID.CLIENT_AUTH,
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
}

type Follow = Callable[[Target], bytes]


class Trusted(Struct, frozen=True):
    """A leaf whose chain was found good, and for how long every certificate of that chain lives."""

    key: rsa.RSAPublicKey
    sha256: str
    good_from: datetime
    good_until: datetime

    def good_at(self, moment: datetime) -> bool:
        """Whether the whole chain is valid at this moment."""
        return self.good_from <= moment <= self.good_until

    def signed(self, body: bytes, signature: bytes) -> bool:
        """RSA PKCS#1 v1.5 with SHA-256 over these very bytes."""
        try:
            self.key.verify(signature, body, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


def read_certificates(data: bytes) -> list[x509.Certificate]:
    """One DER certificate, or all of a PEM text. Raises Unverified."""
    blocks = _PEM.findall(data)
    try:
        if blocks:
            return [x509.load_pem_x509_certificate(block) for block in blocks]
        return [x509.load_der_x509_certificate(data)]
    except _UNREADABLE:
        raise Unverified(Reason.CERTIFICATE_UNREADABLE) from None


def as_der(certificate: x509.Certificate) -> bytes:
    """The certificate as bytes."""
    return certificate.public_bytes(serialization.Encoding.DER)


def read_setting(pem: str, setting: str) -> list[x509.Certificate]:
    """The certificates of a PEM setting, which may be empty. Raises ConfigurationError."""
    if not pem.strip():
        return []
    try:
        return read_certificates(pem.encode(errors="replace"))
    except Unverified:
        example = "-----BEGIN CERTIFICATE----- ... -----END CERTIFICATE-----"
        raise ConfigurationError(f"{setting} holds no readable certificate. Example: {example}") from None


@cache
def public_roots() -> tuple[x509.Certificate, ...]:
    """The roots that certifi carries; those that the library finds malformed are left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some old roots break RFC 5280 in their serial number
        return tuple(joined.from_iterable(map(_root, _PEM.findall(Path(certifi.where()).read_bytes()))))


def _root(block: bytes) -> Iterable[x509.Certificate]:
    try:
        return (x509.load_pem_x509_certificate(block),)
    except _UNREADABLE:
        return ()


@dataclass
class ChainJudge:
    """Judges certificates against one dispatcher's name and a set of roots.

    `issuers` allows where missing intermediates may be fetched (AIA caIssuers); intermediates that once stood in a good
    chain are kept.
    """

    name: str
    roots: Sequence[x509.Certificate]
    issuers: AllowList
    intermediates: list[x509.Certificate] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Prepare the store of roots once."""
        self._store = verification.Store(list(self.roots))
        self._root_names = {root.subject for root in self.roots}

    def judge(self, data: bytes, now: datetime, follow: Follow | None) -> Trusted:
        """The certificate in `data`, if it is the dispatcher's. Raises Unverified."""
        leaf, *helpers = read_certificates(data)
        try:
            self._check_leaf(leaf, now)
            known = [*helpers, *self.intermediates]
            known += self._missing(leaf, known, follow)
            chain = self._verified(leaf, known, now)
            _check_chain(chain)
        except _UNREADABLE:
            raise Unverified(Reason.CERTIFICATE_UNREADABLE) from None
        self._keep(chain[1:-1])
        return _trusted(chain)

    def _check_leaf(self, leaf: x509.Certificate, now: datetime) -> None:
        if not _carries(leaf, self.name):
            raise Unverified(Reason.CERTIFICATE_NAME)
        if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
            raise Unverified(Reason.CERTIFICATE_NOT_VALID_NOW)
        key = leaf.public_key()
        if not isinstance(key, rsa.RSAPublicKey) or key.key_size < MIN_RSA_BITS:
            raise Unverified(Reason.CERTIFICATE_KEY)
        if not _may_sign(leaf):
            raise Unverified(Reason.CERTIFICATE_USAGE)

    def _missing(
        self, leaf: x509.Certificate, known: Sequence[x509.Certificate], follow: Follow | None
    ) -> list[x509.Certificate]:
        """Issuers fetched by AIA, from the leaf upwards, until one is known or a root is reached."""
        found: list[x509.Certificate] = []
        current = leaf
        for _ in range(2 * MAX_DEPTH):
            if current.issuer in self._root_names or current.issuer == current.subject:
                break
            above = next((one for one in known if _issued(one, current)), None)
            if above is None:
                if follow is None or len(found) == MAX_DOWNLOADED_ISSUERS:
                    break
                above = self._fetch_issuer(current, follow)
                if above is None:
                    break
                found.append(above)
            current = above
        return found

    def _fetch_issuer(self, current: x509.Certificate, follow: Follow) -> x509.Certificate | None:
        for url in _issuer_urls(current):
            try:
                issuer = read_certificates(follow(self.issuers.target(url)))[0]
            except Unverified:
                continue
            if _issued(issuer, current):
                return issuer
        return None

    def _verified(
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

    def _keep(self, used: Iterable[x509.Certificate]) -> None:
        for one in used:
            if one not in self.intermediates and len(self.intermediates) < 4 * MAX_DEPTH:
                self.intermediates.append(one)


def _trusted(chain: Sequence[x509.Certificate]) -> Trusted:
    key = chain[0].public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise Unverified(Reason.CERTIFICATE_KEY)
    return Trusted(
        key,
        chain[0].fingerprint(hashes.SHA256()).hex(),
        max(one.not_valid_before_utc for one in chain),
        min(one.not_valid_after_utc for one in chain),
    )


def _extension[E: x509.ExtensionType](certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _carries(leaf: x509.Certificate, name: str) -> bool:
    """The name is one of the DNS names, wildcards not expanded; the common name counts only where there are none."""
    names = _extension(leaf, x509.SubjectAlternativeName)
    if names is not None:
        return name in {one.lower() for one in names.get_values_for_type(x509.DNSName)}
    common = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return len(common) == 1 and str(common[0].value).lower() == name


def _may_sign(leaf: x509.Certificate) -> bool:
    """No authority, may make signatures, and is meant for TLS as far as it says what it is meant for."""
    basic, usage = _extension(leaf, x509.BasicConstraints), _extension(leaf, x509.KeyUsage)
    if (basic is not None and basic.ca) or (usage is not None and (usage.key_cert_sign or not usage.digital_signature)):
        return False
    return _for_tls(_extension(leaf, x509.ExtendedKeyUsage))


def _for_tls(purposes: x509.ExtendedKeyUsage | None) -> bool:
    return purposes is None or not _TLS_PURPOSES.isdisjoint(purposes)


def _check_chain(chain: Sequence[x509.Certificate]) -> None:
    """What the library does not see: a name that no name constraint reaches."""
    nameless = _extension(chain[0], x509.SubjectAlternativeName) is None
    if nameless and any(_extension(one, x509.NameConstraints) for one in chain[1:]):
        # Constraints bind DNS names; an authority confined to others could write ours into the common name.
        raise Unverified(Reason.CERTIFICATE_NAME)


@cache
def _authority_policy() -> verification.ExtensionPolicy:
    """Authorities: basic constraints present, may sign certificates, not confined to other purposes than TLS."""
    either = verification.Criticality.AGNOSTIC
    return (
        verification.ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, either, _must_be_authority)
        .may_be_present(x509.KeyUsage, either, _must_issue)
        .may_be_present(x509.ExtendedKeyUsage, either, _must_serve_tls)
    )


def _must_be_authority(
    _policy: verification.Policy, _certificate: x509.Certificate, basic: x509.BasicConstraints
) -> None:
    if not basic.ca:  # the library looks as well, under any policy
        raise ValueError("no authority")


def _must_issue(_policy: verification.Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("may not sign certificates")


def _must_serve_tls(
    _policy: verification.Policy, _certificate: x509.Certificate, purposes: x509.ExtendedKeyUsage | None
) -> None:
    if not _for_tls(purposes):
        raise ValueError("not for TLS")


def _issued(issuer: x509.Certificate, subject: x509.Certificate) -> bool:
    if issuer.subject != subject.issuer:
        return False
    try:
        subject.verify_directly_issued_by(issuer)
    except (InvalidSignature, *_UNREADABLE):
        return False
    return True


def _issuer_urls(certificate: x509.Certificate) -> list[str]:
    access = _extension(certificate, x509.AuthorityInformationAccess)
    return [
        entry.access_location.value
        for entry in access or ()
        if entry.access_method == AuthorityInformationAccessOID.CA_ISSUERS
        and isinstance(entry.access_location, x509.UniformResourceIdentifier)
    ][:MAX_DOWNLOADED_ISSUERS]
