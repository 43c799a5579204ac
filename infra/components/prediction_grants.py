"""Lake Formation's grants on the predictions: to the roles that predict in batches, and to those that query the result.

No role of the stack does either: `drivetrain predict --batch` runs with the rights of whoever calls it. So the stack's
settings name the roles (`lake.prediction_writers`, `lake.prediction_readers`), and without a name nothing is granted.
What the roles need of IAM besides is theirs, as the stack declares no people.
"""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from infra.names import Layer
from infra.platform_outputs import PlatformOutputs


class PredictionGrants(pulumi.ComponentResource):
    """A grant for each thing that a role does; a role that writes and reads has one of both, so that none overlap.

    A writer finds the rows of `curated`, makes the tables of predictions and commits to them. It reads and writes the
    files with its own role, as the jobs do: no `SELECT`. A commit to a table that another writer made is `ALTER`. A
    reader queries through Athena, to which Lake Formation hands the files only with `SELECT`. Nobody is granted the
    location: tables inside that of their database need none, and with it a writer could make a table over the files of
    another database, whose rows its maker may read.
    """

    def __init__(self, name: str, platform: PlatformOutputs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:platform:PredictionGrants", name, None, opts)
        # Other permissions are a new grant: made first, it would lose to the old one's end what both of them grant.
        self._child = pulumi.ResourceOptions(parent=self, delete_before_replace=True)
        self._databases: Mapping[Layer, pulumi.Output[str]] = platform.databases
        lake = platform.settings.lake
        for role in dict.fromkeys([*lake.prediction_writers, *lake.prediction_readers]):
            writes, reads = role in lake.prediction_writers, role in lake.prediction_readers
            if writes:
                self._on(role, "curated", database=["DESCRIBE"], tables=["DESCRIBE"])
            self._on(
                role,
                "predictions",
                database=[*(["CREATE_TABLE"] if writes else []), "DESCRIBE"],
                tables=[*(["ALTER"] if writes else []), "DESCRIBE", *(["SELECT"] if reads else [])],
            )
        self.register_outputs({})

    def _on(self, role: str, layer: Layer, *, database: Sequence[str], tables: Sequence[str]) -> None:
        aws.lakeformation.Permissions(
            f"predictions-{_named(role)}-{layer}",
            principal=role,
            permissions=database,
            database=aws.lakeformation.PermissionsDatabaseArgs(name=self._databases[layer]),
            opts=self._child,
        )
        aws.lakeformation.Permissions(
            f"predictions-{_named(role)}-{layer}-tables",
            principal=role,
            permissions=tables,
            table=aws.lakeformation.PermissionsTableArgs(database_name=self._databases[layer], wildcard=True),
            opts=self._child,
        )


def _named(role: str) -> str:
    """A role's name is its own in an account, whatever its path is."""
    return role.rsplit("/", 1)[-1]
