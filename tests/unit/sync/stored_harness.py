"""A harness that continues where commit f9a8dde stopped: its rows, and both systems as it left them."""

from collections.abc import Mapping, Sequence
from typing import Any

from emulators.partner_center.referral_store import StoredReferral
from tests.unit.store.stored_store import read_json, scene
from tests.unit.sync.harness import Harness

Json = Mapping[str, Any]
SYSTEMS = "f9a8dde_systems.json"


class StoredHarness(Harness):
    """A harness at the moment of a stored scene. The faults and locks of that time are gone."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.scene = scene(name)
        self.later((self.scene.moment - self.now()).total_seconds())
        systems = read_json(SYSTEMS)[name]
        self._fill_salesforce(systems["salesforce"], systems["ids"])
        self._fill_partner_center(systems["first_referral"], systems["partner_center"])
        self._fill_store()

    def _fill_salesforce(self, records: Mapping[str, Sequence[Json]], ids: int) -> None:
        org = self.salesforce.org
        for _ in range(ids):
            org.ids.next_id("001")  # or new records would get the ids of stored ones
        for sobject, rows in records.items():
            empty = {field.name: None for field in org.model.get(sobject).fields.values() if field.formula is None}
            for row in rows:
                org.put(sobject, row["Id"], {**empty, **row})
        org.clear_undo_log()

    def _fill_partner_center(self, first: Json, rows: Sequence[Json]) -> None:
        self.partner_center.chance.seed("continued")  # or new referrals would get the ids of stored ones
        for row in rows:
            record = _merged(first, row["record"])  # stored is what differs from the first referral
            referral = StoredReferral(record, row["created"], row["updated"], row["listed"])
            self.partner_center.service.store.put(referral)

    def _fill_store(self) -> None:
        connection = self.rows._connection
        connection.executescript("DROP TABLE rows; DROP TABLE store;")
        connection.execute("BEGIN")
        self.scene.write_to(connection)

    # --- what the tests ask

    def deal(self, name: str) -> str:
        """The opportunity of a named pair. Fails where there are none or several."""
        pair = self.scene.pairs[name]
        if pair["opportunity"]:
            return str(pair["opportunity"])
        rows = self.salesforce.records("Opportunity")
        (found,) = [row["Id"] for row in rows if row["Referral_Identifier__c"] == pair["referral"]]
        return str(found)

    def referral(self, name: str) -> dict[str, Any]:
        """The referral of a named pair. Fails where there are none or several."""
        pair = self.scene.pairs[name]
        if pair["referral"]:
            return dict(self.partner_center.referral(pair["referral"]))
        return self.referral_of(pair["opportunity"])


def _merged(base: Json, over: Json) -> dict[str, Any]:
    both = {
        name: _merged(base[name], value) if isinstance(value, dict) and isinstance(base[name], dict) else value
        for name, value in over.items()
    }
    return {**base, **both}
