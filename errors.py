"""The two errors that the command line turns into one clear line and an exit code."""


class InputError(Exception):
    """What the user gave cannot be used: a file, a key, a name, an argument (exit code 2).

    The message is one line: what is wrong, where (file, key), and what to do.
    """


class RunError(Exception):
    """The input was fine but the work failed: a worker died, a disk filled up (exit code 1).

    The message is one line; what was already written stays valid and is picked up by the next run.
    """
