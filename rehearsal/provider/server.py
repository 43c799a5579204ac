"""The provider over gRPC, so that the real Pulumi engine applies the program to the rehearsal.

    python -m rehearsal.provider            # prints its port
    PULUMI_DEBUG_PROVIDERS=aws:PORT pulumi up

What the engine sends and expects is in `pkg/resource/plugin/provider_plugin.go` of pulumi/pulumi: it attaches, shakes
hands, then configures one connection for each provider of the program, which is why a configuration belongs to a peer.
Secrets are not accepted: the engine then takes them out before and marks the answers itself. An error that is ours or
AWS's answers FAILED_PRECONDITION, which the engine takes for "nothing was made".
"""

# ruff: noqa: N802  the methods are named by the service definition

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from rehearsal.provider import lifecycle
from rehearsal.provider.aws_clients import EnvironmentClients
from rehearsal.provider.configuration import ProviderConfiguration, ProviderConfigurationError
from rehearsal.provider.detail import detailed
from rehearsal.provider.handler import AwsClients, Properties
from rehearsal.provider.input_names import input_names
from rehearsal.provider.invokes import invoke
from rehearsal.provider.lifecycle import DEFAULTS, Difference
from rehearsal.provider.registry import UnknownResourceTypeError, handler_of, handlers
from rehearsal.provider.wire import from_struct, is_unknown, to_struct

_CHANGES = {True: provider_pb2.DiffResponse.DIFF_SOME, False: provider_pb2.DiffResponse.DIFF_NONE}


@dataclass(frozen=True, kw_only=True)
class _Connection:
    configuration: ProviderConfiguration
    clients: AwsClients


class NotConfiguredError(Exception):
    """The engine asks for resources before it configured the provider."""


class AwsProvider(provider_pb2_grpc.ResourceProviderServicer):
    """The resource provider `aws` of the rehearsal; `environment` holds endpoint, region and credentials."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._lock = threading.Lock()
        self._connections: dict[str, _Connection] = {}
        self._latest: _Connection | None = None

    def Handshake(self, request: Any, context: Any) -> Any:
        """What this provider understands: plain values only, and previews."""
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=False, accept_resources=False, accept_outputs=False, supports_autonaming_configuration=False
        )

    def Attach(self, request: Any, context: Any) -> Any:
        """The engine's address, which nothing here calls back."""
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """The version of the SDK whose types are served."""
        return plugin_pb2.PluginInfo(version=version("pulumi-aws"))

    def GetSchema(self, request: Any, context: Any) -> Any:
        """What `pulumi import` needs to write a program: the inputs of each type, without theirs."""
        return provider_pb2.GetSchemaResponse(schema=json.dumps(_schema()))

    def GetMapping(self, request: Any, context: Any) -> Any:
        """No mapping from Terraform."""
        return provider_pb2.GetMappingResponse()

    def GetMappings(self, request: Any, context: Any) -> Any:
        """No mapping from Terraform."""
        return provider_pb2.GetMappingsResponse()

    def Cancel(self, request: Any, context: Any) -> Any:
        """Every call here ends by itself within seconds."""
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: Any) -> Any:
        """The provider's settings as they are, or what is wrong with them."""
        inputs = from_struct(request.news)
        known = {key: value for key, value in inputs.items() if not is_unknown(value)}
        try:
            ProviderConfiguration.parse(known)
        except ProviderConfigurationError as error:
            return _refused(str(error))
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        """Another region is another provider, and replaces what it made."""
        olds, news = from_struct(request.old_inputs if request.HasField("old_inputs") else request.olds), request.news
        inputs = from_struct(news)
        changed = tuple(sorted(key for key in {*olds, *inputs} if olds.get(key) != inputs.get(key)))
        replaces = tuple(key for key in changed if key == "region")
        return _diff_answer(Difference(changed=changed, replaces=replaces), olds, inputs)

    def Configure(self, request: Any, context: Any) -> Any:
        """Take the settings of one connection into use; refuses a wrong account."""
        inputs = from_struct(request.args)
        if not inputs:
            inputs = {key.rsplit(":", 1)[-1]: value for key, value in request.variables.items()}
        try:
            configuration = ProviderConfiguration.parse(inputs)
            clients = EnvironmentClients(self._environment, region=configuration.region or None)
            configuration.check_account(clients)
        except Exception as error:  # everything that is wrong is said to the user
            _abort(context, error)
        connection = _Connection(configuration=configuration, clients=clients)
        with self._lock:
            self._connections[context.peer()] = self._latest = connection
        return provider_pb2.ConfigureResponse(
            acceptSecrets=False, acceptResources=False, acceptOutputs=False, supportsPreview=True
        )

    def Invoke(self, request: Any, context: Any) -> Any:
        """A data source."""
        try:
            answer = invoke(self._of(context).clients, request.tok, from_struct(request.args))
        except Exception as error:
            _abort(context, error)
        fields: dict[str, Any] = {"return": to_struct(answer)}
        return provider_pb2.InvokeResponse(**fields)

    def Check(self, request: Any, context: Any) -> Any:
        """The inputs with names and default tags filled in."""
        try:
            handler = handler_of(_type(request))
        except UnknownResourceTypeError as error:
            return _refused(str(error))
        try:
            inputs = lifecycle.check(
                handler,
                logical_name=request.name or request.urn.split("::", 3)[3],
                old_inputs=from_struct(request.olds) or None,
                new_inputs=from_struct(request.news),
                default_tags=self._of(context).configuration.default_tags,
                seed=request.randomSeed,
            )
        except Exception as error:
            _abort(context, error)
        return provider_pb2.CheckResponse(inputs=to_struct(inputs))

    def Diff(self, request: Any, context: Any) -> Any:
        """What changed between two sets of checked inputs, and what it takes."""
        olds, news = _old_inputs(request), from_struct(request.news)
        for path in request.ignoreChanges:
            key = path.split(".")[0].split("[")[0]
            if key in olds:
                news[key] = olds[key]
        difference = lifecycle.diff(handler_of(_type(request)), old_inputs=olds, new_inputs=news)
        return _diff_answer(difference, olds, news)

    def Create(self, request: Any, context: Any) -> Any:
        """Make the resource; in a preview its inputs are all that is known."""
        inputs = from_struct(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=to_struct(_visible(inputs)))
        try:
            created = lifecycle.create(handler_of(_type(request)), self._of(context).clients, inputs)
        except Exception as error:
            _abort(context, error)
        return provider_pb2.CreateResponse(id=created.id, properties=to_struct(created.outputs))

    def Read(self, request: Any, context: Any) -> Any:
        """The resource as AWS holds it: for a refresh what the state knows comes along, for an import only the id."""
        state, inputs = from_struct(request.properties), from_struct(request.inputs)
        token = _type(request)
        try:
            outputs = lifecycle.read(handler_of(token), self._of(context).clients, request.id, {**inputs, **state})
        except Exception as error:
            _abort(context, error)
        if outputs is None:
            return provider_pb2.ReadResponse()
        if inputs:
            inputs = lifecycle.drifted_inputs(inputs, state, outputs)
        else:
            names = input_names(token)
            inputs = {key: value for key, value in outputs.items() if key in names}
            inputs |= _own_tags(outputs.get("tagsAll"), self._of(context).configuration.default_tags)
        return provider_pb2.ReadResponse(id=request.id, properties=to_struct(outputs), inputs=to_struct(inputs))

    def Update(self, request: Any, context: Any) -> Any:
        """Change the resource in place."""
        olds, news = _old_inputs(request), from_struct(request.news)
        if request.preview:
            known = lifecycle.previewed_outputs(from_struct(request.olds), news)
            return provider_pb2.UpdateResponse(properties=to_struct(known))
        try:
            clients = self._of(context).clients
            outputs = lifecycle.update(handler_of(_type(request)), clients, request.id, olds, news)
        except Exception as error:
            _abort(context, error)
        return provider_pb2.UpdateResponse(properties=to_struct(outputs))

    def Delete(self, request: Any, context: Any) -> Any:
        """Remove the resource."""
        try:
            state = from_struct(request.properties)
            lifecycle.delete(handler_of(_type(request)), self._of(context).clients, request.id, state)
        except Exception as error:
            _abort(context, error)
        return empty_pb2.Empty()

    def _of(self, context: Any) -> _Connection:
        with self._lock:
            connection = self._connections.get(context.peer()) or self._latest
        if connection is None:
            raise NotConfiguredError("the provider was asked before it was configured")
        return connection


