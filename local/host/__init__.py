"""A local Functions host: it loads the app through Microsoft's own worker library and drives its triggers.

It stands in for Azure Functions Core Tools, which need a download; docs/local-host.md says where it differs.
"""

from local.host.host import Host
from local.host.http import Keys
from local.host.invocations import Failure, InvocationFailed
from local.host.queues import EmbeddedQueues, Queues

__all__ = ["EmbeddedQueues", "Failure", "Host", "InvocationFailed", "Keys", "Queues"]
