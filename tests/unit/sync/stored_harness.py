"""A harness that starts with the rows that commit f9a8dde stored, and with both systems as that commit left them."""

from collections.abc import Mapping, Sequence
from typing import Any

from emulators.partner_center.referral_store import StoredReferral
from tests.unit.store.stored_store import read_json, scene
from tests.unit.sync.harness import Harness

Json = Mapping[str, Any]
SYSTEMS = "f9a8dde_systems.json"


class StoredHarness(Harness):
    """A harness at the time of a stored scene, without the faults and record locks of that time."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.scene = scene(name)
        self.advance_time((self.scene.moment - self.now()).total_seconds())
        systems = read_json(SYSTEMS)[name]
        self._restore_salesforce(systems["salesforce"], systems["ids"])
        self._restore_partner_center(systems["first_referral"], systems["partner_center"])
        self._restore_store()

    def _restore_salesforce(self, stored: Mapping[str, Sequence[Json]], ids: int) -> None:
        org = self.salesforce.org
        for _ in range(ids):
            org.ids.next_id("001")  # otherwise new records would get the ids of stored ones
        for sobject, records in stored.items():
            empty = {field.name: None for field in org.model.get(sobject).fields.values() if field.formula is None}
            for record in records:
                org.put(sobject, record["Id"], {**empty, **record})
        for record in self.salesforce.records("Opportunity"):  # the user of the app has another id now
            if org.existing_record("User", record["OwnerId"])["LastName"] == "Integration":
                org.put("Opportunity", record["Id"], {**record, "OwnerId": self.first.ctx.salesforce.user_id()})
        org.clear_undo_log()

    def _restore_partner_center(self, first: Json, stored: Sequence[Json]) -> None:
        self.partner_center.chance.seed("continued")  # otherwise new referrals would get the ids of stored ones
        for item in stored:
            record = _deep_merged(first, item["record"])  # the file holds only what differs from the first referral
            referral = StoredReferral(record, item["created"], item["updated"], item["listed"])
            self.partner_center.service.store.put(referral)

    def _restore_store(self) -> None:
        connection = self.rows._connection
        connection.executescript("DROP TABLE rows; DROP TABLE store;")
        connection.execute("BEGIN")
        self.scene.write_to(connection)

    # --- pairs by name

    def pair_opportunity_id(self, name: str) -> str:
        """The opportunity's id of a named pair. Raises ValueError if the pair has no opportunity, or several."""
        pair = self.scene.pairs[name]
        if pair["opportunity"]:
            return str(pair["opportunity"])
        records = self.salesforce.records("Opportunity")
        (opportunity_id,) = [record["Id"] for record in records if record["Referral_Identifier__c"] == pair["referral"]]
        return str(opportunity_id)

    def pair_referral(self, name: str) -> dict[str, Any]:
        """The referral of a named pair. Fails if the pair has no referral, or several."""
        pair = self.scene.pairs[name]
        if pair["referral"]:
            return dict(self.partner_center.referral(pair["referral"]))
        return self.referral_of(pair["opportunity"])


def _deep_merged(base: Json, changes: Json) -> dict[str, Any]:
    merged = {
        name: _deep_merged(base[name], value) if isinstance(value, dict) and isinstance(base[name], dict) else value
        for name, value in changes.items()
    }
    return {**base, **merged}
