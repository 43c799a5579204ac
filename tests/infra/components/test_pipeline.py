"""The pipeline as a stack declares it: jobs, state machine, triggers, and what its role may do."""

import json
from typing import Any


def statements(program: Any, job: str) -> dict[str, dict[str, Any]]:
    (policy,) = [
        each for each in program.of("aws:iam/rolePolicy:RolePolicy") if each.inputs["role"].endswith(f"-auto-mpg-{job}")
    ]
    return {each["Sid"]: each for each in policy.policy()["Statement"]}


def resources(statement: dict[str, Any]) -> list[str]:
    resource = statement["Resource"]
    return [resource] if isinstance(resource, str) else resource


def test_the_state_machine_is_logged_traced_and_encrypted(program: Any) -> None:
    (machine,) = program.of("aws:sfn/stateMachine:StateMachine")
    assert machine.inputs["type"] == "STANDARD"
    logging = machine.inputs["loggingConfiguration"]
    assert (logging["level"], logging["includeExecutionData"]) == ("ALL", True)
    assert logging["logDestination"].endswith(":*")
    assert machine.inputs["tracingConfiguration"] == {"enabled": True}
    assert machine.inputs["encryptionConfiguration"]["type"] == "CUSTOMER_MANAGED_KMS_KEY"
    assert machine.inputs["encryptionConfiguration"]["kmsKeyId"]


def test_the_definition_names_what_the_stack_declares(program: Any) -> None:
    (machine,) = program.of("aws:sfn/stateMachine:StateMachine")
    states = json.loads(machine.inputs["definition"])["States"]
    jobs = {job.inputs["name"] for job in program.of("aws:glue/job:Job")}
    assert {states["Ingest"]["Parameters"]["JobName"], states["Validate"]["Parameters"]["JobName"]} == jobs
    (group,) = program.of("aws:sagemaker/modelPackageGroup:ModelPackageGroup")
    assert states["Register"]["Parameters"]["ModelPackageGroupName"] == group.inputs["modelPackageGroupName"]
    tags = {tag["Key"]: tag["Value"] for tag in states["Train"]["Parameters"]["Tags"]}
    assert tags["project"] == "drivetrain"
    assert tags["model"] == "auto-mpg"


def test_the_role_starts_and_watches_the_jobs_of_its_model_only(program: Any) -> None:
    allowed = statements(program, "pipeline")
    assert set(allowed["GlueJobs"]["Action"]) == {
        "glue:BatchStopJobRun",
        "glue:GetJobRun",
        "glue:GetJobRuns",
        "glue:StartJobRun",
    }
    (machine,) = program.of("aws:sfn/stateMachine:StateMachine")
    name_expression = json.loads(machine.inputs["definition"])["States"]["NameRun"]["Parameters"]["run"]["job.$"]
    prefix = name_expression.split("'")[1].removesuffix("{}")
    for sid, kind in (
        ("Train", "training-job"),
        ("TrainingJobs", "training-job"),
        ("Process", "processing-job"),
        ("ProcessingJobs", "processing-job"),
    ):
        (arn,) = resources(allowed[sid])
        assert arn.split(":")[-1] == f"{kind}/{prefix}*"
    assert all("auto-mpg" in arn for arn in resources(allowed["GlueJobs"]))
    rules = [arn.rsplit("/", 1)[1] for arn in resources(allowed["JobEvents"])]
    assert rules == [
        "StepFunctionsGetEventsForSageMakerTrainingJobsRule",
        "StepFunctionsGetEventsForSageMakerProcessingJobsRule",
    ]
    assert allowed["HandRolesToJobs"]["Condition"] == {
        "StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}
    }
    assert len(resources(allowed["HandRolesToJobs"])) == 2


