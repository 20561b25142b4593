"""What is measured: the rows with their targets, the arithmetic of samples, and the size of a run."""
