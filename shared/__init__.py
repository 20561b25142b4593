"""The connector itself: domain, mapping, clients, store, sync, and the app that wires them."""

__version__ = "0.1.0"
