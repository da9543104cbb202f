"""The two errors that the command line turns into one clear line and an exit code, and any other error in one line."""


class InputError(Exception):
    """What the user gave cannot be used: a file, a key, a name, an argument (exit code 2).

    The message is one line: what is wrong, where (file, key), and what to do.
    """


class RunError(Exception):
    """The input was fine but the work failed: a worker died, a disk filled up (exit code 1).

    The message is one line; what was already written stays valid and is picked up by the next run.
    """


def one_line(error: BaseException) -> str:
    """Return "ValueError: what it says": one line that can be written anywhere, whatever the error is made of."""
    try:
        message = writable(str(error)).strip().partition("\n")[0]
    except BaseException:  # somebody's own class may raise anything where it is asked what it says
        message = ""
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def writable(text: str) -> str:
    """Return a text that UTF-8 can hold: lone surrogates, as undecodable file names have them, are escaped."""
    return text.encode(errors="backslashreplace").decode()
