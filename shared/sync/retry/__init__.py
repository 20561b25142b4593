"""The retry queue, the backoff, and what each error means for a pair and for its side."""
