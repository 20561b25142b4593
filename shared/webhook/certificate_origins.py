"""Check from which address a certificate may be fetched: exact origins from a setting, and one pattern for the path.

A URL is parsed once, by the pattern below, into a `Target`. The same `Target` is compared with the setting and then
fetched, so that no second parser can find another host in it
(docs/reference/partner-center.md#webhook-admission-controls, controls 3 and 4).
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

# The path is printable ASCII without the characters # ? \ which would end it or could be read as a slash.
_URL = re.compile(
    r"""((?i:https?))://([A-Za-z0-9.-]{1,253})(?::([1-9][0-9]{0,4}))?(/[!"$->@-\[\]-~]*)?""",
    re.ASCII,
)
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_LAST_LABEL = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?", re.ASCII)

LEAF_PATH = re.compile(r"/cert/[A-Za-z0-9][A-Za-z0-9._-]{0,127}\.cer", re.ASCII)
# Real addresses of issuers contain spaces: .../Microsoft%20Azure%20RSA%20TLS%20Issuing%20CA%2003%20-%20xsign.crt
_ISSUER_SEGMENT = r"[A-Za-z0-9](?:[A-Za-z0-9._-]|%20){0,127}"
ISSUER_PATH = re.compile(rf"/(?:{_ISSUER_SEGMENT}/){{0,4}}{_ISSUER_SEGMENT}\.(?:cer|crt)", re.ASCII)


class Origin(Struct, frozen=True):
    """Scheme, host in lower case, and port. If `port` is None, the URL must not name a port."""

    scheme: str
    host: str
    port: int | None = None

    @property
    def ip_address(self) -> ipaddress.IPv4Address | None:
        """The IP address, if the host is one."""
        try:
            return ipaddress.IPv4Address(self.host)
        except ValueError:
            return None

    @property
    def is_localhost(self) -> bool:
        """Whether the host names this machine (RFC 6761, 6.3)."""
        return self.host == "localhost" or self.host.endswith(".localhost")

    @property
    def tcp_port(self) -> int:
        """The port to connect to."""
        return self.port or _DEFAULT_PORTS[self.scheme]

    @property
    def host_header(self) -> str:
        """The value of the Host header."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host_header}"


class Target(Struct, frozen=True):
    """One allowed URL, parsed. Only `AllowList.parse_url` makes it."""

    origin: Origin
    path: str

    def __str__(self) -> str:
        return f"{self.origin}{self.path}"


class AllowList(Struct, frozen=True):
    """The allowed origins, and the pattern that each path must match."""

    origins: tuple[Origin, ...]
    path: re.Pattern[str]

    def parse_url(self, url: str) -> Target:
        """The parsed URL. Raises Unverified if it is not allowed."""
        match = _URL.fullmatch(url) if len(url) <= MAX_URL and url.isascii() else None
        if match is None:
            raise Unverified(Reason.URL_MALFORMED)
        origin = _origin_in_match(match)
        if origin not in self.origins:
            raise Unverified(Reason.ORIGIN_NOT_ALLOWED)
        path = match[4] or "/"
        if not self.path.fullmatch(path):
            raise Unverified(Reason.PATH_NOT_ALLOWED)
        return Target(origin, path)


def read_origins(texts: Iterable[str], *, setting: str, schemes: Sequence[str], in_azure: bool) -> tuple[Origin, ...]:
    """The origins that a setting lists.

    Raises ConfigurationError for a wildcard, a path, user information or an invalid host. In Azure it also raises for a
    port, an IP address or localhost.
    """
    return tuple(_read_origin(text, setting, schemes, in_azure=in_azure) for text in texts)


def _read_origin(text: str, setting: str, schemes: Sequence[str], *, in_azure: bool) -> Origin:
    match = _URL.fullmatch(text)
    if "*" in text:
        raise ConfigurationError(f"{setting}: {_quote_beginning(text)} contains a wildcard. Name each host. {_EXAMPLE}")
    if match is None or match[4] or match[1].lower() not in schemes:
        raise ConfigurationError(
            f"{setting}: {_quote_beginning(text)} is not an origin ({' or '.join(schemes)}). {_EXAMPLE}"
        )
    origin = _origin_in_match(match)
    if not (origin.ip_address or is_host_name(origin.host)) or origin.tcp_port > _MAX_PORT:
        raise ConfigurationError(f"{setting}: {_quote_beginning(text)} has an invalid host or port. {_EXAMPLE}")
    if in_azure and (origin.port is not None or origin.is_localhost or origin.ip_address is not None):
        raise ConfigurationError(
            f"{setting}: {_quote_beginning(text)} must name a public host without a port, "
            f"because the app runs in Azure. {_EXAMPLE}"
        )
    return origin


_EXAMPLE = "Example: https://3psostorageacct.blob.core.windows.net"


def _quote_beginning(text: str) -> str:
    return repr(text[:100])


def _origin_in_match(match: re.Match[str]) -> Origin:
    return Origin(match[1].lower(), match[2].lower(), int(match[3]) if match[3] else None)


def is_host_name(host: str) -> bool:
    """Whether this is a DNS name in lower case. Its last label begins with a letter, unlike that of 127.1 or 0x7f.1."""
    return bool(_HOST_NAME.fullmatch(host) and _LAST_LABEL.fullmatch(host.rpartition(".")[2]))
