from __future__ import annotations

from time import perf_counter, sleep

import pytest
from relocbench.methods.timing import Recorder, stage


def seconds_per_span(spans: int) -> float:
    start = perf_counter()
    for _ in range(spans):
        with stage("features"):
            pass
    return (perf_counter() - start) / spans


def test_a_span_costs_less_than_five_microseconds() -> None:
    def recorded() -> float:
        with Recorder():
            return seconds_per_span(2000)

    assert min(recorded() for _ in range(7)) < 5e-6
    assert min(seconds_per_span(2000) for _ in range(7)) < 5e-6


def test_spans_nest_and_outer_ones_include_inner_ones() -> None:
    with Recorder() as recorder:
        with stage("retrieval"):
            with stage("features"):
                sleep(0.002)
            with stage("search"):
                pass
        with stage("matching"):
            pass
    assert [(span.name, span.parent) for span in recorder.spans] == [
        ("retrieval", -1),
        ("features", 0),
        ("search", 0),
        ("matching", -1),
    ]
    retrieval, features, search, _ = (span.seconds for span in recorder.spans)
    assert features >= 0.002
    assert retrieval >= features + search


def test_nothing_is_recorded_without_a_recorder() -> None:
    with stage("features"):
        pass
    with Recorder() as recorder:
        pass
    assert recorder.spans == []


def test_a_stage_that_raises_is_closed_and_recorded() -> None:
    with Recorder() as recorder:
        with pytest.raises(ZeroDivisionError), stage("matching"):
            _ = 1 / 0
        with stage("relative pose"):
            pass
    assert [(span.name, span.parent) for span in recorder.spans] == [("matching", -1), ("relative pose", -1)]


def test_recorders_stack() -> None:
    with Recorder() as outer, stage("outer"), Recorder() as inner, stage("inner"):
        pass
    assert [span.name for span in outer.spans] == ["outer"]
    assert [(span.name, span.parent) for span in inner.spans] == [("inner", -1)]
