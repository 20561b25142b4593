"""Recognise the hosts that are this machine, where the emulators run."""

from ipaddress import ip_address


def is_loopback(host: str | None) -> bool:
    """Whether `host` is `localhost` or a loopback address."""
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"
