"""Carry REST calls with simple-salesforce. No other module of the product imports this library.

The library receives a token that we obtained ourselves, and only its method `restful` is used:

- its own renewal of a session drops the caller's headers, and calls through `sf.Object` repeat without limit
  (docs/reference/salesforce.md#session-refresh-of-the-library);
- the texts of its errors hold the address and the body, so its errors end in this module
  (docs/reference/salesforce.md#requests-and-errors-of-the-library).

Importing the whole library also imports its Metadata and Bulk parts, which we never call
(docs/reference/salesforce.md#metadata-and-bulk-parts-of-the-library). The Metadata part loads zeep and lxml, which
doubles the import time and costs 14 MB. So empty modules take the place of these parts while the library is imported.

This relies on the library's layout. If a new version of the library has another layout, the test of this module fails
and says what differs.
"""

import sys
import types
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

import requests
from requests.structures import CaseInsensitiveDict
from requests.utils import requote_uri
from urllib3.exceptions import HTTPError

from shared.transport.deadline import Deadline

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

REPLACED_CLASSES: Mapping[str, str] = {
    "metadata": "SfdcMetadataApi",
    "bulk": "SFBulkHandler",
    "bulk2": "SFBulk2Handler",
}
"""The submodules that are left out, each with the one class that the rest of the library imports from it."""

SEND_ERRORS = (OSError, HTTPError, TypeError)
"""The errors that `RestClient.send` raises when no readable answer arrived.

OSError is the base of everything that `requests` raises. TypeError comes from the library, which takes the length of
any JSON value, even of a number.
"""


class RestClient:
    """The library's client for one access token."""

    def __init__(self, *, access_token: str, instance_url: str, session: requests.Session, version: str) -> None:
        """Import the library at the first use, which is slow. `version` is the API version, such as `66.0`."""
        self._library = load_library()(
            session_id=access_token,
            instance_url=instance_url,
            session=_DirectSession(session),  # type: ignore[arg-type]  # the library calls nothing else of it
            version=version,
            parse_float=Decimal,
            object_pairs_hook=dict,
        )

    def send(
        self, path: str, *, method: str, data: bytes | None, headers: Mapping[str, str], deadline: Deadline
    ) -> tuple[requests.Response | None, object]:
        """Send one request below `/services/data/vN/`; return the raw answer and its decoded body, also of a refusal.

        Raises `SEND_ERRORS`, whose texts may hold address and body; NoTimeLeft is one of them.
        """
        from simple_salesforce.exceptions import SalesforceError  # noqa: PLC0415 - only after load_library

        responses: list[requests.Response] = []
        try:
            value: object = self._library.restful(
                path,
                method=method,
                data=data,
                headers={"X-PrettyPrint": None, **headers},
                hooks={"response": lambda response, **_: responses.append(response)},
                timeout=deadline.seconds_to_send(),
                allow_redirects=False,
            )
        except SalesforceError as error:
            value = error.content
        return (responses[-1] if responses else None), value


class _DirectSession:
    """What the library takes for a session: each call goes straight to the adapter of the real one.

    `requests` would look for cookies, redirects, proxies and settings of the environment, of which our sessions have
    none. That takes as much time as the call itself.
    """

    def __init__(self, session: requests.Session) -> None:
        """Send with the adapters and the headers of this session."""
        self._session, self.proxies = session, session.proxies

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str | None],
        data: bytes | None,
        hooks: Mapping[str, Callable[[requests.Response], object]],
        timeout: float,
        **_: object,
    ) -> requests.Response:
        """Send one request, and hand the answer to the hook. A header of the session with the value None is left out.

        Raises what the adapter raises.
        """
        given: dict[str, str | bytes | None] = {**self._session.headers, **headers}
        if data is not None or method != "GET":
            given["Content-Length"] = str(len(data or b""))
        request = requests.PreparedRequest()
        request.method, request.url, request.body = method, requote_uri(url), data
        request.headers = CaseInsensitiveDict({name: str(value) for name, value in given.items() if value is not None})
        response = self._session.get_adapter(url).send(request, timeout=timeout)
        hooks["response"](response)
        return response


def load_library() -> "type[Salesforce]":
    """Return the library's client class, imported without the parts in `REPLACED_CLASSES`."""
    replaced = {f"simple_salesforce.{part}": class_name for part, class_name in REPLACED_CLASSES.items()}
    if sys.modules.keys().isdisjoint({"simple_salesforce", *replaced}):
        for module_name, class_name in replaced.items():
            sys.modules[module_name] = empty_module = types.ModuleType(module_name)
            vars(empty_module)[class_name] = None
        try:
            import simple_salesforce  # noqa: F401, PLC0415 - imported for its entry in sys.modules
        finally:
            # Whoever imports one of these parts later receives the real one.
            for module_name in replaced:
                del sys.modules[module_name]
    from simple_salesforce.api import Salesforce  # noqa: PLC0415 - slow to import, and only after the lines above

    return Salesforce
