"""The connector: domain, mapping, clients, store, sync, and the app that connects them.

Where each package stands, and what it may import, is in docs/architecture.md#the-floors.
"""

import os

__version__ = "0.9.0"

# Before its first model, pydantic searches the metadata of every installed package for plugins. That costs time at each
# cold start, and it would let an unrelated package change how settings are read. The product has no such plugin.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
