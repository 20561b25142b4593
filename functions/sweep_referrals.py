"""Timer, every 15 minutes: pull every referral whose change no event reported."""

import azure.functions as func

bp = func.Blueprint()


@bp.function_name("sweep_referrals")
@bp.timer_trigger(arg_name="timer", schedule="%SWEEP_SCHEDULE%", run_on_startup=False, use_monitor=True)
def sweep_referrals(timer: func.TimerRequest) -> None:
    """Run a sweep. It starts from a stored cursor, so a timer call that is missed loses nothing."""
    from shared.app import app  # noqa: PLC0415 - imported late: webhook admission does not need it
    from shared.sync.runs import run_sweep  # noqa: PLC0415 - as above

    run_sweep(app().context)
