"""The real clients' transports without sockets, as the benches of the sync know them."""

from infra.local.within import Badge, EmulatorAdapter, OpenDoor, httpx_client

__all__ = ("Badge", "EmulatorAdapter", "OpenDoor", "httpx_client")
