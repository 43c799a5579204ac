"""The provider as the real engine calls it: the order and the fields of pkg/resource/plugin/provider_plugin.go."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from rehearsal.provider.aws_clients import EnvironmentClients
from rehearsal.provider.registry import handlers
from rehearsal.provider.server import AwsProvider
from rehearsal.provider.wire import SECRET, SIGNATURE, UNKNOWN, from_struct, to_struct

QUEUE = "aws:sqs/queue:Queue"
PROVIDER = "urn:pulumi:s::p::pulumi:providers:aws::aws"


def named(token: str, name: str = "jobs") -> Any:
    return {"urn": f"urn:pulumi:s::p::{token}::{name}", "name": name, "type": token}


def environment(moto_url: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": moto_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }


@pytest.fixture
def engine(moto_url: str) -> Iterator[Any]:
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(AwsProvider(environment(moto_url)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield provider_pb2_grpc.ResourceProviderStub(channel)
    server.stop(None).wait()


@pytest.fixture
def configured(engine: Any) -> Any:
    engine.Handshake(provider_pb2.ProviderHandshakeRequest(engine_address="127.0.0.1:1", configure_with_urn=True))
    engine.Attach(plugin_pb2.PluginAttach(address="127.0.0.1:1"))
    args = {"region": "eu-west-1", "defaultTags": '{"tags": {"project": "drivetrain"}}', "version": "7.51.1"}
    engine.Configure(provider_pb2.ConfigureRequest(urn=PROVIDER, args=to_struct(args), acceptSecrets=True))
    return engine


def check(engine: Any, token: str, news: dict[str, Any], olds: dict[str, Any] | None = None) -> dict[str, Any]:
    request = provider_pb2.CheckRequest(
        olds=to_struct(olds or {}), news=to_struct(news), randomSeed=b"seed", **named(token)
    )
    answer = engine.Check(request)
    assert not answer.failures
    return from_struct(answer.inputs)


def diff(engine: Any, token: str, olds: dict[str, Any], news: dict[str, Any], **more: Any) -> Any:
    return engine.Diff(
        provider_pb2.DiffRequest(
            id="x", olds=to_struct(olds), old_inputs=to_struct(olds), news=to_struct(news), **named(token), **more
        )
    )


def test_a_resource_lives_through_create_diff_update_refresh_and_delete(configured: Any) -> None:
    inputs = check(configured, QUEUE, {"visibilityTimeoutSeconds": 30, "tags": {"a": "b"}})
    assert inputs["name"].startswith("jobs-")
    assert inputs["tagsAll"] == {"a": "b", "project": "drivetrain"}

    preview = configured.Create(provider_pb2.CreateRequest(properties=to_struct(inputs), preview=True, **named(QUEUE)))
    assert (preview.id, from_struct(preview.properties)["name"]) == ("", inputs["name"])
    made = configured.Create(provider_pb2.CreateRequest(properties=to_struct(inputs), **named(QUEUE)))
    state = from_struct(made.properties)
    assert state["arn"].startswith("arn:aws:sqs:eu-west-1:")
    assert state["tagsAll"] == {"a": "b", "project": "drivetrain"}

    again = check(configured, QUEUE, {"visibilityTimeoutSeconds": 45, "tags": {"a": "b"}}, inputs)
    assert again["name"] == inputs["name"]
    unchanged = diff(configured, QUEUE, inputs, inputs)
    assert unchanged.changes == provider_pb2.DiffResponse.DIFF_NONE
    answer = diff(configured, QUEUE, inputs, again)
    assert answer.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert (list(answer.diffs), list(answer.replaces)) == (["visibilityTimeoutSeconds"], [])
    assert answer.detailedDiff["visibilityTimeoutSeconds"].kind == provider_pb2.PropertyDiff.UPDATE

    update = provider_pb2.UpdateRequest(
        id=made.id, olds=made.properties, old_inputs=to_struct(inputs), news=to_struct(again), **named(QUEUE)
    )
    assert from_struct(configured.Update(update).properties)["visibilityTimeoutSeconds"] == 45

    read = provider_pb2.ReadRequest(id=made.id, properties=made.properties, inputs=to_struct(inputs), **named(QUEUE))
    refreshed = configured.Read(read)
    assert refreshed.id == made.id
    assert from_struct(refreshed.inputs)["visibilityTimeoutSeconds"] == 45
    configured.Delete(provider_pb2.DeleteRequest(id=made.id, properties=refreshed.properties, **named(QUEUE)))
    assert configured.Read(read).id == ""
    configured.Delete(provider_pb2.DeleteRequest(id=made.id, properties=refreshed.properties, **named(QUEUE)))


def test_a_replacement_and_its_order_are_told(configured: Any) -> None:
    token = "aws:s3/bucket:Bucket"
    auto = check(configured, token, {"objectLockEnabled": False})
    answer = diff(configured, token, auto, check(configured, token, {"objectLockEnabled": True}, auto))
    assert list(answer.replaces) == ["objectLockEnabled"]
    assert answer.detailedDiff["objectLockEnabled"].kind == provider_pb2.PropertyDiff.UPDATE_REPLACE
    assert not answer.deleteBeforeReplace
    fixed = check(configured, token, {"bucket": "lake", "objectLockEnabled": False})
    answer = diff(configured, token, fixed, {**fixed, "objectLockEnabled": True})
    assert answer.deleteBeforeReplace


def test_unknown_and_secret_values_pass_in_a_preview(configured: Any) -> None:
    news = {"kmsMasterKeyId": UNKNOWN, "policy": {SIGNATURE: SECRET, "value": "{}"}}
    inputs = check(configured, QUEUE, news)
    assert (inputs["kmsMasterKeyId"], inputs["policy"]) == (UNKNOWN, "{}")
    answer = diff(configured, QUEUE, {**inputs, "kmsMasterKeyId": "key"}, inputs)
    assert list(answer.diffs) == ["kmsMasterKeyId"]
    request = provider_pb2.UpdateRequest(
        id="u",
        olds=to_struct({"arn": "a"}),
        old_inputs=to_struct({}),
        news=to_struct(inputs),
        preview=True,
        **named(QUEUE),
    )
    known = from_struct(configured.Update(request).properties)
    assert (known["arn"], known["kmsMasterKeyId"]) == ("a", UNKNOWN)


def test_changes_to_ignore_are_ignored(configured: Any) -> None:
    olds = check(configured, QUEUE, {"delaySeconds": 1})
    answer = diff(configured, QUEUE, olds, {**olds, "delaySeconds": 2}, ignoreChanges=["delaySeconds"])
    assert answer.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_an_import_tells_inputs_from_outputs(configured: Any, moto_url: str) -> None:
    aws = EnvironmentClients(environment(moto_url), region="eu-west-1")
    url = aws.client("sqs").create_queue(QueueName="imported")["QueueUrl"]
    answer = configured.Read(provider_pb2.ReadRequest(id=url, **named(QUEUE)))
    inputs, outputs = from_struct(answer.inputs), from_struct(answer.properties)
    assert inputs["name"] == "imported"
    assert "arn" in outputs
    assert "arn" not in inputs
    assert configured.Read(provider_pb2.ReadRequest(id=url + "-gone", **named(QUEUE))).id == ""


def test_an_import_takes_the_tags_that_the_provider_does_not_add(configured: Any, moto_url: str) -> None:
    aws = EnvironmentClients(environment(moto_url), region="eu-west-1")
    own = {"owner": "me", "project": "drivetrain"}
    url = aws.client("sqs").create_queue(QueueName="tagged", tags=own)["QueueUrl"]
    inputs = from_struct(configured.Read(provider_pb2.ReadRequest(id=url, **named(QUEUE))).inputs)
    assert (inputs["tags"], inputs["tagsAll"]) == ({"owner": "me"}, own)
    checked = check(configured, QUEUE, {key: value for key, value in inputs.items() if key != "tagsAll"}, inputs)
    assert diff(configured, QUEUE, inputs, checked).changes == provider_pb2.DiffResponse.DIFF_NONE


def test_a_refusal_of_aws_is_one_clear_line(configured: Any) -> None:
    token = "aws:s3/bucketVersioning:BucketVersioning"
    inputs = check(configured, token, {"bucket": "no-such", "versioningConfiguration": {"status": "Enabled"}})
    with pytest.raises(grpc.RpcError) as refused:
        configured.Create(provider_pb2.CreateRequest(properties=to_struct(inputs), **named(token)))
    error: Any = refused.value
    assert error.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert error.details().startswith("PutBucketVersioning: NoSuchBucket")
    assert "\n" not in error.details()


def test_a_type_that_is_not_served_fails_its_check(configured: Any) -> None:
    answer = configured.Check(provider_pb2.CheckRequest(news=to_struct({}), **named("aws:lex/bot:Bot")))
    assert "no handler for aws:lex/bot:Bot" in answer.failures[0].reason


def test_the_provider_checks_its_own_settings_and_the_account(engine: Any) -> None:
    bad = provider_pb2.CheckRequest(urn=PROVIDER, news=to_struct({"defaultTags": "{"}))
    assert "defaultTags" in engine.CheckConfig(bad).failures[0].reason
    good = provider_pb2.CheckRequest(urn=PROVIDER, news=to_struct({"region": UNKNOWN}))
    assert from_struct(engine.CheckConfig(good).inputs) == {"region": UNKNOWN}
    moved = provider_pb2.DiffRequest(
        urn=PROVIDER,
        old_inputs=to_struct({"region": "a", "profile": "x"}),
        news=to_struct({"region": "b", "profile": "y"}),
    )
    answer = engine.DiffConfig(moved)
    assert (list(answer.replaces), list(answer.diffs)) == (["region"], ["profile", "region"])
    other = to_struct({"allowedAccountIds": '["999999999999"]'})
    with pytest.raises(grpc.RpcError, match="allows only 999999999999"):
        engine.Configure(provider_pb2.ConfigureRequest(args=other))


def test_two_connections_keep_their_own_configuration(moto_url: str) -> None:
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(AwsProvider(environment(moto_url)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    regions: list[str] = []
    own = [("grpc.use_local_subchannel_pool", 1)]
    with (
        grpc.insecure_channel(f"127.0.0.1:{port}", options=own) as first,
        grpc.insecure_channel(f"127.0.0.1:{port}", options=own) as second,
    ):
        stubs = [provider_pb2_grpc.ResourceProviderStub(channel) for channel in (first, second)]
        for stub, region in zip(stubs, ("eu-west-1", "us-west-2"), strict=True):
            stub.Configure(provider_pb2.ConfigureRequest(args=to_struct({"region": region})))
        for stub in stubs:
            answer = stub.Invoke(provider_pb2.InvokeRequest(tok="aws:index/getRegion:getRegion"))
            regions.append(from_struct(getattr(answer, "return"))["region"])
    server.stop(None).wait()
    assert regions == ["eu-west-1", "us-west-2"]


def test_what_the_engine_asks_of_any_plugin(engine: Any) -> None:
    assert engine.GetPluginInfo(empty_pb2.Empty()).version.startswith("7.51")
    schema = json.loads(engine.GetSchema(provider_pb2.GetSchemaRequest()).schema)
    assert schema["name"] == "aws"
    assert schema["resources"].keys() == handlers().keys()  # `pulumi import` writes programs for these
    assert {"name", "delaySeconds", "tags"} <= schema["resources"][QUEUE]["inputProperties"].keys()
    assert list(engine.GetMappings(provider_pb2.GetMappingsRequest()).providers) == []
    assert not engine.Handshake(provider_pb2.ProviderHandshakeRequest()).accept_secrets
    engine.Cancel(empty_pb2.Empty())
    with pytest.raises(grpc.RpcError, match="before it was configured"):
        engine.Invoke(provider_pb2.InvokeRequest(tok="aws:index/getRegion:getRegion"))


@pytest.mark.slow
def test_the_process_prints_its_port_and_ends_when_told(moto_url: str) -> None:
    command = [sys.executable, "-m", "rehearsal.provider", "127.0.0.1:1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, **environment(moto_url)})
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            info = provider_pb2_grpc.ResourceProviderStub(channel).GetPluginInfo(empty_pb2.Empty())
        assert info.version
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        if process.stdout is not None:
            process.stdout.close()
