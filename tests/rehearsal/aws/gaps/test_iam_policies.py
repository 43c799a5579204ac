"""Managed policies that are read while others are made."""

from moto.iam.models import IAMBackend

from rehearsal.aws.gaps.iam_policies import SteadyDict, install


def test_what_is_added_meanwhile_disturbs_nobody() -> None:
    policies = SteadyDict(one=1)
    for number, _ in enumerate(policies.values()):
        policies[str(number)] = number
    assert len(policies) == 2


def test_an_account_has_them_so() -> None:
    install()
    assert isinstance(IAMBackend("us-east-1", "123456789012").managed_policies, SteadyDict)
