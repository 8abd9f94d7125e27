"""What a token may be used for, as an order: each scope includes the ones before it. Pure."""

from enum import IntEnum


class Scope(IntEnum):
    """READ changes nothing. WRITE does what an ordinary person may do. ADMIN adds what administrators may do, in the
    hands of one."""

    READ = 1
    WRITE = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """How it is called outside."""
        return self.name.lower()


CHOICES = [(scope.value, scope.word) for scope in Scope]
WORDS = {scope.word: scope for scope in Scope}
