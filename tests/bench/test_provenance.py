from __future__ import annotations

import json
import subprocess
import sys

from relocbench.bench import provenance
from relocbench.sim.processes.local import LocalProcesses


def test_a_digest_depends_on_content_not_on_order():
    assert provenance.digest({"a": 1, "b": [2]}) == provenance.digest({"b": [2], "a": 1})
    assert provenance.digest({"a": 1}) != provenance.digest({"a": 2})


def test_the_fingerprint_is_the_same_in_another_process():
    command = "from relocbench.bench.provenance import fingerprint; print(fingerprint())"
    other = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == provenance.fingerprint()


def test_a_session_can_be_written_and_says_what_matters():
    session = json.loads(
        json.dumps(provenance.session(LocalProcesses(jobs=3), decisive={"shapely": "9.9", "transformers": None}))
    )
    assert session["jobs"] == 3
    assert session["hardware"]["logical_cores"] >= 1
    assert session["versions"]["numpy"]
    assert session["versions"]["shapely"] == "9.9"
    assert "transformers" not in session["versions"]
    assert set(session["threads"].values()) == {"1"}
