"""Who works in the background. The work itself is rows of other parts."""

from django.db import models


class Worker(models.Model):
    """A process that does background work, and when it last said that it lives."""

    name = models.CharField(max_length=300, unique=True, help_text="its host and process id")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
