"""What docker's builder refuses of a Dockerfile before it runs a line: a base that nothing names."""

import re

_ARG = re.compile(r"ARG\s+(?P<name>\w+)(?:=(?P<default>\S+))?\s*$")
_FROM = re.compile(r"FROM\s+(?:--\S+\s+)*(?P<base>\S+)")
_USE = re.compile(r"\$\{?(\w+)\}?")


def bases(text: str, given: dict[str, str]) -> list[str]:
    """What each FROM stands for, its ARGs replaced. ValueError where one has neither default nor build argument.

    Only the ARGs before the first FROM count: those of a stage are not known to a FROM.
    """
    known: dict[str, str] = {}
    found: list[str] = []
    for line in text.splitlines():
        if (declared := _ARG.match(line)) and not found:
            known[declared["name"]] = given.get(declared["name"], declared["default"] or "")
        elif stage := _FROM.match(line):
            base = _USE.sub(lambda use: known.get(use[1], ""), stage["base"])
            if not base:
                raise ValueError(f"base name ({stage['base']}) should not be blank")
            found.append(base)
    return found
