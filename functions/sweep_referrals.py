"""Timer, every 15 minutes: what the events missed is pulled."""

import azure.functions as func

bp = func.Blueprint()


@bp.function_name("sweep_referrals")
@bp.timer_trigger(arg_name="timer", schedule="%SWEEP_SCHEDULE%", run_on_startup=False, use_monitor=True)
def sweep_referrals(timer: func.TimerRequest) -> None:
    """Sweep; driven by a stored cursor, so that a missed tick loses nothing."""
    from shared.app import app  # noqa: PLC0415 - late: the event door does not need it
    from shared.sync.timers import run_sweep  # noqa: PLC0415 - as above

    run_sweep(app().context)
