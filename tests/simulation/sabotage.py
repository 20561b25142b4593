"""A way to break the connector on purpose. `sabotages.py` lists all of them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from unittest.mock import patch

from emulators.base.server import Request, Response
from tests.unit.sync.harness import Instance

RequestHandler = Callable[[Request], Response]
Replaced = tuple[ModuleType, str, object]
"""A module, the name of something in it, and what takes its place."""


@dataclass(frozen=True)
class Sabotage:
    """What is broken: something of each instance, of each request to a side, or of the code."""

    instance: Callable[[Instance], None] = lambda _: None
    salesforce: Callable[[RequestHandler], RequestHandler] = lambda handle: handle
    partner_center: Callable[[RequestHandler], RequestHandler] = lambda handle: handle
    code: Sequence[Replaced] = ()

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Replace what is broken in the code, until the block ends."""
        if not self.code:
            yield
            return
        (module, name, replacement), *others = self.code
        with patch.object(module, name, replacement), Sabotage(code=others).in_force():
            yield
