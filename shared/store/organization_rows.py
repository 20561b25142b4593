"""Store which Salesforce organisation a store belongs to, and what kind of organisation was found, as rows.

partition    key             row
owner        salesforce      the organisation that this store belongs to
org          organization    the organisation that was asked last: its id, and what its own record says

A row of the second kind that cannot be read is no loss: the organisation is asked again.
"""

from contextlib import suppress

from shared.domain.own_organization import Organization
from shared.foundation.errors import StoreConflict, UnreadableRow
from shared.store.row_codec import pack, unpack
from shared.store.rows import Insert, Put, Rows

OWNER, SALESFORCE, ORG, ORGANIZATION = "owner", "salesforce", "org", "organization"


class OrganizationRows:
    """Part of `shared.store.link_store.LinkStore`: the rows about the organisation."""

    _rows: Rows

    def owner(self, organization_id: str) -> str:
        """Return the Salesforce organisation that this store belongs to: the one of the very first call."""
        try:
            self._rows.write(OWNER, [Insert(SALESFORCE, pack(organization_id))])
        except StoreConflict:
            return self.known_owner() or organization_id
        return organization_id

    def known_owner(self) -> str | None:
        """Return the Salesforce organisation that this store belongs to; None before the first call of `owner`."""
        row = self._rows.get(OWNER, SALESFORCE)
        return str(unpack(row.data)) if row else None

    def organization(self) -> Organization | None:
        """Return the organisation that was asked last; None if there is none that can be read."""
        row = self._rows.get(ORG, ORGANIZATION)
        with suppress(UnreadableRow, ValueError, KeyError, TypeError):
            stored = unpack(row.data) if row else None
            return Organization(**{name: stored[name] for name in Organization.__struct_fields__}) if stored else None
        return None

    def keep_organization(self, organization: Organization) -> None:
        """Write what an organisation says of itself."""
        stored = {name: getattr(organization, name) for name in Organization.__struct_fields__}
        self._rows.write(ORG, [Put(ORGANIZATION, pack(stored))])
