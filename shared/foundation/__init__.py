"""The parts that every other part may use: errors, log events, and values whose text is redacted."""
