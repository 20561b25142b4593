"""Read PEM texts as people store them.

A portal that keeps one line replaces the line breaks by blanks, or by a backslash and an n.
"""

import re
from collections.abc import Iterator

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_LINE_LENGTH = 64


def with_line_breaks(text: str) -> str:
    """Return a PEM text with the line breaks that its readers need. What is no PEM stays as it is."""
    text = _BLOCK.sub(_wrap_block, text.replace("\\r", "").replace("\\n", "\n"))
    return re.sub(r"(?<=\S)[^\S\n]*(?=-----BEGIN )", "\n", text)


def certificates_of_keys(text: str) -> Iterator[str]:
    """Yield the first certificate of a PEM text, and the first one after each private key. A chain is left out."""
    is_wanted = True
    for match in _BLOCK.finditer(with_line_breaks(text)):
        if match[1].endswith("PRIVATE KEY"):
            is_wanted = True
        elif match[1] == "CERTIFICATE" and is_wanted:
            is_wanted = False
            yield f"{match[0]}\n"


def _wrap_block(match: re.Match[str]) -> str:
    label, body = match[1], "".join(match[2].split())
    if not _BASE64.fullmatch(body):
        return match[0]
    lines = [body[start : start + _LINE_LENGTH] for start in range(0, len(body), _LINE_LENGTH)]
    return "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----"))
