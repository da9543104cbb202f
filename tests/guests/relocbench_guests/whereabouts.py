"""A question: was the answer given from within three metres of the truth?"""

from relocbench.bench.questions import Question
from relocbench.bench.questions.metric import Metric, share


def _near(columns):
    return (columns["translation_error"] < 3.0).astype(float)


class Whereabouts(Question):
    """Is the camera about where the method says?"""

    name = "whereabouts"
    metrics = (Metric("near", _near, ("translation_error",)),)
    primary = "near"
    main = (share("near", "Within 3 m"),)
