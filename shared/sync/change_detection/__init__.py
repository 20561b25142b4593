"""Finding what may have changed on either side. Both sides give ids only."""
