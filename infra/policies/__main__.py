"""`python -m infra.policies`: the table of the rules on standard output, or into docs/policies.md with `--write`."""

import argparse
import sys
from pathlib import Path

from infra.policies.coverage import table
from infra.policies.exemptions import ExemptionError, load_exemptions

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "policies.md"


def main(arguments: list[str] | None = None) -> int:
    """Print or write the table; 1 where the exemptions are not right."""
    parser = argparse.ArgumentParser(prog="python -m infra.policies", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT.parent.name}/{DOCUMENT.name}")
    options = parser.parse_args(arguments)
    try:
        text = table(load_exemptions())
    except ExemptionError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if options.write:
        DOCUMENT.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
