"""Go through every subject; prints `subject: step` for each step that passed, and ends with an exception at the first
one that does not."""

from flow import (
    command_line,
    copies,
    files,
    loading,
    prompts,
    registering,
    registry,
    searching,
    serving,
    training,
    webhooks,
    zenml,
)
from flow.common import STEPS

# Later subjects use what the first two leave behind.
SUBJECTS = (
    *(training, registering, registry, loading, copies, files),
    *(serving, searching, zenml, prompts, webhooks, command_line),
)

for subject in SUBJECTS:
    for step in STEPS[subject.__name__]:
        step()
        print(f"{subject.__name__.removeprefix('flow.')}: {step.__name__}", flush=True)  # noqa: T201  the test reads it
