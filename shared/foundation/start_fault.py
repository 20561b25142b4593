"""Describe why the app did not start, without a secret, for the health report and the log.

This module imports Python's own library alone: it must work where nothing else of the app does.
"""

import os
import re
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

REDACTED = "[redacted]"
_CONFIGURATION_ERROR = "ConfigurationError"
_SECRET_NAME = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|CONNECTION|SIGNATURE|STORAGE", re.IGNORECASE)
_SHORTEST_SECRET = 8
_LONG_TOKEN = re.compile(r"(?=[\w+=]*\d)[\w+=]{32,}")
_MAPPING_LINE = re.compile(r"[^:]*\.toml(?=[,:])")
_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*(?=: )")

_LONG_NAME = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b")


@dataclass(frozen=True, slots=True)
class StartFault:
    """Why the app did not start: the kind of the error, one sentence for each fault, and the names of the settings."""

    error: str
    sentences: tuple[str, ...]
    names: tuple[str, ...]

    def __str__(self) -> str:
        """Return all sentences."""
        return "\n".join(self.sentences)


def describe_start_fault(error: Exception, environ: Mapping[str, str] = os.environ) -> StartFault:
    """Return what is wrong. Of an error that is not about the configuration, only its kind and place are shown."""
    kind = type(error).__name__
    if kind != _CONFIGURATION_ERROR:
        return StartFault(kind, (f"the app cannot be loaded: {kind} at {_innermost_place(error)}",), ())
    lines = [part for line in str(error).splitlines() for part in re.split(r"; (?=[A-Z][A-Z0-9_]+: )", line)]
    sentences = tuple(_redact(line, environ) for line in lines)
    return StartFault(kind, sentences, tuple(sorted({name for line in sentences for name in _names_in(line)})))


def _names_in(sentence: str) -> Iterator[str]:
    if _MAPPING_LINE.match(sentence):
        yield "MAPPING"
    elif match := _VARIABLE.match(sentence):
        yield match[0]
    else:
        yield from _LONG_NAME.findall(sentence)


def _redact(text: str, environ: Mapping[str, str]) -> str:
    """Return the text without the values of settings that may be secret, and without anything like a key."""
    secrets = {value for name, value in environ.items() if _SECRET_NAME.search(name) and len(value) >= _SHORTEST_SECRET}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return _LONG_TOKEN.sub(REDACTED, text)


def _innermost_place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).stem}:{frames[-1].lineno}" if frames else "an unknown place"
