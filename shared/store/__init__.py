"""The store: links, pointers, the retry queue, the states of both sides, and cursors."""
