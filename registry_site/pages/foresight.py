"""What a page will ask of the database anyway, asked together with what the header of every page asks."""

from typing import Any

from registry_site.accounts.actors import Actor
from registry_site.core.prepared import Question
from registry_site.core.together import ask_together
from registry_site.notifications.queries import unread_questions
from registry_site.promotion.queries import waiting_questions


def foresee(actor: Actor, *questions: Question[Any]) -> None:
    """Ask all of this in one statement. A view calls it as soon as it knows of what it will ask."""
    ask_together(*waiting_questions(actor), *unread_questions(actor), *questions)
