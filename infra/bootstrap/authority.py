"""Who may look at a stack and who may change it: its roles, the boundary of what they make, and its signing key.

All of it stands at a path above the stack's own (`names.bootstrap_path`), which no right of a deploy role reaches.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.bootstrap.boundary import boundary
from infra.bootstrap.deploying import POLICIES
from infra.bootstrap.promoting import promoting
from infra.bootstrap.reach import Reach
from infra.bootstrap.reading import READING
from infra.bootstrap.settings import BootstrappedStack, BootstrapSettings
from infra.bootstrap.trust import deploy_trust, preview_trust, promotion_trust
from infra.components.keys import administered_by_account
from infra.iam import Statement, policy_output
from infra.names import PROMOTED_TO

_SESSION_S = 4 * 3600
"""How long a role may be held at most: a canary deployment of many endpoints takes hours."""


@dataclass(frozen=True, kw_only=True)
class AuthorityArgs:
    """The account, one of its stacks, and the key of its state."""

    settings: BootstrapSettings
    stack: BootstrappedStack
    state_key_arn: pulumi.Input[str]


class Authority(pulumi.ComponentResource):
    """Deploy role, preview role, boundary and signing key of one stack."""

    deploy_role_arn: pulumi.Output[str]
    preview_role_arn: pulumi.Output[str]
    signing_key_arn: pulumi.Output[str]

    def __init__(self, name: str, args: AuthorityArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:bootstrap:Authority", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._names = args.settings.names(args.stack.stack)
        self.signing_key_arn = self._signing_key()
        reach = Reach(
            names=self._names,
            protect=args.stack.protect,
            state_key_arn=args.state_key_arn,
            signing_key_arn=self.signing_key_arn,
        )
        self._policy("boundary", self._names.boundary, "The most that a role of the stack may do", boundary(reach))
        reading = self._policies({kind: rights(reach) for kind, rights in READING.items()})
        deploy = self._role("deploy", self._names.deploy_role, deploy_trust(args.stack, args.settings.account_id))
        preview = self._role("preview", self._names.preview_role, preview_trust(args.stack, args.settings.account_id))
        writing = self._policies({kind: rights(reach) for kind, rights in POLICIES.items()})
        self._attach(preview, "preview", reading)
        self._attach(deploy, "deploy", {**reading, **writing})
        self._promotion(reach)
        self.deploy_role_arn, self.preview_role_arn = deploy.arn, preview.arn
        self.register_outputs({"deploy": deploy.arn, "preview": preview.arn, "signing_key": self.signing_key_arn})

    def _promotion(self, reach: Reach) -> None:
        """What the workflow of the next stack reads with, where there is a next one."""
        next_stack = PROMOTED_TO.get(self._args.stack.stack)
        if next_stack is None:
            return
        trust = promotion_trust(self._args.stack, self._args.settings.account_id, next_stack)
        role = self._role("promotion", self._names.promotion_role, trust)
        self._attach(role, "promotion", self._policies({"promoting": promoting(reach)}))

    def _signing_key(self) -> pulumi.Output[str]:
        """Signs releases and images: whoever holds the artefact can tell that this stack's own pipeline made it."""
        protect = self._args.stack.protect
        key = aws.kms.Key(
            f"{self._name}-signing",
            description=f"{self._names.project}-{self._names.authority}: signs releases and images",
            customer_master_key_spec="ECC_NIST_P256",
            key_usage="SIGN_VERIFY",
            policy=administered_by_account(self._names.account_id),
            deletion_window_in_days=30 if protect else 7,
            opts=pulumi.ResourceOptions(parent=self, protect=protect),
        )
        aws.kms.Alias(
            f"{self._name}-signing",
            name=f"alias/{self._names.signing_key_alias}",
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=key),
        )
        return key.arn

    def _role(self, kind: str, name: str, trust: str) -> aws.iam.Role:
        return aws.iam.Role(
            f"{self._name}-{kind}",
            name=name,
            path=self._names.bootstrap_path,
            description=f"{kind.capitalize()} of the stack {self._name}",
            assume_role_policy=trust,
            max_session_duration=_SESSION_S if kind == "deploy" else 3600,
            opts=self._child,
        )

    def _policies(self, statements: Mapping[str, Sequence[Statement]]) -> dict[str, pulumi.Output[str]]:
        prefix = f"{self._names.project}-{self._names.authority}"
        return {kind: self._policy(kind, f"{prefix}-{kind}", f"May {kind}", each) for kind, each in statements.items()}

    def _policy(self, kind: str, name: str, description: str, statements: Sequence[Statement]) -> pulumi.Output[str]:
        policy = aws.iam.Policy(
            f"{self._name}-{kind}",
            name=name,
            path=self._names.bootstrap_path,
            description=f"{self._name}: {description}",
            policy=policy_output(*statements),
            opts=self._child,
        )
        return policy.arn

    def _attach(self, role: aws.iam.Role, holder: str, policies: Mapping[str, pulumi.Output[str]]) -> None:
        for kind, arn in policies.items():
            aws.iam.RolePolicyAttachment(
                f"{self._name}-{holder}-{kind}",
                role=role.name,
                policy_arn=arn,
                opts=pulumi.ResourceOptions(parent=role),
            )
