"""The app with all its triggers. Loading it checks the settings and the mapping file."""

import azure.functions as func

from functions.apply_event import bp as apply_event
from functions.apply_poison import bp as apply_poison
from functions.compare_deals import bp as compare_deals
from functions.copy_store import bp as copy_store
from functions.keep_credentials import bp as keep_credentials
from functions.push_opportunities import bp as push_opportunities
from functions.receive_event import bp as receive_event
from functions.report_health import bp as report_health
from functions.start_check import check_start
from functions.sweep_referrals import bp as sweep_referrals


def load_whole_app() -> func.FunctionApp:
    """Return the app. Raises one ConfigurationError that names everything that is wrong in settings and mapping."""
    check_start()
    app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
    for blueprint in (
        receive_event,
        apply_event,
        apply_poison,
        push_opportunities,
        sweep_referrals,
        keep_credentials,
        compare_deals,
        copy_store,
        report_health,
    ):
        app.register_functions(blueprint)
    return app
