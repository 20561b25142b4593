"""All incidents of `incidents.toml` by the names of their functions: when the app begins to run, and what happens."""

from tests.alerts import incidents_of_days, incidents_of_deals, incidents_of_runs
from tests.alerts.incident import STORIES

MODULES = (incidents_of_days, incidents_of_deals, incidents_of_runs)
"""Their import has filled the table."""
INCIDENTS = STORIES
