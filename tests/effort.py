"""How much of the processor something may take, wherever and beside whatever the tests run."""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def little_effort(seconds: float = 5) -> Iterator[None]:
    """Fail if what happens within takes more than ``seconds`` of the processor in this thread.

    What was made to be slow takes minutes where it is not bounded, and a fraction of a second where it is; the limit
    lies in between, for two threads that share a core count each other's time. The garbage of all tests before is
    not collected meanwhile.
    """
    gc.disable()
    started = time.thread_time()
    try:
        yield
        took = time.thread_time() - started
    finally:
        gc.enable()
    assert took < seconds, f"{took:.1f} s of the processor, where at most {seconds} are allowed"
