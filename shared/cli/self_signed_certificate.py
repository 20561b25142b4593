"""A key with a self-signed certificate, as an app registration wants it: made here, its key never leaves for a file."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.foundation.redacted import Redacted

KEY_BITS = 3072


class Certificate(Redacted, frozen=True):
    """The private key with the certificate, the certificate alone, its SHA-1 thumbprint as portals show it, its end."""

    pem: str
    public_pem: str
    thumbprint: str
    ends: datetime


def create_certificate(name: str, days: int, *, now: datetime | None = None) -> Certificate:
    """A certificate for `name` that ends in so many days; valid from yesterday, for clocks differ."""
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
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return _told(private, certificate)


def parse_certificate(pem: str) -> Certificate | None:
    """What a PEM text with key and certificate holds; None where it cannot be read."""
    start = pem.find("-----BEGIN CERTIFICATE")
    try:
        certificate = x509.load_pem_x509_certificate(pem[start:].encode()) if start >= 0 else None
    except ValueError:
        return None
    return _told(pem[:start], certificate) if certificate else None


def _told(private: str, certificate: x509.Certificate) -> Certificate:
    public = certificate.public_bytes(serialization.Encoding.PEM).decode()
    print_ = certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 - what portals show as the thumbprint
    return Certificate(private + public, public, print_, certificate.not_valid_after_utc)
