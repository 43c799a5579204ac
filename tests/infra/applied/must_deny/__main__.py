"""`python -m tests.infra.applied.must_deny` writes docs/least-privilege.md anew."""

from tests.infra.applied.must_deny.calls import PAGE
from tests.infra.applied.must_deny.table import page

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
