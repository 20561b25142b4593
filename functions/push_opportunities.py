"""Timer, every minute: changed, flagged opportunities are pushed; then all that is due, both sides."""

import azure.functions as func

bp = func.Blueprint()


@bp.function_name("push_opportunities")
@bp.timer_trigger(arg_name="timer", schedule="%PUSH_SCHEDULE%", run_on_startup=False, use_monitor=True)
def push_opportunities(timer: func.TimerRequest) -> None:
    """Push; driven by stored marks, so that a missed tick loses nothing."""
    from shared.app import app  # noqa: PLC0415 - late: the event door does not need it
    from shared.sync.timers import run_push  # noqa: PLC0415 - as above

    run_push(app().context)
