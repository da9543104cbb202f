"""A watch counts whole answers, whenever it looks, and never counts one twice."""

from __future__ import annotations

import time

from relocbench.bench.journal import Journal
from relocbench.bench.watching import Watch


def test_answers_are_counted_while_they_come(tmp_path, monkeypatch):
    monkeypatch.setattr("relocbench.bench.watching._INTERVAL", 0.001)
    shown: list[int] = []
    paths = [tmp_path / name for name in ("first", "second", "never")]
    with Watch(paths, shown.append) as watch:
        for path in paths[:2]:
            journal = Journal(path)
            journal.append({"kind": "map", "note": '"kind":"answer"'})
            for query in range(50):
                journal.append({"kind": "answer", "query": query, "reason": "x" * 20_000})
            journal.close()
        until = time.monotonic() + 10
        while shown[-1:] != [100] and time.monotonic() < until:
            time.sleep(0.001)
        paths[0].unlink()
        watch.finish(paths[0], 50)
        time.sleep(0.01)
    assert shown[-1] == 100
    assert shown == sorted(shown)
