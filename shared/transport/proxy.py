"""Hold the proxy of the command line, and remember which hosts could not be reached.

    use_proxy("http://proxy.example:8080")     # from now on, every https call of this process goes through the proxy
    describe_blocked_connections()             # "" as long as every connection succeeded

Only the command line calls `use_proxy` (`shared/cli/proxy.py`). The app uses no proxy, whatever its environment says.
"""

import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

from shared.foundation.errors import ConfigurationError
from shared.foundation.redacted import Redacted
from shared.transport.loopback import is_loopback

EXAMPLE = "COSELL_PROXY=http://proxy.example:8080"
_HOST_IN_TEXT = re.compile(r"HTTPS?Connection(?:Pool)?\(host='([\w.-]+)'")


class Proxy(Redacted, frozen=True):
    """A proxy that opens tunnels with CONNECT. The address may hold a password, so it is never shown."""

    address: str

    @property
    def origin(self) -> str:
        """The address without user name and password."""
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    @property
    def credentials(self) -> tuple[str, str] | None:
        """The user name and the password, or None if the address has none."""
        parts = urlsplit(self.address)
        return None if parts.username is None else (unquote(parts.username), unquote(parts.password or ""))


_proxy: Proxy | None = None
_unreachable: dict[str, None] = {}  # a set in the order of the failures


def use_proxy(address: str | None) -> None:
    """Send all https calls of this process through a proxy; None: through no proxy. Forgets all failures.

    Clients that are open already do not change. Raises ConfigurationError, which does not show the address.
    """
    global _proxy  # noqa: PLW0603 - a command has one proxy for all its clients
    _unreachable.clear()
    _proxy = None
    if not address:
        return
    try:
        parts = urlsplit(address)
        is_valid = parts.scheme == "http" and bool(parts.hostname) and parts.port != 0 and not parts.path.strip("/")
    except ValueError:
        is_valid = False
    if not is_valid:
        raise ConfigurationError(f"COSELL_PROXY: must be the http address of a proxy (example: {EXAMPLE})")
    _proxy = Proxy(address.rstrip("/"))


def current_proxy() -> Proxy | None:
    """Return the proxy that new clients use, or None."""
    return _proxy


def note_unreachable(host: str) -> None:
    """Remember that no connection to this host could be opened. The emulators' hosts count only behind a proxy."""
    if _proxy is not None or not is_loopback(host):
        _unreachable[host] = None


def note_reached(host: str) -> None:
    """Forget earlier failures of this host."""
    _unreachable.pop(host, None)


@contextmanager
def noting_reachability(host: str | None, is_connection_error: Callable[[Exception], bool]) -> Iterator[None]:
    """Remember whether the block reached the host: it did not if it raises a connection error.

    A certificate that is not trusted is another problem: the host was reached.
    """
    try:
        yield
    except Exception as error:
        if host and is_connection_error(error) and not _is_about_certificate(error):
            note_unreachable(host)
        raise
    note_reached(host or "")


def note_unreachable_in(text: str) -> bool:
    """Remember the host that an error text of Python's HTTP libraries names; return whether it names one."""
    match = _HOST_IN_TEXT.search(text)
    if match:
        note_unreachable(match[1])
    return match is not None


def describe_blocked_connections() -> str:
    """Return a sentence about the hosts that could not be reached, with what to do; an empty text if there are none."""
    if not _unreachable:
        return ""
    hosts = ", ".join(_unreachable)
    if _proxy is not None:
        return (
            f"The proxy {_proxy.origin} (COSELL_PROXY) opened no connection to {hosts}: check the proxy's address and "
            "password, and allow these hosts in it."
        )
    return (
        f"This machine could not connect to {hosts}: allow the connection in the firewall, or name the proxy of this "
        f"network (example: {EXAMPLE})."
    )


def _is_about_certificate(error: BaseException | None) -> bool:
    while error is not None:
        inner = [error, *error.args, getattr(error, "reason", None)]
        if any(isinstance(each, ssl.SSLCertVerificationError) for each in inner):
            return True
        error = error.__cause__ or error.__context__
    return False
