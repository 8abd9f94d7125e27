"""What a data scientist does with an unmodified MLflow client, from training to deleting, with exact expectations.

Runs inside an environment of `tests.client.environments`: `python -m flow`, with this package's parent on the path,
against MLFLOW_TRACKING_URI, with a token that may make models. One module per subject, all in one process, because a
client takes longer to import than to do most of this.
"""
