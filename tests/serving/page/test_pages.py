import re

import pytest

from serving.core.service import Service
from serving.page import assets, pages


@pytest.mark.parametrize("path", list(pages.PAGES))
def test_a_page_that_a_browser_has_already_is_known_by_its_tag(service: Service, path: str) -> None:
    page = pages.PAGES[path](service)
    tag = page.headers["etag"]
    assert page.headers["cache-control"] == "no-cache"
    assert page.is_known(tag)
    assert page.is_known(f'"other", W/{tag}')
    assert page.is_known("*")
    assert not page.is_known('"other"')
    assert not page.is_known("")
    assert pages.PAGES[path](service) is page


def test_files_may_be_kept_for_ever_under_an_address_of_their_content() -> None:
    files = pages.files()
    assert len(files) == len(assets.STATIC)
    for path, file in files.items():
        assert re.fullmatch(rf"/static/{assets.digest()}/[a-z.-]+", path)
        assert "immutable" in file.headers["cache-control"]
        assert not file.is_known("")


def test_scripts_and_templates_name_files_that_are_there(service: Service) -> None:
    for name in assets.SCRIPTS:
        imported = set(re.findall(r'from "\./([^"]+)"', assets.content(name).decode()))
        assert imported <= set(assets.SCRIPTS), name
    addresses = {path.removeprefix("/") for path in pages.files()}
    for path in ("/", "/docs"):
        named = set(re.findall(r'"(static/[^"]+)"', pages.PAGES[path](service).body.decode()))
        assert named
        assert named <= addresses


def test_the_whole_page_is_small(service: Service) -> None:
    assert sum(len(file.body) for file in pages.files().values()) + len(pages.PAGES["/"](service).body) < 80_000


def test_everything_comes_with_a_strict_policy(service: Service) -> None:
    for page in (*pages.files().values(), *(make(service) for make in pages.PAGES.values())):
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self';" in policy
        assert "unsafe" not in policy


def test_no_template_can_be_asked_for() -> None:
    with pytest.raises(KeyError):
        assets.content("../templates/page.html")
