"""Which hosts are this machine: where emulators answer, and what never leads outside."""

from ipaddress import ip_address


def is_loopback(host: str | None) -> bool:
    """Whether `host`, as it stands in an address, is this machine by its plain name or by a loopback address."""
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"
