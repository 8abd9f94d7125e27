"""What `up` says to the person at the terminal, or to the script that waits for the line."""

import sys

EXIT_CODE = 1  # of a process that refused


class Refusal(Exception):
    """Why `up` does not start: a sentence that names what is in the way and what to do about it."""


def say(text: str, *, is_trouble: bool = False) -> None:
    """Write the text and a line end at once, to standard output, or to standard error for trouble."""
    stream = sys.stderr if is_trouble else sys.stdout
    stream.write(f"{text}\n")
    stream.flush()
