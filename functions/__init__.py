"""The triggers: one module each. They decode the input, call `shared` and encode the output. They hold no rules."""
