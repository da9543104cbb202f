"""An executor: everything in this very process, one unit after the other."""

import copy

from relocbench.sim.processes.executor import Executor


class OneByOne(Executor):
    """Performs units here."""

    name = "one-by-one"

    def run(self, units, state):
        """Yield each unit with its result."""
        own = copy.deepcopy(state)
        for unit in units:
            yield unit, unit.perform(own)
