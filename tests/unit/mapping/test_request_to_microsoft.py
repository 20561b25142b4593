"""The body of a request for help, and the solutions that the mapping file knows as not co-sell ready."""

from pathlib import Path

import pytest

from shared.domain.sharing import Sharing
from shared.mapping.new_referral import ReferralConstants
from shared.mapping.request_to_microsoft import request_body
from shared.mapping.translation import Translation

OWN = {
    "externalReferenceId": "006A",
    "mpnId": "1234567",
    "name": "ERP renewal",
    "type": "Independent",
    "target": [{"type": "SolutionProfile", "id": "SOL-1"}],
}


@pytest.mark.parametrize(
    ("notes", "said"), [("A demo, please.", {"notes": "A demo, please."}), ("", {})], ids=["notes", "no notes"]
)
def test_a_request_is_our_referral_addressed_to_microsoft(notes: str, said: dict[str, str]) -> None:
    sharing = Sharing(visible=True, help="Proof Of Concept or Demo", notes=notes)
    assert request_body(OWN, sharing, "e-1", "org-1") == {
        "mpnId": "1234567",
        "name": "ERP renewal",
        "engagementId": "e-1",
        "type": "Shared",
        "target": [{"type": "BusinessProfileLocation", "id": "msft"}],
        "inviteContext": {
            "assistanceRequestCode": "ProofOfConceptOrDemo",
            "invitedBy": {"organizationId": "org-1"},
            **said,
        },
    }


@pytest.mark.parametrize(
    ("ready", "known"), [("false", frozenset({"sol-15974-mqf"})), ("true", frozenset()), (None, frozenset())]
)
def test_the_catalogue_knows_which_solutions_are_not_co_sell_ready(
    tmp_path: Path, ready: str | None, known: frozenset[str]
) -> None:
    path = tmp_path / "acme.toml"
    entry = f"co_sell_ready = {ready}" if ready else 'name = "Contoso Ledger"'
    path.write_text(f'extends = "default"\n[fields.solutions.catalog.SOL-15974-MQF]\n{entry}\n', "utf-8")
    assert Translation(ReferralConstants("1234567"), path).rules.not_co_sell_ready == known
