// Memory-mapped checkpoints.
