"""Identifiers, as MLflow's clients expect them to look."""

import secrets
import uuid

_ADJECTIVES = ["able", "amber", "bold", "brave", "bright", "calm", "clever", "crisp", "eager", "early", "fair", "fast", "fine", "gentle", "glad", "golden", "grand", "happy", "keen", "kind", "light", "lively", "lucky", "mellow", "merry", "neat", "noble", "patient", "polite", "proud", "quick", "quiet", "rapid", "rare", "ready", "serene", "sharp", "silver", "smart", "smooth", "steady", "sunny", "swift", "tidy", "upbeat", "valiant", "vivid", "warm", "wise", "witty"]
_NOUNS = ["ant", "badger", "bear", "bee", "bison", "crane", "crow", "deer", "dove", "eagle", "elk", "falcon", "finch", "fox", "gull", "hare", "hawk", "heron", "ibis", "jay", "koala", "lark", "lynx", "mole", "moth", "mule", "newt", "otter", "owl", "panda", "pike", "quail", "ram", "raven", "robin", "seal", "shrike", "skink", "snail", "stork", "swan", "tern", "toad", "trout", "turtle", "vole", "wasp", "whale", "wolf", "wren", "yak"]


def new_run_id() -> str:
    """32 hexadecimal digits."""
    return uuid.uuid4().hex


def new_logged_model_id() -> str:
    """`m-` and 32 hexadecimal digits."""
    return f"m-{uuid.uuid4().hex}"


def new_name() -> str:
    """A name for a run or logged model that was given none: `steady-heron-417`."""
    return f"{secrets.choice(_ADJECTIVES)}-{secrets.choice(_NOUNS)}-{secrets.randbelow(1000)}"
