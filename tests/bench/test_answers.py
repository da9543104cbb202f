from __future__ import annotations

import numpy as np
import pytest
from relocbench.bench.answers import failure, plain_answer, plain_spans, raised
from relocbench.methods.method import Estimate, Failure
from relocbench.methods.timing import Recorder, Span, stage
from relocbench.sim.geometry import Pose

KNOWN = frozenset({"a", "b", "c"})


def test_a_good_answer_passes_unchanged():
    pose = Pose.from_planar([1.0, 2.0], height=1.5, yaw=0.3)
    answer = plain_answer(Estimate(pose, ("b", "a"), 0.5, ("fallback", "two words")), KNOWN)
    assert answer["status"] == "ok"
    assert answer["ranking"] == ["b", "a"]
    assert answer["flags"] == "fallback two-words"
    assert np.allclose(Pose.from_quaternion(answer["pose"][:4], answer["pose"][4:]).matrix, pose.matrix)


class UncheckedPose(Pose):
    """A pose that somebody made without its checks."""

    def __post_init__(self) -> None:
        pass


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (None, "not NoneType"),
        (np.eye(4), "not ndarray"),
        (Estimate(), "a pose or a ranking, and has neither"),
        (Estimate(ranking=("a", "z")), "'z', which is no reference"),
        (Estimate(ranking=("a", "a")), "a reference twice"),
        (Estimate(pose=Pose.identity(2)), "a batch"),
        (Estimate(pose=np.eye(4)), "not ndarray; Pose(matrix) makes one"),
        (Estimate(pose=np.eye(4)[:3]), "not ndarray"),
        (Estimate(pose=np.eye(4).tolist()), "not list"),
        (Estimate(pose=Pose.identity(), flags="fallback"), "flags is a tuple of strings, not the string 'fallback'"),
        (Estimate(pose=UncheckedPose(np.full((4, 4), np.nan))), "not finite"),
        (Estimate(pose=UncheckedPose(np.diag([1.0, 2.0, 1.0, 1.0]))), "not a rotation"),
        (Estimate(pose=Pose.identity(), confidence="high"), "is a number, not the string 'high'"),
    ],
)
def test_an_answer_that_breaks_the_contract_is_a_failure_that_says_how(answer, problem):
    plain = plain_answer(answer, KNOWN)
    assert plain["status"] == "failure"
    assert plain["reason"].startswith("invalid answer: ")
    assert problem in plain["reason"]


def test_failures_keep_their_reason_in_one_line_without_addresses():
    assert plain_answer(Failure("too few matches"), KNOWN)["reason"] == "too few matches"
    assert failure(f"raised by {object()!r}\nand more")["reason"] == "raised by <object object at 0x...> and more"
    assert raised(ValueError("first line\nsecond")) == "raised ValueError: first line"
    assert raised(KeyError()) == "raised KeyError"
    assert len(failure("x" * 1000)["reason"]) == 200


def test_what_no_file_can_hold_is_escaped():
    lone = "\udcff"
    assert plain_answer(Failure(f"reason {lone}"), KNOWN)["reason"] == r"reason \udcff"
    assert plain_answer(Estimate(ranking=("a",), flags=(lone,)), KNOWN)["flags"] == r"\udcff"
    assert failure(raised(ValueError(lone)))["reason"] == r"raised ValueError: \udcff"
    assert plain_spans([Span(lone, -1, 1.0)]) == [[r"\udcff", 1.0, 1.0]]
    assert lone not in plain_answer(Estimate(ranking=(lone,)), KNOWN)["reason"]


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")

    def __float__(self) -> float:
        raise Unspeakable


def test_what_cannot_be_said_is_named():
    assert raised(Unspeakable()) == "raised Unspeakable"
    assert plain_answer(Failure(Unspeakable()), KNOWN)["reason"] == "invalid answer: RuntimeError: no words"
    unspeakable = Estimate(ranking=("a",), confidence=Unspeakable())
    assert plain_answer(unspeakable, KNOWN)["reason"] == "invalid answer: Unspeakable"


def test_spans_become_paths_whose_exclusive_times_add_up():
    spans = [Span("a", -1, 1.0), Span("b", 0, 0.25), Span("c", 1, 0.125), Span("b", 0, 0.25), Span("d", -1, 0.5)]
    rows = {path: (seconds, exclusive) for path, seconds, exclusive in plain_spans(spans)}
    assert rows == {"a": (1.0, 0.5), "a/b": (0.5, 0.375), "a/b/c": (0.125, 0.125), "d": (0.5, 0.5)}
    assert sum(exclusive for _, exclusive in rows.values()) == 1.5


def test_spans_of_a_call_that_raised_are_closed():
    with Recorder() as recorder, pytest.raises(ValueError), stage("outer"), stage("inner"):
        raise ValueError
    paths = [path for path, _, _ in plain_spans(recorder.spans)]
    assert paths == ["outer", "outer/inner"]
