"""Parts that need another interpreter: how a worker is found, started, spoken to, replaced and ended."""
