"""Reads `host.json`, with the platform's defaults.

Sources: docs/reference/azure.md#hostjson and docs/reference/azure.md#queues.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from shared.foundation.errors import ConfigurationError

_TIME_SPAN = re.compile(r"(?:(?P<days>\d+)\.)?(?P<hours>\d{1,2}):(?P<minutes>\d{1,2}):(?P<seconds>\d{1,2})")
_MAX_BATCH = 32  # the storage service hands out at most this many messages in one call
_EXAMPLE = '{"version": "2.0", "extensions": {"queues": {"maxPollingInterval": "00:00:01"}}}'


@dataclass(frozen=True, slots=True)
class HostSettings:
    """The settings that the local host uses. All times are seconds."""

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
        """The number of messages of one queue that may be processed at the same time."""
        return self.batch_size + self.new_batch_threshold

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file at `path`. Raises ConfigurationError; its message names the wrong key."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigurationError(f"{path.name} is missing in the app folder; an example: {_EXAMPLE}") from error
        except ValueError as error:
            raise ConfigurationError(f"{path.name} is not JSON ({error}); an example: {_EXAMPLE}") from error
        try:
            return cls._from_document(document)
        except (ValueError, TypeError, AttributeError) as error:
            raise ConfigurationError(f"{path.name}: {error}; an example: {_EXAMPLE}") from error

    @classmethod
    def _from_document(cls, document: Mapping[str, Any]) -> Self:
        if document.get("version") != "2.0":
            raise ValueError('"version" must be "2.0"')
        extensions = document.get("extensions", {})
        queues, default = extensions.get("queues", {}), cls()
        batch = _read_count(queues, "batchSize", default.batch_size, 1, _MAX_BATCH)
        return cls(
            route_prefix=str(extensions.get("http", {}).get("routePrefix", "api")).strip("/"),
            function_timeout=_read_seconds(document, "functionTimeout", default.function_timeout),
            batch_size=batch,
            new_batch_threshold=_read_count(queues, "newBatchThreshold", batch // 2, 0, 1000),
            max_dequeue_count=_read_count(queues, "maxDequeueCount", default.max_dequeue_count, 1, 1000),
            visibility_timeout=_read_seconds(queues, "visibilityTimeout", default.visibility_timeout),
            max_polling_interval=_read_seconds(queues, "maxPollingInterval", default.max_polling_interval),
            message_encoding=_read_encoding(queues),
        )


def _read_seconds(section: Mapping[str, Any], name: str, default: float) -> float:
    if name not in section:
        return default
    try:
        return parse_time_span(str(section[name])).total_seconds()
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def parse_time_span(text: str) -> timedelta:
    """Parse a time span of .NET: `[d.]hh:mm:ss`. Raises ValueError."""
    match = _TIME_SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a time span such as 00:05:00")
    return timedelta(**{unit: int(number or 0) for unit, number in match.groupdict().items()})


def _read_count(section: Mapping[str, Any], name: str, default: int, low: int, high: int) -> int:
    value = section.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number from {low} to {high}")
    return value


def _read_encoding(section: Mapping[str, Any]) -> str:
    value = str(section.get("messageEncoding", "base64")).lower()
    if value not in {"base64", "none"}:
        raise ValueError("messageEncoding must be base64 or none")
    return value
