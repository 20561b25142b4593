"""What the local host takes from `host.json` (reference/azure.md 6.6 and 6.10), with the platform's defaults."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from local.host.schedules import time_span
from shared.foundation.errors import ConfigurationError

_MAX_BATCH = 32  # what storage hands out in one call
_EXAMPLE = '{"version": "2.0", "extensions": {"queues": {"maxPollingInterval": "00:00:01"}}}'


@dataclass(frozen=True, slots=True)
class HostSettings:
    """Times are seconds. `concurrency` runs of one queue function go on at once."""

    route_prefix: str = "api"
    function_timeout: float = 1800.0
    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout: float = 0.0
    max_polling_interval: float = 60.0
    message_encoding: str = "base64"

    @property
    def concurrency(self) -> int:
        """The most messages of one queue that are in work at once."""
        return self.batch_size + self.new_batch_threshold

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read `host.json`. Raises ConfigurationError, which names the key."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigurationError(f"there is no {path.name} in the app folder; an example: {_EXAMPLE}") from error
        except ValueError as error:
            raise ConfigurationError(f"{path.name} is no JSON ({error}); an example: {_EXAMPLE}") from error
        try:
            return cls._of(content)
        except (ValueError, TypeError, AttributeError) as error:
            raise ConfigurationError(f"{path.name}: {error}; an example: {_EXAMPLE}") from error

    @classmethod
    def _of(cls, content: Mapping[str, Any]) -> Self:
        if content.get("version") != "2.0":
            raise ValueError('"version" must be "2.0"')
        extensions = content.get("extensions", {})
        queues, default = extensions.get("queues", {}), cls()
        batch = _count(queues, "batchSize", default.batch_size, 1, _MAX_BATCH)
        return cls(
            route_prefix=str(extensions.get("http", {}).get("routePrefix", "api")).strip("/"),
            function_timeout=_seconds(content, "functionTimeout", default.function_timeout),
            batch_size=batch,
            new_batch_threshold=_count(queues, "newBatchThreshold", batch // 2, 0, 1000),
            max_dequeue_count=_count(queues, "maxDequeueCount", default.max_dequeue_count, 1, 1000),
            visibility_timeout=_seconds(queues, "visibilityTimeout", default.visibility_timeout),
            max_polling_interval=_seconds(queues, "maxPollingInterval", default.max_polling_interval),
            message_encoding=_encoding(queues),
        )


def _seconds(section: Mapping[str, Any], name: str, default: float) -> float:
    if name not in section:
        return default
    try:
        return time_span(str(section[name])).total_seconds()
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _count(section: Mapping[str, Any], name: str, default: int, low: int, high: int) -> int:
    value = section.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number from {low} to {high}")
    return value


def _encoding(section: Mapping[str, Any]) -> str:
    value = str(section.get("messageEncoding", "base64")).lower()
    if value not in {"base64", "none"}:
        raise ValueError("messageEncoding must be base64 or none")
    return value
