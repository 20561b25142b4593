"""Timer, daily: the refresh token is redeemed and stored, and what ends soon is told."""

import azure.functions as func

bp = func.Blueprint()


@bp.function_name("keep_credentials")
@bp.timer_trigger(arg_name="timer", schedule="%CREDENTIALS_SCHEDULE%", run_on_startup=False, use_monitor=True)
def keep_credentials(timer: func.TimerRequest) -> None:
    """Keep the credentials; whatever the mode, for they end whether anything is synced or not."""
    from shared.app import app  # noqa: PLC0415 - late: the event door does not need it
    from shared.operations.credentials import keep_credentials as keep  # noqa: PLC0415 - as above

    keep(app())