def _own_tags(every: Mapping[str, str] | None, default: Mapping[str, str]) -> Properties:
    """The tag inputs of a resource that is imported: what the provider adds by itself is no tag of the program's."""
    if every is None:
        return {}
    own = {key: value for key, value in every.items() if default.get(key) != value}
    return {"tags": own, "tagsAll": dict(every)}


def _schema() -> dict[str, Any]:
    anything = {"$ref": "pulumi.json#/Any"}
    return {
        "name": "aws",
        "version": version("pulumi-aws"),
        "meta": {"moduleFormat": "(.*)(?:/[^/]*)"},
        "resources": {token: {"inputProperties": dict.fromkeys(input_names(token), anything)} for token in handlers()},
    }


def _type(request: Any) -> str:
    return str(request.type or request.urn.split("::", 3)[2].rsplit("$", 1)[-1])


def _old_inputs(request: Any) -> Properties:
    """Engines from before 3.75 send only the old outputs."""
    return from_struct(request.old_inputs if request.HasField("old_inputs") else request.olds)


def _visible(inputs: Properties) -> Properties:
    return {key: value for key, value in inputs.items() if key != DEFAULTS}


def _refused(reason: str) -> Any:
    return provider_pb2.CheckResponse(failures=[provider_pb2.CheckFailure(property="", reason=reason)])


def _diff_answer(difference: Difference, olds: Properties, news: Properties) -> Any:
    kinds = detailed(difference, olds, news)
    return provider_pb2.DiffResponse(
        changes=_CHANGES[bool(difference.changed)],
        diffs=difference.changed,
        replaces=difference.replaces,
        deleteBeforeReplace=difference.delete_before_replace,
        detailedDiff={
            path: provider_pb2.PropertyDiff(kind=provider_pb2.PropertyDiff.Kind.Value(kind), inputDiff=True)
            for path, kind in kinds.items()
        },
        hasDetailedDiff=True,
    )


_EXPECTED = (
    lifecycle.AwsRefusedError,
    UnknownResourceTypeError,
    ProviderConfigurationError,
    NotConfiguredError,
)


def _abort(context: Any, error: Exception) -> NoReturn:
    expected = isinstance(error, _EXPECTED)
    text = " ".join(str(error).split())
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, text if expected else f"{type(error).__name__}: {text}")
    raise RuntimeError("abort returned")
