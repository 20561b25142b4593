"""Timer, every minute: push changed opportunities, then work on the retry queue of both sides."""

import azure.functions as func

bp = func.Blueprint()


@bp.function_name("push_opportunities")
@bp.timer_trigger(arg_name="timer", schedule="%PUSH_SCHEDULE%", run_on_startup=False, use_monitor=True)
def push_opportunities(timer: func.TimerRequest) -> None:
    """Run a push. It starts from a stored cursor, so a timer call that is missed loses nothing.

    With `SYNC=preview`, log what push and sweep would do.
    """
    from shared.app import app  # noqa: PLC0415 - imported late: webhook admission does not need it
    from shared.sync.runs import run_push  # noqa: PLC0415 - as above

    connector = app()
    run_push(connector.context)
    if connector.settings.sync.sync == "preview":
        from shared.operations.log_preview import log_preview  # noqa: PLC0415 - imported late: seldom needed

        log_preview(connector)
