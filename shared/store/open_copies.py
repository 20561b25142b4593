"""Open the place where copies of the store are kept: a container, or a folder beside a store that is one file."""

import re
from pathlib import Path

from shared.settings.guards import GuardSettings
from shared.settings.variables import StoreSettings, VaultSettings
from shared.store.azure_sign_in import storage_credential
from shared.store.copies import Copies, FolderCopies

CONTAINER = "copies"
"""The container in the account of the table, unless `BACKUP_CONTAINER` names another one."""
AZURITE = (
    "AccountName=devstoreaccount1;BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;AccountKey="
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
"""What `UseDevelopmentStorage=true` stands for. Microsoft publishes this key; it is no secret."""


def open_copies(guards: GuardSettings, store: StoreSettings, vault: VaultSettings) -> Copies:
    """Open the place for copies. Raises ConfigurationError, StoreUnavailable."""
    if guards.backup_container is None and store.file is not None:
        return FolderCopies(Path(f"{store.file}.{CONTAINER}"))
    from shared.store import copy_container as blobs  # noqa: PLC0415 - late: costs a cold start

    bundle = str(vault.ca_bundle) if vault.ca_bundle else None
    if guards.backup_container is None and store.connection_string is not None:
        parts = _parts(store.connection_string)
        account = parts["accountname"]
        blob = parts.get("blobendpoint") or f"https://{account}.blob.{parts.get('endpointsuffix', 'core.windows.net')}"
        signer = blobs.signer_of_key(account, parts["accountkey"])
        copies = blobs.ContainerCopies(f"{blob.rstrip('/')}/{CONTAINER}", signer, ca_bundle=bundle)
        copies.create()
        return copies
    own = re.sub(r"\.table\.", ".blob.", store.tables_url or "", count=1)
    by_cli = vault.azure_credential == "cli"
    credential = storage_credential(
        client_id=vault.azure_client_id, by_cli=by_cli, seconds=blobs.CALL_SECONDS, ca_bundle=bundle
    )
    signer = blobs.signer_of_identity(credential)
    return blobs.ContainerCopies(guards.backup_container or f"{own}/{CONTAINER}", signer, ca_bundle=bundle)


def _parts(connection_string: str) -> dict[str, str]:
    """The parts of a connection string, by their names in small letters. A key may end with `=`."""
    if connection_string.strip(" ;").lower() == "usedevelopmentstorage=true":
        connection_string = AZURITE
    parts = (part.partition("=") for part in connection_string.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in parts}
