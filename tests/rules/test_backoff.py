"""How soon a process that ended is started again, and a mail that failed is sent again."""

from datetime import timedelta

from registry_site.notifications.retries import MAX_ATTEMPTS
from registry_site.notifications.retries import delay_after as mail_delay_after
from registry_site.worker.backoff import delay_after


def test_the_delay_doubles_from_a_tenth_of_a_second_to_half_a_minute() -> None:
    delays = [0.0]
    for _ in range(11):
        delays.append(delay_after(delays[-1], ran_for=1))
    assert delays[1:] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]


def test_a_stable_minute_starts_the_delay_again() -> None:
    assert delay_after(25.6, ran_for=59) == 30
    assert delay_after(25.6, ran_for=60) == 0.1


def test_a_mail_is_tried_for_days_and_then_given_up() -> None:
    delays = [mail_delay_after(attempts) for attempts in range(1, MAX_ATTEMPTS + 1)]
    assert delays[:3] == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2)]
    assert delays[-2] == timedelta(hours=6)
    assert delays[-1] is None
    assert timedelta(days=2) < sum((delay for delay in delays if delay), timedelta()) < timedelta(days=3)
