"""Create and read a private key with its self-signed certificate. Callers write only the certificate to a file."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.clients.pem import with_line_breaks
from shared.foundation.redacted import Redacted

KEY_BITS = 3072


class Certificate(Redacted, frozen=True):
    """A certificate: `pem` with its private key, `public_pem` without it, the SHA-1 thumbprint, and the end."""

    pem: str
    public_pem: str
    thumbprint: str
    ends: datetime


def create_certificate(name: str, days: int, *, now: datetime | None = None) -> Certificate:
    """Create a certificate for `name` that ends after `days`. It is valid from yesterday, because clocks differ."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    begin = (now or datetime.now(UTC)).replace(microsecond=0)
    subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin - timedelta(days=1))
        .not_valid_after(begin + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    private_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return _combine(private_pem, certificate)


def parse_certificate(pem: str) -> Certificate | None:
    """Parse a PEM text with a key and a certificate. Returns None if it has no readable certificate."""
    pem = with_line_breaks(pem)
    start = pem.find("-----BEGIN CERTIFICATE")
    try:
        certificate = x509.load_pem_x509_certificate(pem[start:].encode()) if start >= 0 else None
    except ValueError:
        return None
    return _combine(pem[:start], certificate) if certificate else None


def _combine(private_pem: str, certificate: x509.Certificate) -> Certificate:
    public_pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    # Entra ID and Salesforce show the SHA-1 fingerprint as the thumbprint.
    thumbprint = certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 - not used for security
    return Certificate(private_pem + public_pem, public_pem, thumbprint, certificate.not_valid_after_utc)
