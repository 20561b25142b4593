"""Sign in to Azure Storage: with the identity of the app, or on a person's machine with the login of the Azure CLI.

Azure's libraries are imported at their first use, because that takes long (docs/reference/azure.md#cold-start).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.identity import AzureCliCredential, ManagedIdentityCredential

LOG_IN = "Run `az login`, choose the subscription with `az account set`, and try again."


def storage_credential(
    *, client_id: str | None, by_cli: bool, seconds: float, ca_bundle: str | None
) -> "AzureCliCredential | ManagedIdentityCredential":
    """Return the credential. `client_id` names a user-assigned identity; None means the system-assigned one.

    `seconds` is the total time of one sign-in.
    """
    from azure.identity import AzureCliCredential, ManagedIdentityCredential  # noqa: PLC0415 - see the module docstring

    if by_cli:
        return AzureCliCredential(process_timeout=max(1, int(seconds)))
    return ManagedIdentityCredential(client_id=client_id, **client_options(seconds, ca_bundle))


def client_options(seconds: float, ca_bundle: str | None) -> dict[str, Any]:
    """Return keyword arguments for an Azure client: its transport, the certificates it trusts, and its total time."""
    from azure.core.pipeline.transport import RequestsTransport  # noqa: PLC0415 - see the module's docstring

    from shared.transport.session import open_session  # noqa: PLC0415 - as above

    # Plain http is allowed for the managed-identity endpoint and for Azurite.
    session = open_session(ca_bundle, seconds=seconds, allow_http=True)
    return {"transport": RequestsTransport(session=session), "timeout": seconds}
