"""Two audiences share one refresh token: no new token is lost, whichever of them redeems."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

from shared.clients.partner_center.sign_in import WEBHOOKS_SCOPE, PartnerCenterSignIn
from shared.foundation.errors import Unavailable
from tests.unit.clients.partner_center.scripted_sign_in import SignInScene, refusal_response


def webhook_sign_in(scene: SignInScene) -> PartnerCenterSignIn:
    return scene.sign_in.for_audience(WEBHOOKS_SCOPE)


def test_each_audience_has_its_own_token_and_redeems_the_newest_refresh_token(scene: SignInScene) -> None:
    webhooks = webhook_sign_in(scene)

    assert [scene.sign_in.token(), webhooks.token(), scene.sign_in.token()] == ["access-1", "access-2", "access-1"]

    assert scene.redeemed_tokens == ["refresh-0", "refresh-1"]
    assert [WEBHOOKS_SCOPE in form["scope"].split() for form in scene.entra.forms] == [False, True]
    assert scene.vault.stored["rt"] == "refresh-2"


def test_one_audience_waits_until_the_other_has_stored_its_refresh_token(scene: SignInScene) -> None:
    webhooks, entered, go_on = webhook_sign_in(scene), Event(), Event()

    def hold() -> None:
        entered.set()
        go_on.wait(60)

    scene.entra.hold = hold
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(scene.sign_in.token)
        assert entered.wait(60)
        second = pool.submit(webhooks.token)
        assert len(scene.entra.forms) == 1
        go_on.set()
        assert [first.result(), second.result()] == ["access-1", "access-2"]

    assert scene.redeemed_tokens == ["refresh-0", "refresh-1"]
    assert scene.vault.stored["rt"] == "refresh-2"


def test_a_token_that_could_not_be_stored_is_redeemed_and_stored_by_the_other_audience(scene: SignInScene) -> None:
    webhooks = webhook_sign_in(scene)
    scene.vault.broken = Unavailable("the vault is down")
    scene.sign_in.token()
    scene.vault.broken = None

    webhooks.token()

    assert scene.redeemed_tokens == ["refresh-0", "refresh-1"]
    assert scene.vault.stored["rt"] == "refresh-2"
    assert [name for name, _ in scene.events] == ["refresh_token_not_stored"]


def test_a_token_that_another_process_renewed_is_found_by_either_audience(scene: SignInScene) -> None:
    webhooks = webhook_sign_in(scene)
    scene.sign_in.token()
    scene.vault.stored["rt"] = "refresh-of-another-process"
    scene.entra.script = [refusal_response(70000)]

    assert webhooks.token() == "access-3"

    assert scene.redeemed_tokens == ["refresh-0", "refresh-1", "refresh-of-another-process"]
