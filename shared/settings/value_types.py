"""The kinds of values that settings have: what each may look like, and what a wrong one is told.

A sentence never quotes the value, which may be a secret.
"""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

REFERENCE = "@Microsoft.KeyVault("
"""A Key Vault reference that was not resolved leaves its own text as the value."""
SCHEDULE_FIELDS = 6
DAY = 86400
"""The longest time that a setting may name, in seconds: every one is a matter of minutes."""


def _no_reference(value: str) -> str:
    if value.startswith(REFERENCE):
        raise ValueError("is a Key Vault reference that was not resolved; grant the app the right to read the secret")
    return value


def _https(value: str) -> str:
    if not re.fullmatch(r"https://[A-Za-z0-9.-]+(:\d+)?(/[\w./-]*)?", value):
        raise ValueError("must be an https address")
    return value.rstrip("/")


def _origin(value: str) -> str:
    if not re.fullmatch(r"https://[A-Za-z0-9.-]+(:\d+)?/?", value):
        raise ValueError("must be an https address without a path")
    return value.rstrip("/")


def _connection(value: str) -> str:
    """What Microsoft's libraries make of it is known only when they are loaded, which is late."""
    parts = {name.strip().lower() for name in (part.partition("=")[0] for part in value.split(";"))}
    known = {"accountname", "accountkey"} <= parts and not parts.isdisjoint({"tableendpoint", "endpointsuffix"})
    if not known and value.strip(" ;").lower() != "usedevelopmentstorage=true":
        raise ValueError("must hold AccountName, AccountKey and TableEndpoint or EndpointSuffix")
    return value


def _link(value: str) -> str:
    if "{id}" not in value or re.search(r"[{}]", value.replace("{id}", "")):
        raise ValueError("must hold {id}, which stands for the referral's id, and no other brace")
    return value


def _queue(value: str) -> str:
    if not re.fullmatch(r"(?=.{3,56}$)[a-z0-9]+(-[a-z0-9]+)*", value):  # 63 with the ending -poison
        raise ValueError("is no queue name (3 to 56 lower-case letters, digits and single hyphens)")
    return value


def _schedule(value: str) -> str:
    if len(value.split()) != SCHEDULE_FIELDS:
        raise ValueError("is no schedule (second minute hour day month day-of-week)")
    return value


def _file(value: Path) -> Path:
    if not value.is_file():
        raise ValueError("is no file that can be read")
    return value


def _certificates(value: Path) -> Path:
    import ssl  # noqa: PLC0415 - late: costs a cold start, and few name a bundle

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(value)
    except OSError:
        raise ValueError("holds no certificate that can be read (PEM)") from None
    return value


def _new_file(value: Path) -> Path:
    if not value.parent.is_dir():
        raise ValueError("lies in a folder that is not there")
    if value.is_dir():
        raise ValueError("is a folder, not a file")
    return value


Text = Annotated[str, Field(min_length=1), AfterValidator(_no_reference)]
Https = Annotated[str, AfterValidator(_https)]
Origin = Annotated[str, AfterValidator(_origin)]
File = Annotated[Path, AfterValidator(_file)]
Certificates = Annotated[File, AfterValidator(_certificates)]
NewFile = Annotated[Path, AfterValidator(_new_file)]
"""A file that is there or can be made."""
Link = Annotated[Text, AfterValidator(_link)]
Connection = Annotated[Text, AfterValidator(_connection)]
Queue = Annotated[str, AfterValidator(_queue)]
Schedule = Annotated[str, AfterValidator(_schedule)]
Guid = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
Seconds = Annotated[float, Field(ge=0, le=DAY, allow_inf_nan=False)]
PositiveSeconds = Annotated[Seconds, Field(gt=0)]
