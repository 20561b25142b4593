"""Daily upkeep and status: credentials and the health answer."""