def test_jobs_whose_volumes_are_encrypted_may_grant_that(program: Any) -> None:
    (machine,) = program.of("aws:sfn/stateMachine:StateMachine")
    states = json.loads(machine.inputs["definition"])["States"]
    train = states["Train"]["Parameters"]["ResourceConfig"]
    evaluate = states["Evaluate"]["Parameters"]["ProcessingResources"]["ClusterConfig"]
    for job, resources_of in {"train": train, "evaluate": evaluate}.items():
        grant = statements(program, job)["VolumeKey"]
        assert grant["Action"] == ["kms:CreateGrant"]
        assert grant["Resource"] == resources_of["VolumeKmsKeyId"]
        assert grant["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}


def test_the_pipeline_signs_with_its_stacks_key_alone(program: Any) -> None:
    (machine,) = program.of("aws:sfn/stateMachine:StateMachine")
    sign = statements(program, "pipeline")["SignRelease"]
    assert sign["Action"] == ["kms:Sign"]
    alias = json.loads(machine.inputs["definition"])["States"]["SignRelease"]["Parameters"]["KeyId"]
    assert alias == f"alias/{machine.inputs['name'].removesuffix('-auto-mpg')}-signing"
    assert sign["Condition"] == {"StringEquals": {"kms:RequestAlias": alias, "kms:SigningAlgorithm": "ECDSA_SHA_256"}}


def test_validate_reads_the_curated_table_of_its_model_alone(program: Any) -> None:
    allowed = statements(program, "validate")
    (files,) = resources(allowed["TableFiles"])
    assert files.endswith("_curated/auto_mpg/*")
    assert allowed["TableFiles"]["Action"] == ["s3:GetObject"]
    entries = [arn.split(":", 5)[5].split("/", 1)[0] for arn in resources(allowed["TableEntries"])]
    assert entries == ["catalog", "database", "table"]
    assert "quarantine" not in json.dumps(allowed)


def test_glue_jobs_run_in_the_vpc_encrypted_with_an_end(program: Any) -> None:
    jobs = program.of("aws:glue/job:Job")
    assert len(jobs) == 2
    for job in jobs:
        step = job.inputs["name"].rsplit("-", 1)[1]
        assert job.inputs["connections"]
        assert job.inputs["securityConfiguration"]
        assert job.inputs["glueVersion"] == "5.0"
        assert job.inputs["maxRetries"] == 0
        assert 0 < job.inputs["timeout"] <= 60
        assert job.inputs["executionProperty"]["maxConcurrentRuns"] > 1
        assert job.inputs["command"]["scriptLocation"].endswith(f"/{step}.py")
        arguments = job.inputs["defaultArguments"]
        assert arguments["--extra-py-files"].endswith("/packages.zip")
        assert arguments["--additional-python-modules"].endswith(".gluewheels.zip")


def test_log_groups_of_a_model_end_and_are_encrypted(program: Any) -> None:
    groups = [each for each in program.of("aws:cloudwatch/logGroup:LogGroup") if "auto-mpg" in each.inputs["name"]]
    assert len(groups) >= 5
    for group in groups:
        assert group.inputs["retentionInDays"] > 0
        assert group.inputs["kmsKeyId"]


def test_new_data_and_the_schedule_start_the_pipeline(program: Any) -> None:
    rules = {
        rule.inputs["name"].split("auto-mpg-")[1]: rule
        for rule in program.of("aws:cloudwatch/eventRule:EventRule")
        if "auto-mpg" in rule.inputs["name"]
    }
    assert set(rules) == {"new-data", "schedule"}
    pattern = json.loads(rules["new-data"].inputs["eventPattern"])
    assert pattern["detail-type"] == ["Object Created"]
    assert pattern["detail"]["object"] == {"key": [{"prefix": "auto-mpg/"}]}
    assert pattern["detail"]["bucket"]["name"][0].endswith("-landing")
    assert rules["schedule"].inputs["scheduleExpression"] == "cron(0 3 ? * SUN *)"


def test_what_cannot_start_the_pipeline_is_kept(program: Any) -> None:
    targets = program.of("aws:cloudwatch/eventTarget:EventTarget")
    assert len(targets) == 2
    (queue,) = program.of("aws:sqs/queue:Queue")
    assert queue.inputs["kmsMasterKeyId"]
    for target in targets:
        assert target.inputs["deadLetterConfig"]["arn"]
        assert target.inputs["retryPolicy"]["maximumRetryAttempts"] > 0
        assert target.inputs["roleArn"]
    (policy,) = program.of("aws:sqs/queuePolicy:QueuePolicy")
    by_sid = {each["Sid"]: each for each in policy.policy()["Statement"]}
    senders = by_sid["DeadLetters"]["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert [arn.split("auto-mpg-")[1] for arn in senders] == ["new-data", "schedule"]
    assert by_sid["TlsOnly"]["Effect"] == "Deny"


def test_events_only_start_the_one_state_machine(program: Any) -> None:
    (start,) = statements(program, "events").values()
    assert start["Action"] == ["states:StartExecution"]
    assert len(resources(start)) == 1
    assert "*" not in resources(start)[0]
