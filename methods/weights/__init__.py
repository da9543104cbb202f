"""What comes learned with the package, each with the command that made it; see README.md here."""

from pathlib import Path

#: The folder of this package.
PACKAGED = Path(__file__).resolve().parent
