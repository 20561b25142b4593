"""The triggers: one module each. They decode input, call shared, encode output; no rules live here."""
