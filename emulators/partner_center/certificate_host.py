"""Make the dispatcher's certificate chain, which exists for one run, and serve its files.

Source: docs/reference/partner-center.md#certificate-of-the-dispatcher. The control API has these routes besides the
shared ones:

    GET    /_control/root          the root as {"pem": ...}; a receiver of events must trust it
    POST   /_control/encoding      {"encoding": "der" | "pem"}
    POST   /_control/renew         replace the leaf; its address stays the same
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from emulators.base.emulator import CONTROL, Emulator
from emulators.base.server import Request, Response

DISPATCHER = "pcnotifications-dispatch.microsoft.com"
INTERMEDIATE_PATH = "/pkiops/certs/LocalEmulatorTLSIssuingCA01.crt"
ROGUE_PATH = "/cert/rogue.cer"
DER, PEM = "der", "pem"
_PURPOSES = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
_DAY = timedelta(days=1)
_YEAR = timedelta(days=365)


def _distinguished_name(common_name: str, organization: str) -> x509.Name:
    attributes = (
        (NameOID.COUNTRY_NAME, "US"),
        (NameOID.ORGANIZATION_NAME, organization),
        (NameOID.COMMON_NAME, common_name),
    )
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in attributes])


@dataclass(frozen=True, slots=True)
class CertificateWithKey:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    def sign(self, body: bytes) -> bytes:
        """Return the RSA PKCS#1 v1.5 signature with SHA-256 of the body."""
        return self.key.sign(body, padding.PKCS1v15(), hashes.SHA256())

    def to_bytes(self, encoding: str) -> bytes:
        """Return the certificate as DER or PEM."""
        return self.certificate.public_bytes(
            serialization.Encoding.DER if encoding == DER else serialization.Encoding.PEM
        )


def make_authority(
    subject: x509.Name, issuer: CertificateWithKey | None = None, path_length: int | None = None
) -> CertificateWithKey:
    """Return a new certificate authority; without `issuer` it is a root."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    constraints = x509.BasicConstraints(ca=True, path_length=path_length)
    builder = _certificate_builder(subject, key, issuer).add_extension(constraints, critical=True)
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = builder.add_extension(usage, critical=True)
    return CertificateWithKey(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def make_leaf(
    name: str, issuer: CertificateWithKey, aia: str, *, since: datetime | None = None, until: datetime | None = None
) -> CertificateWithKey:
    """Return a new certificate for the dispatcher, like a TLS certificate of Microsoft.

    `aia` is the address of the issuer's certificate.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    usage = x509.KeyUsage(
        digital_signature=True, key_encipherment=True, key_cert_sign=False, crl_sign=False, content_commitment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(aia))
    builder = (
        _certificate_builder(_distinguished_name(name, "Microsoft Corporation"), key, issuer, since, until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage(_PURPOSES), critical=False)
        .add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    )  # fmt: skip
    return CertificateWithKey(builder.sign(issuer.key, hashes.SHA256()), key)


def _certificate_builder(
    subject: x509.Name,
    key: rsa.RSAPrivateKey,
    issuer: CertificateWithKey | None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    signer = issuer.key if issuer else key
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since or now - _DAY)
        .not_valid_after(until or now + _YEAR)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )


