"""Track specifications, the runner, stage timing, metrics and the results store."""
