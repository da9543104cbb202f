"""What becomes of the planned views of a scene once they are rendered: decided once, and read from then on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from .plan import Decision, PlacesRecord
from .recorded_task import SceneTask
from .rendering_state import RenderState, read_plan
from .writer import WORK, FileRecord, read_record, write_table


@dataclass(frozen=True)
class DecideViews(SceneTask):
    """A task: which of a scene's views the dataset holds, and as what."""

    doing: ClassVar[str] = "deciding the views"
    folder: ClassVar[str] = "decided"

    def work(self, state: RenderState) -> dict[str, Any]:
        """Write the views' rows, and return what the manifest says of their places."""
        decision = state.spec.protocol.decide(state.spec, state.root, self.scene)
        decision = decision or Decision(read_plan(state.root, self.scene))
        written = write_table(state.root, self._table, decision.table)
        places = None if decision.places is None else decision.places.model_dump(mode="json")
        return {"places": places, "file": asdict(written)}

    def done(self, root: Path) -> bool:
        """Return whether the rows are there and whole."""
        content = read_record(root, self.record)
        return content is not None and FileRecord(**content["file"]).holds(root)

    def views(self, root: Path) -> pd.DataFrame:
        """Return the rows of the scene's views; the index holds those of the plan."""
        return pd.read_parquet(root / WORK / self._table)

    def dropped(self, root: Path) -> pd.Series:
        """Return the ids of the planned views that the dataset does not hold."""
        return read_plan(root, self.scene)["view"].drop(self.views(root).index)

    def places(self, root: Path) -> PlacesRecord | None:
        """Return what the manifest says of the scene's places, None where it has none."""
        content = self.result(root)["places"]
        return None if content is None else PlacesRecord.model_validate(content)

    @property
    def _table(self) -> str:
        return f"{self.folder}/{self.scene}.parquet"
