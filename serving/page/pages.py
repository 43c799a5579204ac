"""Every page and file of the site with its headers, ready for whichever front answers.

A page changes with the model: a browser asks each time and is told "not modified" by its ETag. A file's address holds
its digest, so a browser keeps it for a year and never asks again.
"""

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

from serving.core.service import Service
from serving.page import assets, docs, openapi, page, status

_HTML, _JSON = "text/html; charset=utf-8", "application/json"


def _security(pictures: str = "") -> dict[str, str]:
    """The headers of everything; `pictures` is another source of them beside this server."""
    return {
        "content-security-policy": (
            f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'{pictures}; connect-src 'self'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
        "referrer-policy": "no-referrer",
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Something to be read, and how long it may be kept."""

    content_type: str
    body: bytes
    headers: Mapping[str, str]

    def is_known(self, if_none_match: str) -> bool:
        """Whether a caller with this If-None-Match has it already (RFC 9110, 13.1.2: weak comparison)."""
        known = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
        return "*" in known or self.headers.get("etag", "") in known - {""}


_kept: Final[WeakKeyDictionary[Service, dict[str, Page]]] = WeakKeyDictionary()
"""Pages by model and path; they go with the model that they are of."""


def _page(path: str, render: Callable[[Service], bytes], content_type: str, service: Service) -> Page:
    pages = _kept.setdefault(service, {})
    if path not in pages:
        body = render(service)
        tag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        # A picture that a person chose is shown from the browser's own memory.
        security = _security(" blob:" if service.spec.image else "")
        headers = security | {"cache-control": "no-cache", "etag": tag}
        pages[path] = Page(content_type=content_type, body=body, headers=headers)
    return pages[path]


PAGES: Final[Mapping[str, Callable[[Service], Page]]] = {
    "/": functools.partial(_page, "/", page.render, _HTML),
    "/docs": functools.partial(_page, "/docs", docs.render, _HTML),
    "/openapi.json": functools.partial(_page, "/openapi.json", openapi.render, _JSON),
}
"""By path; each is rendered once for a model."""


def state(service: Service, counts: status.Counts | None) -> Page:
    """`/status`, which is never kept; `counts` as in `serving.page.status`."""
    return Page(content_type=_JSON, body=status.render(service, counts), headers={"cache-control": "no-store"})


def files() -> dict[str, Page]:
    """The page's files by path. The addresses are those of this version; another version's files have others."""
    kept = _security() | {"cache-control": "public, max-age=31536000, immutable"}
    return {
        f"/{assets.address(name)}": Page(content_type=kind, body=assets.content(name), headers=kept)
        for name, kind in assets.STATIC.items()
    }
