"""Daily timer: write a copy of the store, and delete the copies that are too old."""

import azure.functions as func

bp = func.Blueprint()


@bp.function_name("copy_store")
@bp.timer_trigger(arg_name="timer", schedule="%BACKUP_SCHEDULE%", run_on_startup=False, use_monitor=True)
def copy_store(timer: func.TimerRequest) -> None:
    """Copy the store in every mode: what is stored is worth a copy even if nothing is synced."""
    from shared.app import app  # noqa: PLC0415 - imported late: webhook admission does not need it
    from shared.operations.copy_store import run_daily_copy  # noqa: PLC0415 - as above

    run_daily_copy(app())
