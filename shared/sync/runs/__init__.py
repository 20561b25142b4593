"""The runs: push, pull, sweep and preview. None imports another."""
