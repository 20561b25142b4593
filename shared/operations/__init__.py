"""Daily operation: keep the credentials valid, and report health."""
