"""The checkpoints that come with the package, each with its log and the command that made it; see README.md here."""
