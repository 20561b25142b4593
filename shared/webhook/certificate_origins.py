"""Where certificates may come from: exact origins out of a setting, one strict pattern for the path.

A URL is parsed once, by the pattern below, into a `Target`; the same `Target` is compared with the setting and fetched,
so that no second parser can see another host in it (examples-to-follow.md B3, controls 3 and 4).
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from shared.foundation.errors import ConfigurationError
from shared.webhook.refusals import Reason, Unverified

MAX_URL = 300
_DEFAULT_PORTS = {"https": 443, "http": 80}
_MAX_PORT = 65_535

# The path: printable ASCII but the three characters # ? \ that would end it, or be taken for a slash.
_URL = re.compile(
    r"(https?)://([A-Za-z0-9.-]{1,253})(?::([1-9][0-9]{0,4}))?(/(?:(?![?#\\])[!-~])*)?",
    re.ASCII | re.IGNORECASE,
)
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_LAST_LABEL = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?", re.ASCII)

LEAF_PATH = re.compile(r"/cert/[A-Za-z0-9][A-Za-z0-9._-]{0,127}\.cer", re.ASCII)
# Real addresses of issuers hold spaces: .../Microsoft%20Azure%20RSA%20TLS%20Issuing%20CA%2003%20-%20xsign.crt
_ISSUER_SEGMENT = r"[A-Za-z0-9](?:[A-Za-z0-9._-]|%20){0,127}"
ISSUER_PATH = re.compile(rf"/(?:{_ISSUER_SEGMENT}/){{0,4}}{_ISSUER_SEGMENT}\.(?:cer|crt)", re.ASCII)


class Origin(Struct, frozen=True):
    """Scheme, lower-case host and port; `port` None means that the URL must not name one."""

    scheme: str
    host: str
    port: int | None = None

    @property
    def address(self) -> ipaddress.IPv4Address | None:
        """The address, if the host is one."""
        try:
            return ipaddress.IPv4Address(self.host)
        except ValueError:
            return None

    @property
    def is_localhost(self) -> bool:
        """Whether the host names this machine (RFC 6761 section 6.3)."""
        return self.host == "localhost" or self.host.endswith(".localhost")

    @property
    def connects_to(self) -> int:
        """The TCP port."""
        return self.port or _DEFAULT_PORTS[self.scheme]

    @property
    def authority(self) -> str:
        """What the Host header carries."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


class Target(Struct, frozen=True):
    """One allowed URL, parsed. Only an `AllowList` makes them."""

    origin: Origin
    path: str

    def __str__(self) -> str:
        return f"{self.origin}{self.path}"


class AllowList(Struct, frozen=True):
    """Exact origins and the pattern of their paths."""

    origins: tuple[Origin, ...]
    path: re.Pattern[str]

    def target(self, url: str) -> Target:
        """The parsed URL, if it is allowed. Raises Unverified."""
        found = _URL.fullmatch(url) if len(url) <= MAX_URL and url.isascii() else None
        if found is None:
            raise Unverified(Reason.URL_MALFORMED)
        origin = _origin(found)
        if origin not in self.origins:
            raise Unverified(Reason.ORIGIN_NOT_ALLOWED)
        path = found[4] or "/"
        if not self.path.fullmatch(path):
            raise Unverified(Reason.PATH_NOT_ALLOWED)
        return Target(origin, path)


def read_origins(texts: Iterable[str], *, setting: str, schemes: Sequence[str], in_azure: bool) -> tuple[Origin, ...]:
    """The origins a setting spells out.

    Raises ConfigurationError for a wildcard, a path, userinfo, a host that is none; in Azure for a port or an address.
    """
    return tuple(_read_origin(text, setting, schemes, in_azure=in_azure) for text in texts)


def _read_origin(text: str, setting: str, schemes: Sequence[str], *, in_azure: bool) -> Origin:
    found = _URL.fullmatch(text)
    if "*" in text:
        raise ConfigurationError(f"{setting}: {_shown(text)} holds a wildcard; name each host. {_EXAMPLE}")
    if found is None or found[4] or found[1].lower() not in schemes:
        raise ConfigurationError(f"{setting}: {_shown(text)} is not an origin ({' or '.join(schemes)}). {_EXAMPLE}")
    origin = _origin(found)
    if not (origin.address or is_host_name(origin.host)) or origin.connects_to > _MAX_PORT:
        raise ConfigurationError(f"{setting}: {_shown(text)} names no proper host or port. {_EXAMPLE}")
    if in_azure and (origin.port is not None or origin.is_localhost or origin.address is not None):
        raise ConfigurationError(
            f"{setting}: {_shown(text)}: in Azure neither a port nor an address is allowed. {_EXAMPLE}"
        )
    return origin


_EXAMPLE = "Example: https://3psostorageacct.blob.core.windows.net"


def _shown(text: str) -> str:
    return repr(text[:100])


def _origin(found: re.Match[str]) -> Origin:
    return Origin(found[1].lower(), found[2].lower(), int(found[3]) if found[3] else None)


def is_host_name(host: str) -> bool:
    """A lower-case DNS name whose last label begins with a letter: never 127.1, 0x7f.1 or 2130706433."""
    return bool(_HOST_NAME.fullmatch(host) and _LAST_LABEL.fullmatch(host.rpartition(".")[2]))
