"""The page's own files, at addresses that hold the digest of all of them, so that a browser may keep them for ever.

The digest is a folder of the address (`/static/<digest>/page.css`): the scripts import one another by relative names,
and a browser can never mix the files of two versions.
"""

import functools
import hashlib
import re
from pathlib import Path
from string import Template
from typing import Final

_FOLDER, _TEMPLATES = Path(__file__).parent / "static", Path(__file__).parent / "templates"
_SCRIPT, _STYLE = "text/javascript; charset=utf-8", "text/css; charset=utf-8"
STATIC: Final = {
    "page.css": _STYLE,
    "docs.css": _STYLE,
    "page.js": _SCRIPT,
    "model.js": _SCRIPT,
    "form.js": _SCRIPT,
    "result.js": _SCRIPT,
    "influence.js": _SCRIPT,
    "what-if.js": _SCRIPT,
    "chart.js": _SCRIPT,
    "request.js": _SCRIPT,
    "state.js": _SCRIPT,
    "image.js": _SCRIPT,
    "icon.svg": "image/svg+xml",
}
SCRIPTS: Final = tuple(name for name, kind in STATIC.items() if kind == _SCRIPT)


@functools.cache
def content(name: str) -> bytes:
    """The bytes of a file in `STATIC`."""
    if name not in STATIC:
        raise KeyError(name)
    return (_FOLDER / name).read_bytes()


@functools.cache
def digest() -> str:
    """Twelve hexadecimal digits that change when any file does."""
    return hashlib.sha256(b"".join(content(name) for name in sorted(STATIC))).hexdigest()[:12]


def address(name: str) -> str:
    """Where a page finds the file `name`, relative to the page, so a prefix in front does no harm."""
    return f"static/{digest()}/{name}"


@functools.cache
def imports(name: str) -> tuple[str, ...]:
    """The scripts that the script `name` needs, so that a browser can ask for all of them at once."""
    found = dict.fromkeys(re.findall(rb'from "\./([^"]+)"', content(name)))
    direct = [script.decode() for script in found]
    return tuple(dict.fromkeys([*direct, *(other for script in direct for other in imports(script))]))


def fill(name: str, **values: object) -> str:
    """The template `name` with `values` in it, which must be escaped already."""
    return _template(name).substitute(values)


@functools.cache
def _template(name: str) -> Template:
    """A template is no file that anybody is sent."""
    return Template((_TEMPLATES / name).read_text(encoding="utf-8"))
