"""A small state with two models, in the format of `pulumi stack export`, as the program leaves it."""

from typing import Any

MODELS = ("auto-mpg", "bikes")
_PROJECT = "drivetrain"


def urn(stack: str, qualified: str, name: str) -> str:
    return f"urn:pulumi:{stack}::{_PROJECT}::{qualified}::{name}"


STACK = urn("dev", "pulumi:pulumi:Stack", "drivetrain-dev")
PROVIDER = urn("dev", "pulumi:providers:aws", "aws")
CATALOG = urn("dev", "drivetrain:platform:Catalog", "catalog")
DATABASE = urn("dev", "drivetrain:platform:Catalog$aws:glue/catalogDatabase:CatalogDatabase", "curated")


def _component(qualified: str, name: str, parent: str = STACK) -> dict[str, Any]:
    type_ = qualified.rsplit("$", maxsplit=1)[-1]
    return {"urn": urn("dev", qualified, name), "custom": False, "type": type_, "parent": parent}


def _resource(qualified: str, name: str, parent: str, needs: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "urn": urn("dev", qualified, name),
        "custom": True,
        "id": f"{name}-id",
        "type": qualified.rsplit("$", maxsplit=1)[-1],
        "parent": parent,
        "provider": f"{PROVIDER}::a-uuid",
        "inputs": {"name": name, "empty": ""},
        "outputs": {"arn": f"arn:{name}"},
        "dependencies": list(needs),
        "propertyDependencies": {"database": list(needs), "name": []},
    }


def _model(name: str) -> list[dict[str, Any]]:
    model = _component("drivetrain:model:Model", name)
    role = _resource("drivetrain:model:Model$aws:iam/role:Role", f"{name}-train", model["urn"], (DATABASE,))
    job = _resource("drivetrain:model:Model$aws:glue/job:Job", name, model["urn"], (DATABASE, role["urn"]))
    grants = _component("drivetrain:platform:LakeGrants", name)
    grant = _resource(
        "drivetrain:platform:LakeGrants$aws:lakeformation/permissions:Permissions",
        f"{name}-curated",
        grants["urn"],
        (role["urn"],),
    )
    return [model, role, job, grants, {**grant, "protect": True, "deletedWith": role["urn"]}]


def _query(name: str) -> dict[str, Any]:
    table = name.replace("-", "_")
    return _resource(
        "drivetrain:platform:Catalog$aws:athena/namedQuery:NamedQuery", f"{table}-refused", CATALOG, (DATABASE,)
    )


def whole() -> dict[str, Any]:
    """Everything in one stack."""
    stack = {"urn": STACK, "custom": False, "type": "pulumi:pulumi:Stack"}
    outputs = {
        "buckets": {"lake": "a-bucket"},
        "platform": {"workgroup": "drivetrain-dev"},
        "state_machines": {model: f"arn:{model}" for model in MODELS},
        "endpoints": {},
        "images": {"training": "uri"},
    }
    provider = {"urn": PROVIDER, "custom": True, "id": "a-uuid", "type": "pulumi:providers:aws", "parent": STACK}
    database = _resource(DATABASE.split("::")[2], "curated", CATALOG)
    resources = [
        {**stack, "outputs": outputs},
        provider,
        _component("drivetrain:platform:Catalog", "catalog"),
        database,
        *(_query(model) for model in MODELS),
        *(entry for model in MODELS for entry in _model(model)),
    ]
    providers = {"type": "cloud", "state": {"url": "awskms://alias/state", "encryptedkey": "a-key"}}
    manifest = {"time": "2026-11-21T15:00:00Z", "magic": "m", "version": "v3.260.0"}
    return {
        "version": 3,
        "deployment": {"manifest": manifest, "secrets_providers": providers, "resources": resources, "metadata": {}},
    }


def named_in(document: dict[str, Any]) -> set[str]:
    """Every URN that a state names anywhere."""
    found: set[str] = set()
    for entry in document["deployment"]["resources"]:
        found |= {entry["urn"], entry.get("parent", ""), entry.get("deletedWith", "")}
        found |= {entry.get("provider", "").rpartition("::")[0], *entry.get("dependencies", [])}
        found |= {urn for urns in entry.get("propertyDependencies", {}).values() for urn in urns}
    return found - {""}
