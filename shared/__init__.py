"""The connector itself: domain, mapping, clients, store, sync, and the app that wires them."""

import os

__version__ = "0.2.0"

# Before the first model pydantic looks for plugins in the metadata of every installed package: time that each cold
# start would spend for nothing, and a door for packages that nobody asked to change how settings are read.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
