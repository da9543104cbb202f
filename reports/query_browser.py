"""What the page's browser of single queries shows: a choice of queries, every method's answers to them, thumbnails."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pandas as pd

from ..bench.questions import Question
from ..bench.questions.question import Outcome
from ..bench.records import first_replicate
from ..datasets.views import View, ViewSet, pose_from_table
from ..errors import InputError
from .floor_plan import scene_view
from .results import RoomOutline
from .top_view import TopView

MOST_ANSWERS = 6000  # answers (queries x methods x steps of the sweep) that a page holds
FEWEST_QUERIES = 60  # ... but never fewer queries than this
IMAGE_BYTES = 9 * 2**20  # of JPEG in a page; base64 makes a third more of it
THUMBNAIL = 256  # pixels, the longer side
JPEG_QUALITY = 78
SHOWN_REFERENCES = 5  # of a ranking


@dataclass(frozen=True)
class QueryBrowser:
    """The browser's data, ready for JSON, and one sentence on what was left out."""

    data: dict[str, Any]
    note: str


def browse_queries(
    estimates: pd.DataFrame,
    order: Sequence[str],
    views: ViewSet | None,
    rooms: Mapping[str, Sequence[RoomOutline]],
    question: Question,
) -> QueryBrowser:
    """Choose queries and gather what is known of them.

    ``estimates`` has ``ESTIMATE_COLUMNS``; ``order`` lists the methods as the leaderboard does; ``views`` are the
    dataset's, None where it is gone (then there are no images); ``rooms`` gives each scene's outlines. Of a method with
    replicates, the first one's answers are shown.
    """
    estimates = first_replicate(estimates)
    steps = sorted(float(step) for step in set(estimates["sweep"]))
    most = max(FEWEST_QUERIES, MOST_ANSWERS // (len(order) * len(steps)))
    chosen = choose_queries(estimates, most=most, by=question.judged_by)
    answers = estimates[estimates["query"].isin(chosen)]
    queries = answers.drop_duplicates("query").sort_values("query", kind="stable")
    ids = list(queries["query"])
    table = {} if views is None else {name: row for row, name in enumerate(views.ids)}
    used = Counter(ref for ranking in answers["ranking"] for ref in list(ranking)[:SHOWN_REFERENCES])
    scenes = sorted(set(queries["scene"]))
    tops = {scene: scene_view(queries[queries["scene"] == scene], rooms.get(scene, ())) for scene in scenes}
    references = _references(views, set(queries["map"]), set(used), tops)
    own = {(r["map"], r["place"]): i for i, r in enumerate(references) if r["place"] >= 0}
    ranked = [name for name, _ in sorted(used.items(), key=lambda item: (-item[1], item[0]))]
    first = [reference["id"] for reference in references if reference["step"] <= steps[0]]
    wanted = list(dict.fromkeys([*ids, *ranked, *first]))  # what matters most comes first: the page has a limit
    images = _thumbnails(() if views is None else (views[table[name]] for name in wanted if name in table))
    pictures = {name: number for number, name in enumerate(images)}
    data = {
        "verdict": question.verdict,
        "methods": list(order),
        "steps": steps,
        "queries": [_query(row, pose, pictures, own) for row, pose in _records(queries, "true_", tops)],
        "answers": _answers(answers, order, steps, ids, [reference["id"] for reference in references], question, tops),
        "references": [{**reference, "image": pictures.get(reference["id"])} for reference in references],
        "images": list(images.values()),
        "rooms": {scene: [_outline(room) for room in rooms.get(scene, ())] for scene in scenes},
    }
    left_out = len(wanted) - len(images)
    return QueryBrowser(data, _note(len(ids), estimates["query"].nunique(), left_out, views is None))


def choose_queries(estimates: pd.DataFrame, *, most: int, by: str) -> set[str]:
    """Return the ids of at most about ``most`` queries: all of them where they are few.

    Otherwise an even sample makes up half, and the worst of every method at every step of the sweep the rest, as judged
    by the column ``by``.
    """
    ids = sorted(set(estimates["query"]))
    if len(ids) <= most:
        return set(ids)
    spaced = np.unique(np.linspace(0, len(ids) - 1, most // 2).round().astype(int))
    chosen = {ids[i] for i in spaced}
    groups = estimates.groupby(["method", "sweep"], sort=True)
    ranked = [worst_first(group, by)["query"].tolist() for _, group in groups]
    for place in range(max(len(ranking) for ranking in ranked)):
        following = chosen | {ranking[place] for ranking in ranked if place < len(ranking)}
        if len(following) > most:
            break
        chosen = following
    return chosen


def worst_first(answers: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return answers by falling value of the column ``by``; among equals, the most covisible first.

    So failures come first, and of them those that surprise most.
    """
    return answers.sort_values([by, "covisibility", "query"], ascending=[False, False, True])


def _records(
    table: pd.DataFrame, prefix: str, tops: Mapping[str, TopView]
) -> Iterable[tuple[dict[Any, Any], list[float]]]:
    """Yield each row with the position and heading of a pose as its scene is drawn: right, up and towards the viewer in
    metres, and radians counter-clockwise."""
    planar = np.zeros((0, 4))
    if len(table):
        poses, axes = pose_from_table(table, prefix), np.stack([tops[scene].axes for scene in table["scene"]])
        place, ahead = (np.einsum("nij,nj->ni", axes, vectors) for vectors in (poses.translation, poses.forward))
        planar = np.column_stack([place, np.arctan2(ahead[:, 1], ahead[:, 0])])
    return zip(table.to_dict("records"), planar.round(3).tolist(), strict=True)


def _query(
    row: Mapping[Any, Any], pose: list[float], images: Mapping[str, int], own: Mapping[tuple[str, int], int]
) -> dict[str, Any]:
    return {
        "id": row["query"],
        "scene": row["scene"],
        "map": row["map"],
        "room": row["room"],
        "covisibility": _number(row["covisibility"], 3),
        "pose": pose,
        "image": images.get(row["query"]),
        "own": own.get((row["map"], row["place"])),
    }


def _answers(
    answers: pd.DataFrame,
    order: Sequence[str],
    steps: list[float],
    queries: list[str],
    references: list[str],
    question: Question,
    tops: Mapping[str, TopView],
) -> list[dict[str, Any]]:
    located = answers["est_tx"].notna()
    poses = (pose for _, pose in _records(answers[located], "est_", tops))
    planar = dict(zip(answers.index[located], poses, strict=True))
    places = {name: place for place, name in enumerate(queries)}
    reference_places = {name: place for place, name in enumerate(references)}
    method_places = {name: place for place, name in enumerate(order)}
    rows = zip(answers.index, answers.to_dict("records"), strict=True)
    return [
        {
            "m": method_places[row["method"]],
            "s": steps.index(row["sweep"]),
            "q": places[row["query"]],
            "reason": row["reason"] if row["status"] == "failure" else None,
            **_judged(row, question),
            "flags": row["flags"],
            "confidence": _number(row["confidence"], 3),
            "pose": planar.get(index),
            "ranking": [
                reference_places[name] for name in list(row["ranking"])[:SHOWN_REFERENCES] if name in reference_places
            ],
            "relevant": _number(row["relevant_rank"], 0),
            "ms": _number(row["seconds"] * 1e3, 3),
        }
        for index, row in rows
    ]


def _judged(row: Mapping[Any, Any], question: Question) -> dict[str, Any]:
    """Return by how much an answer is off, for sorting, and how it came out, in words and in colour."""
    outcome = Outcome("") if row["status"] == "failure" else question.outcome(row)
    return {"loss": _number(row[question.judged_by], 4), "outcome": outcome.words, "grade": outcome.grade}


def _number(value: float, digits: int) -> float | None:
    """Round for JSON, which knows neither infinity nor NaN: both become null."""
    return round(float(value), digits) if np.isfinite(value) else None


def _references(
    views: ViewSet | None, maps: set[str], ranked: set[str], tops: Mapping[str, TopView]
) -> list[dict[str, Any]]:
    """Return the references of the shown maps; without a dataset, only the names that rankings give."""
    if views is None:
        return [{"id": name, "map": None, "place": -1, "step": 0, "pose": None} for name in sorted(ranked)]
    table = views.table
    shown = table[(table["role"] == "reference") & table["map"].isin(maps)]
    return [
        {"id": row["view"], "map": row["map"], "place": int(row["place"]), "step": int(row["density"]), "pose": pose}
        for row, pose in _records(shown, "", tops)
    ]


def _thumbnails(views: Iterable[View]) -> dict[str, str]:
    """Return data URIs by view id, in the order given, until ``IMAGE_BYTES`` are used up."""
    images: dict[str, str] = {}
    budget = IMAGE_BYTES
    for view in views:
        encoded = _thumbnail(view)
        if encoded is None:
            continue
        budget -= len(encoded)
        if budget < 0:
            break
        images[view.id] = "data:image/jpeg;base64," + base64.b64encode(encoded).decode()
    return images


def _thumbnail(view: View) -> bytes | None:
    try:
        image = view.image()
    except InputError:  # the page shows a placeholder in its place, and its note counts it
        return None
    scale = THUMBNAIL / max(image.shape[:2])
    if scale < 1:
        size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return encoded.tobytes()


def _outline(room: RoomOutline) -> dict[str, Any]:
    return {"name": room.name, "type": room.type, "ring": np.round(room.ring, 3).tolist()}


def _note(shown: int, total: int, left_out: int, without_images: bool) -> str:
    sentences = []
    if shown < total:
        sentences.append(f"{shown} of {total} queries are in this page: the worst of each method, and an even sample.")
    if without_images:
        sentences.append("The run's dataset could not be read, so there are no images and no floor plans.")
    elif left_out:
        sentences.append(f"{left_out} images were left out, unreadable or beyond the page's size limit.")
    return " ".join(sentences)
