"""Daily timer: renew the refresh token, and report credentials that end soon."""

import azure.functions as func

bp = func.Blueprint()


@bp.function_name("keep_credentials")
@bp.timer_trigger(arg_name="timer", schedule="%CREDENTIALS_SCHEDULE%", run_on_startup=False, use_monitor=True)
def keep_credentials(timer: func.TimerRequest) -> None:
    """Keep the credentials valid in every mode: they end on their date even if nothing is synced."""
    from shared.app import app  # noqa: PLC0415 - imported late: webhook admission does not need it
    from shared.operations.credentials import renew_credentials as keep  # noqa: PLC0415 - as above

    keep(app())
