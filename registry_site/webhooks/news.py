"""What there is to tell: an activity as every format of a delivery reads it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from registry_site.audit.kinds import Kind


@dataclass(frozen=True, slots=True)
class News:
    """An activity. `model` is what its registered model is called now, "" where there is none; `site` is the address of
    this Podium, for links. A test tells of nothing that happened."""

    kind: Kind
    at: datetime
    site: str
    activity_id: int | None = None
    actor: str = ""
    origin: str = ""
    subject: str = ""
    model: str = ""
    is_prompt: bool = False
    version: int | None = None
    request_number: int | None = None
    comment: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    is_test: bool = False

    @property
    def url(self) -> str:
        """The page that shows what it tells of; that of the site where there is none."""
        if not self.model:
            return f"{self.site}/"
        page = f"{self.site}/models/{quote(self.model, safe='')}"
        if self.request_number is not None:
            return f"{page}/requests/{self.request_number}"
        return page if self.version is None else f"{page}/versions/{self.version}"


def example_news(kind: Kind, model: str, site: str, at: datetime) -> News:
    """What a test of an event of this kind tells."""
    noun = kind.value.partition(".")[0]
    is_alias = noun == "alias"
    stage = "Staging"
    return News(
        kind=kind,
        at=at,
        site=site,
        actor="podium",
        origin="task",
        subject=f"model {model}",
        model=model,
        version=1 if noun not in ("model", "grant", "policy", "webhook") else None,
        request_number=1 if noun in ("request", "review") else None,
        comment="Sent by a test of the webhook.",
        data={
            "from_stage": "None",
            "to_stage": stage,
            "key": "team",
            "alias": "champion",
            "before": None,
            "after": 1 if is_alias else "risk",
            "tags": {"team": "risk"},
            "description": "",
            "source": "runs:/0123456789abcdef0123456789abcdef/model",
            "run_id": "0123456789abcdef0123456789abcdef",
        },
        is_test=True,
    )
