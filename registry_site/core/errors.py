"""What can go wrong in words a reader understands. The doors translate these, once, into their own protocol."""


class PodiumError(Exception):
    """A refusal with a sentence for the reader: it names the thing and, where there is one, the way out.

    `field` names the argument at fault, if one is.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidParameter(PodiumError):
    """An argument is missing, of the wrong type, or breaks a rule."""


class NotFound(PodiumError):
    """The thing does not exist, or the actor may not know that it does."""


class AlreadyExists(PodiumError):
    """A thing of that name is there already."""


class NotSignedIn(PodiumError):
    """Nobody is behind the call: no credentials, or wrong ones."""


class PermissionDenied(PodiumError):
    """The actor is known and may not do this."""


class Conflict(PodiumError):
    """The thing is no longer, or not yet, in the state that the call needs."""


class TooLarge(PodiumError):
    """The body or the page asked for is beyond the limit."""


class TooManyAttempts(PodiumError):
    """Sign-in was tried too often; later it works again."""


class StorageFull(PodiumError):
    """The artifact store has no room left; nothing of the upload was kept."""


class Unavailable(PodiumError):
    """Something that Podium depends on does not answer now."""


class NotSupported(PodiumError):
    """The call is known and this installation does not offer it."""
