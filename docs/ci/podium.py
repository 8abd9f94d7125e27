"""Tells Podium what CI made of a model version. Needs Python 3.8 and nothing else: put it into your repository.

    python3 podium.py check NAME pending|passed|failed [SUMMARY]
    python3 podium.py deployment ENVIRONMENT pending|succeeded|failed|ended [DESCRIPTION]

PODIUM_URL, PODIUM_TOKEN (one with the scope `write`, of somebody with CAN_EDIT on the model), MODEL and VERSION come
from the environment; RUN_LINK and RUN_ID, which tell this run from others, may.
"""

import json
import os
import sys
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

KINDS = {"check": ("check", "summary"), "deployment": ("environment", "description")}


def main() -> None:
    if len(sys.argv) not in (4, 5) or sys.argv[1] not in KINDS:
        sys.exit(__doc__)
    kind, name, state, *text = sys.argv[1:]
    name_of_it, name_of_text = KINDS[kind]
    body = {
        name_of_it: name,
        "state": state,
        name_of_text: text[0] if text else "",
        "external_id": os.environ.get("RUN_ID", ""),
        "link": os.environ.get("RUN_LINK", ""),
    }
    version = f"models/{quote(os.environ['MODEL'], safe='')}/versions/{int(os.environ['VERSION'])}"
    request = Request(
        f"{os.environ['PODIUM_URL'].rstrip('/')}/api/v1/{version}/{kind}s",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {os.environ['PODIUM_TOKEN']}", "Content-Type": "application/json"},
    )
    try:
        with urlopen(request, timeout=60) as answer:
            answer.read()
    except HTTPError as error:
        sys.exit(f"Podium refused it ({error.code}): {error.read().decode(errors='replace')}")


if __name__ == "__main__":
    main()
