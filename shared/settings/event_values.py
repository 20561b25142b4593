"""The settings of webhook admission as the first event of a process needs them: without pydantic.

`EventSettings` in `variables.py` is their definition, with the same names, and takes its defaults from here.
"""

from pathlib import Path

from msgspec import Struct


class EventValues(Struct, frozen=True, kw_only=True):
    """Which certificates are trusted, how long an event may be, and which hosts have our referrals."""

    certificate_origins: tuple[str, ...] = ("https://3psostorageacct.blob.core.windows.net",)
    issuer_origins: tuple[str, ...] = (
        "http://www.microsoft.com",
        "http://caissuers.microsoft.com",
        "http://cacerts.digicert.com",
        "http://cacerts.geotrust.com",
        "http://cacerts.digicert.cn",
    )
    dispatcher: str = "pcnotifications-dispatch.microsoft.com"
    roots: Path | None = None
    intermediates: Path | None = None
    certificates: Path | None = None
    resource_hosts: tuple[str, ...] = ("api.partnercenter.microsoft.com", "api.partner.microsoft.com")
    max_bytes: int = 65536
    ca_bundle: Path | None = None


DEFAULTS = EventValues()


def split_list(value: str) -> tuple[str, ...]:
    """Return the items of a list, apart by spaces or commas."""
    return tuple(value.replace(",", " ").split())
