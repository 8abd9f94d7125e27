"""When each task runs by itself. Pure."""

from typing import Any


def schedule(*, embedded: bool) -> dict[str, Any]:
    """Celery's beat schedule, in seconds. Without a broker nothing but the sweep finds work, so it comes by often.

    A run that could not start before the next one is due is dropped.
    """
    return {
        "relay the outbox": _every(0.5 if embedded else 5.0, "podium.relay_outbox"),
        "send due mails": _every(5.0, "podium.send_mails"),
        "write daily mails": _every(60.0, "podium.write_digests"),
        "read files of models": _every(5.0, "podium.inspect"),
        "tend requests": _every(5.0, "podium.tend_requests"),
        "tell webhooks": _every(5.0, "podium.deliver"),
        "tell failing webhooks": _every(5.0, "podium.deliver_to_failing"),
        "keep house": _every(3600.0, "podium.keep_house"),
    }


def _every(seconds: float, task: str) -> dict[str, Any]:
    return {"task": task, "schedule": seconds, "options": {"expires": max(seconds, 1.0)}}
