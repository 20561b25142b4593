"""The connector itself: domain, mapping, clients, store, sync, and the app that wires them."""
