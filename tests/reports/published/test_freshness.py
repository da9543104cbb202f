"""`relocbench doctor --docs` names what would be computed otherwise by now, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from relocbench.bench.cell import decided_by_code
from relocbench.methods.registry import make_method
from relocbench.reports.published.freshness import stale
from relocbench.reports.published.from_run import (
    HASH,
    code_digest,
    code_modules,
    read_files,
    scoring_modules,
)
from relocbench.reports.published.pages import RESULTS, Shelf, file_digest
from relocbench.reports.published.summaries import (
    Made,
    MethodRecord,
    RunSummary,
    TableSummary,
    read_summary,
    write_summary,
)

METHODS = {"netvlad": {}, "sift-5pt": {"ratio": 0.7}}


@pytest.fixture(scope="module")
def current(summary: RunSummary) -> RunSummary:
    """A summary of two methods as the code that is here would write it."""
    made = {name: decided_by_code(make_method(name, config)) for name, config in METHODS.items()}
    methods = {
        name: MethodRecord(
            method=name,
            role="",
            made=(Made(config=decides["config"], code=code_digest(decides), files=read_files(decides)),),
        )
        for name, decides in made.items()
    }
    modules = {module: sha for decides in made.values() for module, sha in code_modules(decides).items()}
    scored = summary.scored.model_copy(update={"modules": scoring_modules(summary.asked)})
    return summary.model_copy(update={"methods": methods, "modules": modules, "libraries": {}, "scored": scored})


def reasons(checkout: Path, summary: RunSummary | TableSummary) -> list[str]:
    write_summary(checkout / RESULTS / "made-up.json", summary)
    return stale(Shelf(checkout), "made-up")


def with_method(summary: RunSummary, name: str, *, method: str = "", **changed: object) -> RunSummary:
    record = summary.methods[name]
    made = record.made[0].model_copy(update=changed)
    record = record.model_copy(update={"made": (made,), "method": method or record.method})
    return summary.model_copy(update={"methods": {**summary.methods, name: record}})


def test_what_this_code_made_is_not_listed(checkout: Path, current: RunSummary) -> None:
    assert reasons(checkout, current) == []


def test_a_module_is_named_with_the_methods_that_it_decides(checkout: Path, current: RunSummary) -> None:
    module = next(name for name in current.modules if name.startswith("methods.sift."))
    older = current.model_copy(update={"modules": {**current.modules, module: "0" * HASH}})
    older = with_method(older, "sift-5pt", code="0" * HASH)
    assert reasons(checkout, older) == [f"sift-5pt: changed since: {module}"]
    both = with_method(older, "netvlad", code="0" * HASH)
    both = both.model_copy(update={"modules": {**current.modules, "bench.worker": "0" * HASH}})
    assert reasons(checkout, both) == ["all methods: changed since: bench.worker"]


def test_a_checkpoint_a_missing_method_and_a_library_are_named(checkout: Path, current: RunSummary) -> None:
    assert "netvlad.safetensors" in current.methods["netvlad"].made[0].files
    other = with_method(current, "netvlad", files={"netvlad.safetensors": "0" * HASH})
    assert reasons(checkout, other) == ["netvlad: other files: netvlad.safetensors"]
    renamed = with_method(current, "sift-5pt", method="absent")
    assert reasons(checkout, renamed)[0].startswith("sift-5pt: cannot be made any more: ")
    libraries = current.model_copy(update={"libraries": {"numpy": "0.1"}})
    (reason,) = reasons(checkout, libraries)
    assert reason.startswith("other libraries here: numpy 0.1 → ")


def test_another_number_of_trainings_is_named(checkout: Path, current: RunSummary) -> None:
    record = current.methods["netvlad"]
    twice = record.model_copy(update={"made": record.made * 2})
    of_track = current.model_copy(update={"methods": {"netvlad": twice}, "track": "cross-view-v1"})
    assert "all methods: 1 in place of 2 trainings" in reasons(checkout, of_track)


def test_settings_are_those_that_the_track_has_by_now(checkout: Path, current: RunSummary) -> None:
    of_track = current.model_copy(update={"track": "sparse-reference-v1"})
    found = reasons(checkout, of_track)
    assert "sift-5pt: other settings: ratio" in found
    (absent,) = [reason for reason in found if reason.startswith("the track also has")]
    assert "sift-pnp" in absent
    assert "sift-5pt," not in absent


def test_scores_of_older_code_ask_to_be_scored_again(checkout: Path, current: RunSummary) -> None:
    modules = {**current.scored.modules, "bench.scoring": "0" * HASH}
    older = current.model_copy(update={"scored": current.scored.model_copy(update={"modules": modules})})
    (reason,) = reasons(checkout, older)
    assert "scored by older code: bench.scoring;" in reason


def test_tables_whose_records_are_gone_or_changed_are_listed(checkout: Path) -> None:
    kept = read_summary(checkout / RESULTS / "kept.json")
    assert isinstance(kept, TableSummary)
    (reason,) = reasons(checkout, kept)
    assert "its records are not kept" in reason
    record = checkout / "README.md"
    there = kept.model_copy(update={"records": {"README.md": file_digest(record)[:HASH]}})
    assert reasons(checkout, there) == []
    record.write_text("# Other\n")
    assert reasons(checkout, there) == ["other records: README.md"]
