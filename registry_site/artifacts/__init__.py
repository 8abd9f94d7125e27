"""The bytes that runs and models leave behind: where they lie, what they are, how they are shown."""
