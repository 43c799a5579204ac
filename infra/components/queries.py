"""The questions that everyone asks of a table, kept in Athena for every model."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.names import Layer, Names


@dataclass(frozen=True, kw_only=True)
class Query:
    """One question: where its table is, what it answers, and its SQL with `{database}` and `{table}` left open."""

    name: str
    layer: Layer
    description: str
    template: str

    def sql(self, database: str, table: str) -> str:
        """The query of one table; names of databases and tables hold no quotes."""
        return self.template.format(database=database, table=table)


QUERIES = (
    Query(
        name="snapshots",
        layer="curated",
        description="Versions of the dataset, newest first",
        template='SELECT committed_at, snapshot_id, operation, summary FROM "{database}"."{table}$snapshots" '
        "ORDER BY committed_at DESC",
    ),
    Query(
        name="origins",
        layer="curated",
        description="Rows by the object that they came from",
        template='SELECT _object, count(*) AS row_count, max(_ingested_at) AS ingested_at FROM "{database}"."{table}" '
        "GROUP BY _object ORDER BY ingested_at DESC",
    ),
    Query(
        name="refused",
        layer="quarantine",
        description="Reasons why rows were refused, most frequent first",
        template='SELECT reason, count(*) AS row_count, max(ingested_at) AS last_seen FROM "{database}"."{table}" '
        "GROUP BY reason ORDER BY row_count DESC",
    ),
)


def declare_queries(
    table: str,
    names: Names,
    databases: Mapping[Layer, pulumi.Output[str]],
    workgroup: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> None:
    """Keep the queries of one table: with the catalog where all is one stack, else with the table's model."""
    for query in QUERIES:
        aws.athena.NamedQuery(
            f"{table}-{query.name}",
            name=f"{table} {query.name}",
            description=query.description,
            database=databases[query.layer],
            workgroup=workgroup,
            query=query.sql(names.database(query.layer), table),
            opts=opts,
        )
