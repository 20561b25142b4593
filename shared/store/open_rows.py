"""Open the store that the settings name. An adapter is imported only if it is used: Azure's is slow to import."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from shared.settings.variables import StoreSettings, VaultSettings

if TYPE_CHECKING:
    from shared.store.sqlite_rows import SqliteRows
    from shared.store.table_storage_rows import TableRows


def open_rows(
    settings: StoreSettings, vault: VaultSettings, compare: Callable[[datetime], object] | None = None
) -> "SqliteRows | TableRows":
    """Open a file or a table, with the identity that also opens Key Vault. Raises StoreUnavailable.

    `compare` gets the time of each reply of Table Storage.
    """
    bundle = str(vault.ca_bundle) if vault.ca_bundle else None
    if settings.file is not None:
        from shared.store.sqlite_rows import SqliteRows  # noqa: PLC0415 - only on one machine

        return SqliteRows(str(settings.file))
    from shared.store import table_storage_rows as tables  # noqa: PLC0415 - late: costs a cold start

    if settings.connection_string is not None:
        return tables.open_tables_from_connection_string(
            settings.connection_string, settings.table, ca_bundle=bundle, compare=compare
        )
    return tables.open_tables(
        settings.tables_url or "",
        settings.table,
        client_id=vault.azure_client_id,
        ca_bundle=bundle,
        by_cli=vault.azure_credential == "cli",
        compare=compare,
    )
