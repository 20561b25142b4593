"""Lists may be late, lack referrals, and repeat them on the next page."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.unit.emulators.partner_center.referral_client import ReferralClient, replace_operation


def _values(client: ReferralClient, query: str = "") -> list[Any]:
    return [record["details"]["dealValue"] for record in client.list(query).json()["value"]]


def _change(client: ReferralClient, value: int) -> None:
    """Change the last referral."""
    newest = client.list("$orderby=createdDateTime desc").json()["value"][0]
    operation = replace_operation("/details/dealValue", value)
    assert client.patch(newest["id"], operation).status == 204


def test_a_stale_list_shows_a_changed_referral_as_it_was(client: ReferralClient) -> None:
    client.emulator.populate(2)
    before = _values(client)
    client.emulator.switches.list_stale = 60.0
    client.emulator.clock.freeze()
    _change(client, 1)
    client.emulator.clock.advance(40)
    _change(client, 2)
    assert _values(client) == before
    client.emulator.clock.advance(21)
    assert _values(client)[-1] == 1
    client.emulator.clock.advance(40)
    assert _values(client)[-1] == 2
    assert "stale" in {tag for entry in client.emulator.journal for tag in entry.tags}


def test_a_gap_leaves_a_changed_referral_out_of_lists_by_change_only(client: ReferralClient) -> None:
    client.emulator.populate(2)
    client.emulator.switches.list_gap = 60.0
    client.emulator.clock.freeze()
    assert len(_values(client)) == 2
    _change(client, 1)
    by_change, by_creation = "$orderby=updatedDateTime desc", "$orderby=createdDateTime desc"
    assert (len(_values(client, by_change)), len(_values(client, by_creation))) == (1, 2)
    client.emulator.clock.advance(61)
    assert len(_values(client, by_change)) == 2


def test_a_gap_may_leave_out_some_referrals_only(client: ReferralClient) -> None:
    client.emulator.populate(2)
    client.emulator.switches.list_gap = 60.0
    client.emulator.clock.freeze()
    _change(client, 1)
    changed = min(client.emulator.referrals(), key=lambda one: str(one["details"]["dealValue"]))["id"]
    client.emulator.switches.list_gap_of = "0123456789abcdef".replace(changed[0], "")
    assert len(_values(client, "$orderby=updatedDateTime desc")) == 2
    client.emulator.switches.list_gap_of = changed[0]
    assert len(_values(client, "$orderby=updatedDateTime desc")) == 1


def test_a_page_repeats_the_last_referral_of_the_one_before(client: ReferralClient) -> None:
    client.emulator.populate(3)
    client.emulator.switches.page_size, client.emulator.switches.list_repeats = 2, 1
    first = client.list().json()
    token = parse_qs(urlsplit(first["@odata.nextLink"]).query)["$skiptoken"][0]
    second = client.list(f"$skiptoken={token}").json()
    assert second["value"][0]["id"] == first["value"][-1]["id"]
    assert (len(second["value"]), "@odata.nextLink" in second) == (2, False)
