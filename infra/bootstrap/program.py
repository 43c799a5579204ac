"""The bootstrap of one account and region: where state is kept, and who may deploy what."""

import pulumi
import pulumi_aws as aws

from infra.bootstrap.authority import Authority, AuthorityArgs
from infra.bootstrap.settings import PROJECT, BootstrapSettings, parse_bootstrap
from infra.bootstrap.state_store import StateStore, StateStoreArgs
from infra.bootstrap.trust_names import AUDIENCE, ISSUER
from infra.provider import through
from infra.settings import SettingsError


def declare() -> None:
    """Declare the bootstrap that `drivetrain bootstrap` handed over as configuration."""
    try:
        settings = parse_bootstrap(pulumi.Config(PROJECT).require_object("settings"))
    except SettingsError as error:
        # The one exception that Pulumi shows as a message, without a traceback.
        raise pulumi.RunError(str(error)) from error
    _declare(settings)


def _declare(settings: BootstrapSettings) -> None:
    opts = through(
        aws.Provider(
            "aws",
            region=aws.Region(settings.region),
            allowed_account_ids=[settings.account_id],
            default_tags=aws.ProviderDefaultTagsArgs(tags=settings.default_tags),
        )
    )
    state = StateStore("state", StateStoreArgs(settings=settings), opts)
    if settings.has_github and settings.identity_provider == "declared":
        GitHub("github", settings, opts)
    authorities = {
        each.stack: Authority(
            each.stack, AuthorityArgs(settings=settings, stack=each, state_key_arn=state.key_arn), opts
        )
        for each in settings.stacks
    }
    pulumi.export("state_bucket", state.bucket)
    pulumi.export("deploy_roles", {name: each.deploy_role_arn for name, each in authorities.items()})
    pulumi.export("preview_roles", {name: each.preview_role_arn for name, each in authorities.items()})
    pulumi.export("signing_keys", {name: each.signing_key_arn for name, each in authorities.items()})
    repositories = {each.stack: each.github.subject_names for each in settings.stacks if each.github}
    pulumi.export("repositories", repositories)


class GitHub(pulumi.ComponentResource):
    """The account's one provider of identity for GitHub's workflows; each role's trust says whom it vouches for."""

    def __init__(self, name: str, settings: BootstrapSettings, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:bootstrap:GitHub", name, None, opts)
        aws.iam.OpenIdConnectProvider(
            name,
            url=f"https://{ISSUER}",
            client_id_lists=[AUDIENCE],
            # No thumbprint: AWS trusts GitHub's certificate through its own authorities.
            opts=pulumi.ResourceOptions(parent=self, protect=settings.protect),
        )
        self.register_outputs({})
