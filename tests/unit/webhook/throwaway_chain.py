"""Make throw-away certificates like the dispatcher's: root, intermediate, leaf.

Each key is made once in a process, because making one is slow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

NOW = datetime(2026, 3, 4, 11, 2, tzinfo=UTC)
DISPATCHER = "pcnotifications-dispatch.microsoft.com"
HOST = "3psostorageacct.blob.core.windows.net"
CERTIFICATE_URL = f"https://{HOST}/cert/{DISPATCHER}.cer"
INTERMEDIATE_URL = f"https://{HOST}/cert/intermediate.cer"

type Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(label: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The key called `label`. The process makes it once."""
    del label
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@dataclass(frozen=True)
class Identity:
    """A certificate and its key."""

    key: Key
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def sign(self, body: bytes, algorithm: hashes.HashAlgorithm | None = None) -> bytes:
        assert isinstance(self.key, rsa.RSAPrivateKey)
        return self.key.sign(body, padding.PKCS1v15(), algorithm or hashes.SHA256())


@dataclass(frozen=True)
class CertificateSpec:
    """The content of a certificate to make. Most tests change one of these values."""

    name: str = DISPATCHER
    alternative_names: Sequence[str] | None = (DISPATCHER,)
    ca: bool = False
    path_length: int | None = None
    key: Key = field(default_factory=lambda: rsa_key("leaf"))
    not_before: datetime = NOW - timedelta(days=30)
    not_after: datetime = NOW + timedelta(days=335)
    purposes: Sequence[x509.ObjectIdentifier] | None = (
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CLIENT_AUTH,
    )
    may_sign: bool = True
    may_issue: bool | None = None
    issuer_url: str | None = None
    unknown_critical: bool = False
    basic_constraints: bool = True
    excluded: str | None = None


def subject_name(common_name: str) -> x509.Name:
    """A subject in Microsoft's organisation."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Microsoft Corporation"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def issue(spec: CertificateSpec, issuer: Identity | None = None) -> Identity:
    """A certificate signed by `issuer`, or by itself if there is no issuer."""
    signer = issuer.key if issuer else spec.key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject_name(spec.name))
        .issuer_name(issuer.certificate.subject if issuer else subject_name(spec.name))
        .public_key(spec.key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(spec.not_before)
        .not_valid_after(spec.not_after)
    )
    for extension, critical in _extensions(spec, signer):
        builder = builder.add_extension(extension, critical)
    return Identity(spec.key, builder.sign(signer, hashes.SHA256()))


def _extensions(spec: CertificateSpec, signer: Key) -> list[tuple[x509.ExtensionType, bool]]:
    own = spec.key.public_key()
    may_issue = spec.ca if spec.may_issue is None else spec.may_issue
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.SubjectKeyIdentifier.from_public_key(own), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False),
        (_key_usage(sign=spec.may_sign, issue=may_issue), True),
    ]
    if spec.basic_constraints:
        extensions.append((x509.BasicConstraints(spec.ca, spec.path_length), True))
    if spec.alternative_names is not None:
        extensions.append((x509.SubjectAlternativeName([x509.DNSName(name) for name in spec.alternative_names]), False))
    if spec.purposes is not None:
        extensions.append((x509.ExtendedKeyUsage(spec.purposes), False))
    if spec.issuer_url:
        extensions.append((_issuer_access(spec.issuer_url), False))
    if spec.unknown_critical:
        extensions.append(
            (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.311.99.1"), b"\x05\x00"), True)
        )
    if spec.excluded:
        extensions.append((x509.NameConstraints(None, [x509.DNSName(spec.excluded)]), True))
    return extensions


def _issuer_access(url: str) -> x509.AuthorityInformationAccess:
    place = x509.UniformResourceIdentifier(url)
    return x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, place)])


def _key_usage(*, sign: bool, issue: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=sign, content_commitment=False, key_encipherment=True, data_encipherment=False,
        key_agreement=False, key_cert_sign=issue, crl_sign=issue, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def authority_spec(name: str, **changes: object) -> CertificateSpec:
    """The content of an authority's certificate. All authorities share one key, unless a test gives another."""
    base: dict[str, object] = {
        "name": name, "ca": True, "alternative_names": None, "purposes": None,
        "key": rsa_key("authority"), "not_after": NOW + timedelta(days=3650),
    }  # fmt: skip
    return CertificateSpec(**{**base, **changes})  # type: ignore[arg-type]  # the keys are fields of CertificateSpec


@dataclass(frozen=True)
class Chain:
    """Root, intermediate and leaf."""

    root: Identity
    intermediate: Identity
    leaf: Identity


@cache
def good_chain() -> Chain:
    """The genuine chain."""
    root = issue(authority_spec("Throw-away Root", key=rsa_key("root")))
    intermediate = issue(authority_spec("Throw-away Issuing CA 01", key=rsa_key("intermediate")), root)
    return Chain(root, intermediate, issue(CertificateSpec(issuer_url=INTERMEDIATE_URL), intermediate))


def resign_with_sha1(leaf: Identity, issuer: Identity) -> Identity:
    """The same certificate with a valid SHA-1 signature, which the library refuses to make."""
    sha256, sha1 = bytes.fromhex("06092a864886f70d01010b"), bytes.fromhex("06092a864886f70d010105")
    old = leaf.certificate
    body = old.tbs_certificate_bytes.replace(sha256, sha1)
    made = leaf.der.replace(sha256, sha1).replace(old.signature, issuer.sign(body, hashes.SHA1()))  # noqa: S303 - the weakness is the point
    return Identity(leaf.key, x509.load_der_x509_certificate(made))
