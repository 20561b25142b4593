"""End the pause of a side after a sign-in that worked, so that the app does not wait for its next probe."""

from datetime import UTC, datetime

from shared.app import App
from shared.cli.output import Output
from shared.domain.deal import Side
from shared.foundation.errors import StoreError
from shared.sync.retry_queue import end_sign_in_pause

_NAMES = {Side.PARTNER_CENTER: "Partner Center", Side.SALESFORCE: "Salesforce"}


def end_pause(app: App, side: Side, output: Output) -> bool:
    """End the pause and tell it. Returns whether the side was paused. A store that does not answer is told too."""
    name = _NAMES[side]
    try:
        was_paused = end_sign_in_pause(app.store, side, datetime.now(UTC))
    except StoreError as error:
        output.say(f"It is not known whether the app has paused {name} ({type(error).__name__}).")
        output.say("A pause ends by itself within 15 minutes.")
        return False
    if was_paused:
        output.say(f"The app had paused {name} after a failed sign-in. The pause has ended.")
    return was_paused
