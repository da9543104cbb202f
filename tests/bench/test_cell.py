"""What decides a result decides its key: else a run would take over what another checkpoint answered."""

from pathlib import Path

import pytest
from relocbench.bench.cell import RunSettings, make_cell
from relocbench.bench.provenance import code_version
from relocbench.bench.tracks import MethodEntry
from relocbench.methods.networks.checkpoints import PACKAGED

METHOD = """
from relocbench.methods.method import Failure, Method, MethodConfig


class Config(MethodConfig):
    weights: str = "none"


class Weighted(Method):
    name = "weighted"
    Config = Config

    def build_map(self, references):
        pass

    def localize(self, query):
        return Failure("never")
"""


@pytest.fixture
def settings(tmp_path: Path) -> RunSettings:
    return RunSettings(
        dataset=tmp_path, dataset_sha256="0" * 64, split="test", seed=0, query_timeout=1.0, map_timeout=1.0
    )


def test_a_checkpoint_decides_by_its_content(tmp_path: Path, settings: RunSettings) -> None:
    (tmp_path / "weighted.py").write_text(METHOD)
    weights = tmp_path / "weights.safetensors"

    def key() -> str:
        name = f"{tmp_path / 'weighted.py'}:Weighted"
        return make_cell(MethodEntry(name=name, config={"weights": str(weights)}), settings).key

    missing = key()
    weights.write_bytes(b"one")
    one = key()
    weights.write_bytes(b"other")
    other = key()
    assert len({missing, one, other}) == 3
    weights.write_bytes(b"one")
    assert key() == one


def test_the_checkpoints_of_the_package_belong_to_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    from relocbench.bench import provenance

    sources = provenance._own_sources()
    assert {f"methods/weights/{path.name}" for path in PACKAGED.glob("*.safetensors")} <= sources.keys()
    before = code_version()
    changed = sources | {"methods/weights/depth.safetensors": "0" * 64}
    monkeypatch.setattr(provenance, "_own_sources", lambda: changed)
    assert code_version() != before
