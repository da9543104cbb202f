"""Parts that run in another process: how they are found, started, spoken to, replaced and ended."""
