"""Exemptions: what they take, when they end, what is said of a wrong file; and the table of all rules."""

import datetime
from pathlib import Path

import pytest

from infra.policies import Exemption, ExemptionError, Resource, assess, evaluate, load_exemptions
from infra.policies.__main__ import DOCUMENT, main
from infra.policies.catalogue import ALL_RULES
from infra.policies.coverage import table

DAY = datetime.date(2026, 12, 31)
NEXT = datetime.date(2027, 1, 1)
KEY = Resource(
    type="aws:kms/key:Key",
    name="data",
    urn="urn:pulumi:dev::drivetrain::aws:kms/key:Key::data",
    protect=True,
    properties={"enableKeyRotation": False, "deletionWindowInDays": 30},
)
ALIAS = Resource(type="aws:kms/alias:Alias", name="data", urn="urn:pulumi:dev::drivetrain::aws:kms/alias:Alias::data")


def exemption(rule: str = "kms-rotation", resource: str = "data") -> Exemption:
    return Exemption(rule=rule, resource=resource, reason="its material is imported", expires=DAY)


def broken(*exemptions: Exemption, today: datetime.date = DAY) -> list[str]:
    return [each.rule for each in evaluate([KEY, ALIAS], exemptions, today)]


@pytest.mark.parametrize("resource", ["data", "urn:pulumi:dev::*::data", "urn:pulumi:*:Key::d?ta", KEY.urn])
def test_an_exemption_takes_one_rule_from_one_resource(resource: str) -> None:
    assert broken() == ["kms-rotation"]
    assert broken(exemption(resource=resource)) == []


@pytest.mark.parametrize(
    ("rule", "resource"),
    [("kms-deletion-window", "data"), ("kms-rotation", "logs"), ("kms-rotation", "urn:pulumi:production::*")],
)
def test_an_exemption_of_something_else_does_not_help(rule: str, resource: str) -> None:
    assert broken(exemption(rule, resource)) == ["kms-rotation"]


def test_an_exemption_holds_on_its_last_day_and_fails_after_it() -> None:
    assert broken(exemption(), today=DAY) == []
    assert broken(exemption(), today=NEXT) == ["exemption-expired", "kms-rotation"]
    (expired, _) = evaluate([KEY, ALIAS], [exemption()], NEXT)
    assert "expired on 2026-12-31, 1 days ago" in expired.message
    assert "set a new date" in expired.message


def test_an_expired_exemption_fails_even_where_nothing_needs_it() -> None:
    assert [each.rule for each in evaluate([], [exemption()], NEXT)] == ["exemption-expired"]


def test_an_exemption_that_nothing_needs_is_told() -> None:
    needless = exemption("kms-enabled")
    found = assess([KEY, ALIAS], [exemption(), needless], DAY)
    assert found.unused == (needless,)
    assert [violation.rule for violation, _ in found.exempted] == ["kms-rotation"]


def test_the_most_severe_come_first() -> None:
    open_key = Resource(
        type="aws:kms/key:Key", name="open", protect=True, properties={"policy": {"Statement": [PUBLIC]}}
    )
    found = evaluate([open_key], [], DAY)
    assert [each.severity for each in found] == ["critical", "high", "medium", "low"]
    assert found[0].text.startswith("kms-policy-not-public (critical): aws:kms/key:Key::open: policy: statement")
    assert found[0].url == "https://docs.aws.amazon.com/securityhub/latest/userguide/kms-controls.html#kms-5"


PUBLIC = {"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}
RIGHT = 'rule = "kms-rotation"\nresource = "data"\nreason = "its material is imported"\nexpires = 2026-12-31\n'


def test_the_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "exemptions.toml"
    file.write_text(f"[[exemptions]]\n{RIGHT}")
    assert load_exemptions(file) == (exemption(),)
    file.write_text("")
    assert load_exemptions(file) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            RIGHT.replace("kms-rotation", "kms-rotaton"),
            r"exemptions\.0\.rule: there is no rule 'kms-rotaton'; did you mean",
        ),
        (RIGHT.replace("kms-rotation", "quux"), r"there is no rule 'quux'; docs/policies\.md lists them"),
        (RIGHT.replace('reason = "its material is imported"\n', ""), r"exemptions\.0\.reason: missing"),
        (RIGHT.replace("its material is imported", "because"), r"exemptions\.0\.reason: .*20"),
        (RIGHT.replace("expires = 2026-12-31\n", ""), r"exemptions\.0\.expires: missing"),
        (RIGHT.replace("2026-12-31", '"soon"'), r"exemptions\.0\.expires: .*date"),
        (f"{RIGHT}until = 2027-01-01\n", r"exemptions\.0\.until: unknown key"),
        ("rule = [", "no valid TOML"),
    ],
)
def test_a_file_that_is_not_right_is_said_so(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "exemptions.toml"
    file.write_text(f"[[exemptions]]\n{text}")
    with pytest.raises(ExemptionError, match=rf"^exemptions\.toml: .*{said}"):
        load_exemptions(file)


def test_the_document_is_fresh() -> None:
    assert DOCUMENT.read_text() == table(load_exemptions()), "write it anew: python -m infra.policies --write"


def test_the_table_holds_every_rule_and_exemption(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    printed = capsys.readouterr().out
    for rule in ALL_RULES:
        assert f"| `{rule.id}`" in printed
        assert all(source.url in printed for source in rule.sources)
    assert all(each.reason in printed for each in load_exemptions())
    assert f"{len(ALL_RULES)} rules" in printed
