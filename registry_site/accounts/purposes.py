"""What a link that lets somebody in is for. Pure."""

from enum import StrEnum


class LinkPurpose(StrEnum):
    """With all of them the person comes in; what they do first differs."""

    SIGN_IN = "sign_in"
    INVITATION = "invitation"
    PASSWORD = "password"


CHOICES = [(purpose.value, purpose.value.replace("_", " ")) for purpose in LinkPurpose]
