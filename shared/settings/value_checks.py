"""Check the value of one setting: each function here is a rule, and raises ValueError with the sentence about it.

A sentence never quotes the value, which may be a secret. `value_types.py` makes types for pydantic of these rules. This
module does without pydantic, because the start of the app does (`surely_right.py`).
"""

import binascii
import re
from datetime import timedelta
from pathlib import Path

from shared.settings.schedules import schedule_fault

REFERENCE = "@Microsoft.KeyVault("
"""The beginning of a Key Vault reference. If the platform cannot resolve it, this text is the value."""
DAY = 86400
"""The longest time that a setting may have, in seconds. All of these times are minutes in practice."""
LEASE_SECONDS, DEADLINE_SECONDS = 300, 60
"""What these settings are by default."""
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
_LONG_HEADER = 4
"""The bytes before the content of a DER sequence of 256 to 65,535 bytes, which every certificate is."""


def check_resolved(value: str) -> str:
    """Refuse the text that the platform leaves where it cannot resolve a reference."""
    if value.startswith(REFERENCE):
        raise ValueError("is an unresolved Key Vault reference: give the app the right to read the secret")
    return value


def check_https(value: str) -> str:
    """Return the address without a slash at its end."""
    if not re.fullmatch(r"https://[A-Za-z0-9.-]+(:\d+)?(/[\w./-]*)?", value):
        raise ValueError("must be an https address")
    return value.rstrip("/")


def check_origin(value: str) -> str:
    """Return the address without a slash at its end."""
    if not re.fullmatch(r"https://[A-Za-z0-9.-]+(:\d+)?/?", value):
        raise ValueError("must be an https address without a path")
    return value.rstrip("/")


def check_connection_string(value: str) -> str:
    """Check the parts by name. Microsoft's library would check more, but it slows a cold start and is imported late."""
    parts = {name.strip().lower() for name in (part.partition("=")[0] for part in value.split(";"))}
    known = {"accountname", "accountkey"} <= parts and not parts.isdisjoint({"tableendpoint", "endpointsuffix"})
    if not known and value.strip(" ;").lower() != "usedevelopmentstorage=true":
        raise ValueError("must contain AccountName, AccountKey, and TableEndpoint or EndpointSuffix")
    return value


def check_link(value: str) -> str:
    """Refuse a link without the place of the id."""
    if "{id}" not in value or re.search(r"[{}]", value.replace("{id}", "")):
        raise ValueError("must contain {id}, the place of the referral's id, and no other brace")
    return value


def check_queue_name(value: str) -> str:
    """Refuse a name that Azure refuses, for this queue or for its poison queue."""
    # Azure allows 63 characters. The name of the poison queue needs seven of them for "-poison".
    if not re.fullmatch(r"(?=.{3,56}$)[a-z0-9]+(-[a-z0-9]+)*", value):
        raise ValueError("is not a queue name (3 to 56 lower-case letters, digits and single hyphens)")
    return value


def check_schedule(value: str) -> str:
    """Refuse a schedule that Azure refuses, or that would run at other times than it says."""
    if fault := schedule_fault(value):
        raise ValueError(fault)
    return value


def check_file(value: Path) -> Path:
    """Refuse what is not a file."""
    if not value.is_file():
        raise ValueError("is not a file that can be read")
    return value


def check_certificates(value: Path) -> Path:
    """Check that the certificates are whole. Loading the public roots to find that out would take 20 ms of each start.

    A connection loads the file (`shared.transport.trust`). Of a file in an unusual form, the loading decides here too.
    """
    import ssl  # noqa: PLC0415 - imported late: it slows a cold start, and few deployments set a bundle

    try:
        blocks = _PEM.findall(value.read_bytes())
        if not (blocks and all(map(_is_der, blocks))):
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(value)
    except OSError:
        raise ValueError("contains no readable certificate in PEM form") from None
    return value


def _is_der(block: bytes) -> bool:
    """Whether the base64 of a PEM block holds exactly one DER sequence of the length that its header states."""
    try:
        data = binascii.a2b_base64(b"".join(block.split()), strict_mode=True)
    except binascii.Error:
        return False
    return (
        len(data) > _LONG_HEADER and data[:2] == b"\x30\x82" and int.from_bytes(data[2:4]) == len(data) - _LONG_HEADER
    )


def check_new_file(value: Path) -> Path:
    """Refuse a path where no file can be."""
    if not value.parent.is_dir():
        raise ValueError("is in a folder that does not exist")
    if value.is_dir():
        raise ValueError("is a folder, not a file")
    return value


def seconds(value: float) -> timedelta:
    """Return a duration of that many seconds."""
    return timedelta(seconds=value)
