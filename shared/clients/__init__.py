"""One package per outside system; everything above them is free of HTTP."""
