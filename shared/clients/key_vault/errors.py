"""Translate errors of Azure's libraries into errors of `shared.foundation.errors`. No secret passes through here.

The service sends two codes: `error.code` and `error.innererror.code` (docs/reference/azure.md#key-vault-errors).
"""

import re
from http import HTTPStatus
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError, ServiceResponseError

from shared.foundation.errors import (
    MAX_REMOTE_TEXT,
    ConfigurationError,
    CosellError,
    NotFound,
    SignInFailed,
    Throttled,
    Unavailable,
)
from shared.transport.proxy import note_unreachable_in

ASSIGN_IDENTITY = "Assign the user-assigned managed identity to the app and set its client id in the app's settings."
GRANT_ROLE = (
    "Give the role Key Vault Secrets Officer on the vault to the app's managed identity (on a person's machine: to the "
    "account that is logged in to the Azure CLI), and allow the caller in the vault's firewall."
)
GET_TOKEN = "Check that the managed identity belongs to the vault's tenant. Restart the app if its token was revoked."  # noqa: S105 - a sentence
INSTALL_CLI = "Install the Azure CLI, run `az login`, and try again."
LOG_IN = "Run `az login` with an account of the tenant that holds the vault, and try again."
DELETED = "ObjectIsDeletedButRecoverable"
_AADSTS = re.compile(r"AADSTS\d+")


def identity_missing_error() -> SignInFailed:
    """The error for a process to which the platform gave no managed identity."""
    return SignInFailed(
        "This process has no managed identity: IDENTITY_ENDPOINT and IDENTITY_HEADER are not set.",
        code="managed_identity_missing",
        remedy=ASSIGN_IDENTITY,
    )


def azure_cli_error(text: str) -> CosellError:
    """The error if the Azure CLI gave no token: it is not installed, cannot connect, or no account is logged in."""
    if "not found on path" in text:
        return SignInFailed(
            "The Azure CLI is not installed on this machine, or is not on the path.",
            code="azure_cli_missing",
            remedy=INSTALL_CLI,
        )
    if note_unreachable_in(text):
        return Unavailable("The Azure CLI gave no token, because it could not connect.")
    match = _AADSTS.search(text)
    reason = f" ({match.group()})" if match else ""
    return SignInFailed(f"The Azure CLI gave no token{reason}.", code="azure_cli_login", remedy=LOG_IN)


def identity_error(status: int | None, text: str) -> CosellError:
    """The error if the managed-identity endpoint gave no token. `status` is None if no answer was read."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled("The managed-identity endpoint throttles this app.")
    if status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR or status < HTTPStatus.BAD_REQUEST:
        answer = "no answer" if status is None else f"status {status} without a token"
        return Unavailable(f"The managed-identity endpoint gave {answer}.")
    match = _AADSTS.search(text)
    code = match.group() if match else f"managed_identity_{status}"
    return SignInFailed(f"The managed-identity endpoint refused a token ({code}).", code=code, remedy=ASSIGN_IDENTITY)


def unreadable_secret_error(name: str) -> Unavailable:
    """The error if an answer is not a secret."""
    return Unavailable(f"Key Vault's answer for secret {name} cannot be read.")


def vault_error(error: Exception, name: str) -> CosellError:
    """The error for a failed call about the secret `name`."""
    if isinstance(error, (ServiceRequestError, ServiceResponseError)):
        return Unavailable(f"Key Vault did not answer ({type(error).__name__}).")
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if status is None or not isinstance(error, HttpResponseError) or status < HTTPStatus.BAD_REQUEST:
        return _error_without_status(error, name)
    return _error_with_status(error, status, name)


def _error_without_status(error: Exception, name: str) -> CosellError:
    if isinstance(error, ValueError) and "challenge" in str(error):
        return SignInFailed("The vault asks for a token of another vault.", code="challenge", remedy=GET_TOKEN)
    if isinstance(error, AzureError):
        return Unavailable(f"Key Vault's answer for secret {name} cannot be read ({type(error).__name__}).")
    return unreadable_secret_error(name)


def _error_with_status(error: HttpResponseError, status: int, name: str) -> CosellError:
    code, inner = _error_codes(error)
    if status == HTTPStatus.NOT_FOUND:
        return NotFound(f"Secret {name} is not in the vault.")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled("Key Vault throttles this app.", after=_retry_after_seconds(error))
    error_for_a_person = _configuration_error(status, code, inner, name) or _access_error(status, inner or code)
    return error_for_a_person or Unavailable(
        f"Key Vault answered {status} ({code}).", after=_retry_after_seconds(error)
    )


def _configuration_error(status: int, code: str, inner: str, name: str) -> ConfigurationError | None:
    match status:
        case HTTPStatus.BAD_REQUEST:
            return ConfigurationError(
                f"{name!r} is not a name for a secret: use only letters, digits and hyphens ({code})."
            )
        case HTTPStatus.FORBIDDEN if inner == "SecretDisabled":
            return ConfigurationError(f"Secret {name} is disabled. Enable its latest version, or add a new one.")
        case HTTPStatus.CONFLICT if inner == DELETED:
            return ConfigurationError(f"Secret {name} is deleted but recoverable. Recover it, or purge it first.")
    return None


def _access_error(status: int, code: str) -> SignInFailed | None:
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return SignInFailed("The vault refuses the app's token.", code=code, remedy=GET_TOKEN)
        case HTTPStatus.FORBIDDEN:
            return SignInFailed(f"The vault denies access ({code}).", code=code, remedy=GRANT_ROLE)
    return None


def _error_codes(error: HttpResponseError) -> tuple[str, str]:
    """`error.code` and `error.innererror.code`. A missing inner code is empty."""
    body: Any = error.error
    inner = getattr(body, "innererror", None)
    code = getattr(body, "code", None) or HTTPStatus(error.status_code or 500).phrase
    inner_code = inner.get("code") if isinstance(inner, dict) else None
    return str(code)[:MAX_REMOTE_TEXT], str(inner_code or "")[:MAX_REMOTE_TEXT]


def _retry_after_seconds(error: HttpResponseError) -> float | None:
    """The wait that the service demands, in seconds. Key Vault sends it as a number only."""
    headers = getattr(error.response, "headers", {})
    text = str(headers.get("Retry-After", ""))
    return float(text) if text.isdecimal() else None
