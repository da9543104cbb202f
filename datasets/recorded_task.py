"""`RecordedTask`: a unit of a generation's work that is done exactly when its record lies on disk."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ..errors import RunError
from .rendering_state import RenderState
from .writer import read_record, write_record


class RecordedTask(ABC):
    """Work that is not done again where its record exists; so a generation that was killed resumes."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What an error message calls it."""

    @property
    @abstractmethod
    def affinity(self) -> str:
        """What a worker keeps for it between tasks."""

    @property
    @abstractmethod
    def record(self) -> str:
        """Where its record lies, relative to the working area."""

    @abstractmethod
    def work(self, state: RenderState) -> Any:
        """Do the work and return the JSON-able content of its record."""

    def perform(self, state: RenderState) -> None:
        """Do the work and write its record, unless that is done."""
        if not self.done(state.root):
            write_record(state.root, self.record, self.work(state))

    def done(self, root: Path) -> bool:
        """Return whether the work is done; that the record exists is enough, by default."""
        return read_record(root, self.record) is not None

    def result(self, root: Path) -> Any:
        """Return the content of the record; raises `RunError` where there is none."""
        content = read_record(root, self.record)
        if content is None:
            raise RunError(f"{self.name}: its record disappeared during the generation; run the same command again")
        return content


@dataclass(frozen=True)
class SceneTask(RecordedTask):
    """Work on one scene. Subclasses say what they are ``doing``, and in which ``folder`` their records lie."""

    scene: str

    doing: ClassVar[str]
    folder: ClassVar[str]

    @property
    def name(self) -> str:
        """What an error message calls it."""
        return f"{self.doing} of scene {self.scene}"

    @property
    def affinity(self) -> str:
        """The scene."""
        return self.scene

    @property
    def record(self) -> str:
        """Where its record lies, relative to the working area."""
        return f"{self.folder}/{self.scene}.json"


@dataclass(frozen=True)
class ShardTask(SceneTask):
    """Work on some views of a scene: shard ``number``, the plan's ``rows``."""

    number: int
    rows: tuple[int, ...]

    @property
    def name(self) -> str:
        """What an error message calls it."""
        return f"{self.doing} of shard {self.number} of scene {self.scene}"

    @property
    def record(self) -> str:
        """Where its record lies, relative to the working area."""
        return f"{self.folder}/{self.scene}-{self.number:05d}.json"