class CertificateHost(Emulator):
    """Serves the leaf at `/cert/NAME.cer`, and the intermediate at the issuers' address.

    The chain is made at first use. The leaf's file holds the leaf alone, and names the intermediate at another address,
    as Microsoft's certificates do (docs/reference/partner-center.md#certificate-of-the-dispatcher). A receiver must
    allow that address.
    """

    def __init__(self, *, seed: int = 0, name: str = DISPATCHER) -> None:
        """`name` is the dispatcher's name in the subject and the alternative name of the leaf."""
        super().__init__(seed=seed)
        self.name = name
        self.url = "https://localhost"
        self.issuers_url = "http://localhost"
        self.encoding = DER
        self._root: CertificateWithKey | None = None
        self._intermediate: CertificateWithKey | None = None
        self._leaf: CertificateWithKey | None = None
        self._rogue: CertificateWithKey | None = None

    def set_public_urls(self, url: str, issuers_url: str) -> None:
        """Set the address of this host, which every event names, and the issuers' address, which the leaf names."""
        with self.lock:
            self.url, self.issuers_url = url, issuers_url
            self._leaf = None

    def reset_state(self) -> None:
        """Serve DER again. The chain stays, because receivers already trust its root."""
        self.encoding = DER

    # --- the chain

    @property
    def root(self) -> CertificateWithKey:
        """The root that a receiver of events must trust."""
        with self.lock:
            if self._root is None:
                self._root = make_authority(_distinguished_name("Local Emulator Root CA", "Local Emulator"))
            return self._root

    @property
    def root_pem(self) -> str:
        """The root as PEM text, for a setting."""
        return self.root.to_bytes(PEM).decode()

    @property
    def intermediate(self) -> CertificateWithKey:
        """The authority that issues the leaf; its subject has `O=Microsoft Corporation`."""
        with self.lock:
            if self._intermediate is None:
                subject = _distinguished_name("Local Emulator TLS Issuing CA 01", "Microsoft Corporation")
                self._intermediate = make_authority(subject, self.root, path_length=0)
            return self._intermediate

    @property
    def dispatcher_leaf(self) -> CertificateWithKey:
        """The leaf that signs the events."""
        with self.lock:
            if self._leaf is None:
                self._leaf = make_leaf(self.name, self.intermediate, self.intermediate_url)
            return self._leaf

    @property
    def rogue_leaf(self) -> CertificateWithKey:
        """A leaf with the same names from an authority that receivers do not trust."""
        with self.lock:
            if self._rogue is None:
                impostor = make_authority(
                    _distinguished_name("Local Emulator TLS Issuing CA 01", "Microsoft Corporation")
                )
                self._rogue = make_leaf(self.name, impostor, self.intermediate_url)
            return self._rogue

    def renew_leaf(self, *, since: datetime | None = None, until: datetime | None = None) -> None:
        """Replace the leaf by a new one, valid from `since` to `until`. Its address stays the same."""
        with self.lock:
            self._leaf = make_leaf(self.name, self.intermediate, self.intermediate_url, since=since, until=until)

    @property
    def intermediate_url(self) -> str:
        """The address that the leaf names for its issuer (AIA)."""
        return self.issuers_url + INTERMEDIATE_PATH

    @property
    def leaf_url(self) -> str:
        """The address that events carry in `X-MS-Certificate-Url`."""
        return f"{self.url}/cert/{self.name}.cer"

    @property
    def rogue_url(self) -> str:
        """The address of the rogue leaf, on this host."""
        return self.url + ROGUE_PATH

    # --- routes

    def respond(self, request: Request) -> Response:
        """Serve the three certificate files."""
        files = {
            f"/cert/{self.name}.cer": lambda: self.dispatcher_leaf,
            INTERMEDIATE_PATH: lambda: self.intermediate,
            ROGUE_PATH: lambda: self.rogue_leaf,
        }
        certificate = files.get(request.path)
        if request.method not in ("GET", "HEAD") or certificate is None:
            return Response(404, b"<?xml version='1.0'?><Error><Code>BlobNotFound</Code></Error>")
        self.add_tag("certificate")
        kind = "application/x-x509-ca-cert"
        return Response(200, certificate().to_bytes(self.encoding), {"Content-Type": kind})

    def respond_to_control(self, request: Request) -> Response | None:
        """Answer the control routes that the module's docstring lists."""
        match request.method, request.path.removeprefix(CONTROL):
            case "GET", "/root":
                return Response.of({"pem": self.root_pem})
            case "POST", "/encoding":
                encoding = request.json()["encoding"]
                if encoding not in (DER, PEM):
                    return Response.of({"error": "the encoding must be der or pem"}, 400)
                self.encoding = encoding
            case "POST", "/renew":
                self.renew_leaf()
            case _:
                return None
        return Response.of({"ok": True})
