"""Searches of one click: what they add, and what they take away."""

import pytest

from registry_site.pages.facets import FacetLink, Terms


def test_a_facet_is_added_to_what_was_typed_and_taken_away_again() -> None:
    assert Terms("churn").toggle("stage:production", "P") == FacetLink("P", "churn stage:production", False)
    assert Terms("churn stage:production x").toggle("stage:production", "P") == FacetLink("P", "churn x", True)


def test_a_choice_takes_the_place_of_another_one() -> None:
    terms = Terms("churn owner:jon tag.team:risk")
    assert terms.choice("owner", "owner:maria", "Maria").q == "churn tag.team:risk owner:maria"
    assert terms.choice("owner", "owner:jon", "Jon") == FacetLink("Jon", "churn tag.team:risk", True)
    assert terms.choice("tag.team", "tag.team:growth", "growth").q == "churn owner:jon tag.team:growth"


def test_phrases_stay_whole() -> None:
    terms = Terms('"credit risk" tag.team:"risk ml" stage:staging')
    assert terms.toggle("stage:staging", "S").q == '"credit risk" tag.team:"risk ml"'
    assert terms.chips(besides=["stage:staging"]) == [
        FacetLink("tag.team:risk ml", '"credit risk" stage:staging', True)
    ]


def test_words_are_no_chips() -> None:
    assert Terms("churn http://x alias:champion").chips(besides=[]) == [
        FacetLink("alias:champion", "churn http://x", True)
    ]


@pytest.mark.parametrize("text", ["name ILIKE '%churn%'", "name = ", "x" * 100_000])
def test_a_facet_takes_the_place_of_a_filter(text: str) -> None:
    assert Terms(text).toggle("stage:production", "P") == FacetLink("P", "stage:production", False)
    assert Terms(text).chips(besides=[]) == []
