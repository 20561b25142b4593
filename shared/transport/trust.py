"""Which servers a connection trusts: one TLS context for each file of root certificates, shared by all clients.

Loading the public roots takes 20 ms of processor time. So a file is loaded once per process, when the first connection
needs it, and no library of ours loads it again for a client or a connection.
"""

import ssl
import threading
from pathlib import Path

from shared.foundation.errors import ConfigurationError

type _Version = tuple[str, int, int]
"""A file's path, the time of its last change in nanoseconds, and its size in bytes."""

_contexts: dict[_Version, ssl.SSLContext] = {}
_lock = threading.Lock()


def tls_context(ca_bundle: Path | str | None = None) -> ssl.SSLContext:
    """Return the context for clients that trust the roots in this PEM file; None: certifi's.

    It takes nothing from the environment: no other roots, and no file that records the keys of connections. A file that
    was replaced is loaded again. Raises ConfigurationError if the file does not exist or has no readable certificate.
    """
    path = str(ca_bundle or _certifi_bundle())
    with _lock:
        try:
            state = Path(path).stat()
            version = (path, state.st_mtime_ns, state.st_size)
            if version not in _contexts:
                _contexts[version] = _load(path)
        except ssl.SSLError:
            raise ConfigurationError(f"the CA bundle {path} contains no readable certificate in PEM form") from None
        except OSError:
            raise ConfigurationError(f"the CA bundle {path} does not exist or cannot be read") from None
        return _contexts[version]


def _load(path: str) -> ssl.SSLContext:
    # Not create_default_context, because that reads the environment (key log file). The flags are the ones it sets.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    context.load_verify_locations(cafile=path)
    return context


def _certifi_bundle() -> str:
    import certifi  # noqa: PLC0415 - late: where a setting names a bundle, nothing needs it

    return certifi.where()
