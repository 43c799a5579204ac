"""Inputs of every type, before and after an update, as the SDK sends them; one table for all handler tests."""

from dataclasses import dataclass, field
from typing import Any

ACCOUNT = "123456789012"
REGION = "eu-west-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-1111-1111-1111-111111111111"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/drivetrain-local-train"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:drivetrain-local-alarms"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:drivetrain-local-dead"
TAGS = {"tags": {"Model": "auto-mpg"}, "tagsAll": {"Model": "auto-mpg", "Project": "drivetrain"}}
RETAGGED = {"tags": {"Owner": "me"}, "tagsAll": {"Owner": "me", "Project": "drivetrain"}}
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/drivetrain-local-serving@sha256:{'a' * 64}"
DEFINITION = '{"StartAt":"Done","States":{"Done":{"Type":"Succeed"}}}'
PATTERN = '{"source":["aws.s3"]}'
POLICY = '{"Version":"2012-10-17","Statement":[]}'


@dataclass(frozen=True)
class Case:
    """`inputs` make the resource, `update` are the inputs that change; `needs` are cases made before it."""

    inputs: dict[str, Any]
    update: dict[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()


CASES: dict[str, Case] = {
    "aws:glue/catalogDatabase:CatalogDatabase": Case(
        {
            "name": "drivetrain_local_raw",
            "description": "as it came",
            "locationUri": "s3://lake/raw/",
            "parameters": {"layer": "raw"},
            "createTableDefaultPermissions": [
                {"permissions": ["ALL"], "principal": {"dataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}}
            ],
            **TAGS,
        },
        {"description": "changed", **RETAGGED},
    ),
    "aws:glue/dataCatalogEncryptionSettings:DataCatalogEncryptionSettings": Case(
        {
            "dataCatalogEncryptionSettings": {
                "connectionPasswordEncryption": {"awsKmsKeyId": KEY, "returnConnectionPasswordEncrypted": True},
                "encryptionAtRest": {"catalogEncryptionMode": "SSE-KMS", "sseAwsKmsKeyId": KEY},
            }
        },
        {
            "dataCatalogEncryptionSettings": {
                "connectionPasswordEncryption": {"returnConnectionPasswordEncrypted": False},
                "encryptionAtRest": {"catalogEncryptionMode": "DISABLED"},
            }
        },
    ),
    "aws:glue/securityConfiguration:SecurityConfiguration": Case(
        {
            "name": "drivetrain-local",
            "encryptionConfiguration": {
                "cloudwatchEncryption": {"cloudwatchEncryptionMode": "SSE-KMS", "kmsKeyArn": KEY},
                "jobBookmarksEncryption": {"jobBookmarksEncryptionMode": "CSE-KMS", "kmsKeyArn": KEY},
                "s3Encryption": {"s3EncryptionMode": "SSE-KMS", "kmsKeyArn": KEY},
            },
        }
    ),
    "aws:glue/connection:Connection": Case(
        {
            "name": "drivetrain-local",
            "connectionType": "NETWORK",
            "connectionProperties": {"KAFKA_SSL_ENABLED": "false"},
            "physicalConnectionRequirements": {
                "availabilityZone": "eu-west-1a",
                "securityGroupIdLists": ["sg-1"],
                "subnetId": "subnet-1",
            },
            **TAGS,
        },
        {"description": "changed", **RETAGGED},
    ),
    "aws:glue/job:Job": Case(
        {
            "name": "drivetrain-local-auto-mpg-ingest",
            "roleArn": ROLE,
            "command": {"name": "glueetl", "pythonVersion": "3", "scriptLocation": "s3://artifacts/glue/1/ingest.py"},
            "connections": ["drivetrain-local"],
            "defaultArguments": {"--extra-py-files": "s3://artifacts/glue/2/code.zip"},
            "executionProperty": {"maxConcurrentRuns": 3},
            "executionClass": "STANDARD",
            "glueVersion": "5.0",
            "maxRetries": 0,
            "jobMode": "SCRIPT",
            "jobRunQueuingEnabled": True,
            "maintenanceWindow": "Sun:10",
            "numberOfWorkers": 2,
            "securityConfiguration": "drivetrain-local",
            "timeout": 30,
            "workerType": "G.1X",
            **TAGS,
        },
        {"timeout": 60, "defaultArguments": {"--extra-py-files": "s3://artifacts/glue/3/code.zip"}, **RETAGGED},
    ),
    "aws:athena/workgroup:Workgroup": Case(
        {
            "name": "drivetrain-local",
            "description": "queries",
            "state": "ENABLED",
            "forceDestroy": True,
            "configuration": {
                "bytesScannedCutoffPerQuery": 10737418240,
                "enforceWorkgroupConfiguration": True,
                "publishCloudwatchMetricsEnabled": True,
                "resultConfiguration": {
                    "encryptionConfiguration": {"encryptionOption": "SSE_KMS", "kmsKeyArn": KEY},
                    "expectedBucketOwner": ACCOUNT,
                    "outputLocation": "s3://results/",
                },
            },
            **TAGS,
        },
        {
            "description": "changed",
            "configuration": {
                "bytesScannedCutoffPerQuery": 10737418241,
                "enforceWorkgroupConfiguration": True,
                "publishCloudwatchMetricsEnabled": False,
                "resultConfiguration": {
                    "encryptionConfiguration": {"encryptionOption": "SSE_KMS", "kmsKeyArn": KEY},
                    "outputLocation": "s3://results/other/",
                },
            },
            **RETAGGED,
        },
    ),
    "aws:athena/namedQuery:NamedQuery": Case(
        {
            "name": "rows",
            "database": "drivetrain_local_raw",
            "description": "how many",
            "query": "SELECT count(*) FROM cars",
            "workgroup": "drivetrain-local",
        },
        needs=("aws:athena/workgroup:Workgroup",),
    ),
    "aws:lakeformation/dataLakeSettings:DataLakeSettings": Case(
        {
            "admins": [ROLE],
            "createDatabaseDefaultPermissions": [{"permissions": ["ALL"], "principal": "IAM_ALLOWED_PRINCIPALS"}],
            "createTableDefaultPermissions": [{"permissions": ["ALL"], "principal": "IAM_ALLOWED_PRINCIPALS"}],
            "allowExternalDataFiltering": False,
            "parameters": {"CROSS_ACCOUNT_VERSION": "4"},
            "trustedResourceOwners": [ACCOUNT],
        },
        {"admins": [ROLE, f"{ROLE}-2"]},
    ),
    "aws:lakeformation/resource:Resource": Case(
        {"arn": "arn:aws:s3:::drivetrain-lake", "roleArn": ROLE, "hybridAccessEnabled": True, "withFederation": False},
        {"roleArn": f"{ROLE}-2"},
    ),
    "aws:lakeformation/permissions:Permissions": Case(
        {
            "principal": ROLE,
            "permissions": ["CREATE_TABLE", "DESCRIBE"],
            "permissionsWithGrantOptions": [],
            "database": {"name": "drivetrain_local_raw"},
        }
    ),
    "aws:ecr/repository:Repository": Case(
        {
            "name": "drivetrain-local-serving",
            "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": KEY}],
            "forceDelete": True,
            "imageScanningConfiguration": {"scanOnPush": True},
            "imageTagMutability": "IMMUTABLE",
            **TAGS,
        },
        {"imageTagMutability": "MUTABLE", "imageScanningConfiguration": {"scanOnPush": False}, **RETAGGED},
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": Case(
        {
            "repository": "drivetrain-local-serving",
            "policy": '{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"sinceImagePushed",'
            '"countUnit":"days","countNumber":14},"action":{"type":"expire"}}]}',
        },
        needs=("aws:ecr/repository:Repository",),
    ),
    "aws:sfn/stateMachine:StateMachine": Case(
        {
            "name": "drivetrain-local-auto-mpg",
            "definition": DEFINITION,
            "roleArn": ROLE,
            "type": "STANDARD",
            "loggingConfiguration": {
                "includeExecutionData": True,
                "level": "ALL",
                "logDestination": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/vendedlogs/states/a:*",
            },
            "tracingConfiguration": {"enabled": True},
            "encryptionConfiguration": {
                "kmsKeyId": KEY,
                "type": "CUSTOMER_MANAGED_KMS_KEY",
                "kmsDataKeyReusePeriodSeconds": 300,
            },
            **TAGS,
        },
        {"definition": DEFINITION.replace("Done", "Over"), **RETAGGED},
    ),
    "aws:cloudwatch/eventRule:EventRule": Case(
        {
            "name": "drivetrain-local-new-data",
            "description": "an object landed",
            "eventPattern": PATTERN,
            "state": "ENABLED",
            "roleArn": ROLE,
            **TAGS,
        },
        {"state": "DISABLED", **RETAGGED},
    ),
    "aws:cloudwatch/eventTarget:EventTarget": Case(
        {
            "rule": "drivetrain-local-new-data",
            "targetId": "pipeline",
            "arn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:drivetrain-local-auto-mpg",
            "roleArn": ROLE,
            "deadLetterConfig": {"arn": QUEUE},
            "retryPolicy": {"maximumEventAgeInSeconds": 3600, "maximumRetryAttempts": 3},
            "inputTransformer": {"inputPaths": {"key": "$.detail.object.key"}, "inputTemplate": '{"prefix":"<key>"}'},
        },
        {"retryPolicy": {"maximumEventAgeInSeconds": 7200, "maximumRetryAttempts": 3}},
        needs=("aws:cloudwatch/eventRule:EventRule",),
    ),
    "aws:cloudwatch/logGroup:LogGroup": Case(
        {
            "name": "/aws/drivetrain/local",
            "kmsKeyId": KEY,
            "retentionInDays": 30,
            "skipDestroy": False,
            "logGroupClass": "STANDARD",
            **TAGS,
        },
        {"retentionInDays": 90, "kmsKeyId": f"{KEY[:-1]}2", "deletionProtectionEnabled": True, **RETAGGED},
    ),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": Case(
        {"policyName": "drivetrain-local", "policyDocument": POLICY},
        {"policyDocument": POLICY.replace("[]", '[{"Effect":"Allow"}]')},
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Case(
        {
            "name": "drivetrain-local-p99",
            "actionsEnabled": True,
            "alarmActions": [TOPIC],
            "okActions": [TOPIC],
            "alarmDescription": "slow",
            "comparisonOperator": "GreaterThanThreshold",
            "evaluationPeriods": 3,
            "datapointsToAlarm": 2,
            "threshold": 250.5,
            "treatMissingData": "notBreaching",
            "metricQueries": [
                {
                    "id": "p99",
                    "returnData": True,
                    "metric": {
                        "namespace": "AWS/SageMaker",
                        "metricName": "ModelLatency",
                        "dimensions": {"EndpointName": "drivetrain-local-auto-mpg"},
                        "period": 60,
                        "stat": "p99",
                    },
                }
            ],
            **TAGS,
        },
        {"threshold": 300.0, **RETAGGED},
    ),
    "aws:cloudwatch/dashboard:Dashboard": Case(
        {"dashboardName": "drivetrain-local", "dashboardBody": '{"widgets":[]}'},
        {"dashboardBody": '{"widgets":[],"start":"-PT6H"}'},
    ),
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup": Case(
        {
            "modelPackageGroupName": "drivetrain-local-auto-mpg",
            "modelPackageGroupDescription": "fuel economy",
            **TAGS,
        },
        {**RETAGGED},
    ),
    "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy": Case(
        {"modelPackageGroupName": "drivetrain-local-auto-mpg", "resourcePolicy": POLICY},
        {"resourcePolicy": POLICY.replace("2012", "2008")},
        needs=("aws:sagemaker/modelPackageGroup:ModelPackageGroup",),
    ),
    "aws:sagemaker/model:Model": Case(
        {
            "name": "auto-mpg-1234567",
            "executionRoleArn": ROLE,
            "enableNetworkIsolation": True,
            "primaryContainer": {
                "image": IMAGE,
                "modelDataUrl": "s3://artifacts/models/auto-mpg/model.tar.gz",
                "environment": {"RELEASE": "1"},
                "mode": "SingleModel",
            },
            "vpcConfig": {"securityGroupIds": ["sg-1"], "subnets": ["subnet-1"]},
            **TAGS,
        },
        {**RETAGGED},
    ),
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": Case(
        {
            "name": "auto-mpg-7654321",
            "kmsKeyArn": KEY,
            "productionVariants": [
                {
                    "variantName": "live",
                    "modelName": "auto-mpg-1234567",
                    "initialInstanceCount": 2,
                    "initialVariantWeight": 1.0,
                    "instanceType": "ml.c5.large",
                    "routingConfigs": [{"routingStrategy": "LEAST_OUTSTANDING_REQUESTS"}],
                    "containerStartupHealthCheckTimeoutInSeconds": 120,
                }
            ],
            "dataCaptureConfig": {
                "captureContentTypeHeader": {"jsonContentTypes": ["application/json"]},
                "captureOptions": [{"captureMode": "InputAndOutput"}],
                "destinationS3Uri": "s3://capture/auto-mpg",
                "enableCapture": True,
                "initialSamplingPercentage": 100,
                "kmsKeyId": KEY,
            },
            **TAGS,
        },
        {**RETAGGED},
        needs=("aws:sagemaker/model:Model",),
    ),
    "aws:appautoscaling/target:Target": Case(
        {
            "maxCapacity": 4,
            "minCapacity": 2,
            "resourceId": "endpoint/drivetrain-local-auto-mpg/variant/live",
            "roleArn": ROLE,
            "scalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "serviceNamespace": "sagemaker",
            **TAGS,
        },
        {"maxCapacity": 6, **RETAGGED},
    ),
    "aws:appautoscaling/policy:Policy": Case(
        {
            "name": "invocations",
            "policyType": "TargetTrackingScaling",
            "resourceId": "endpoint/drivetrain-local-auto-mpg/variant/live",
            "scalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "serviceNamespace": "sagemaker",
            "targetTrackingScalingPolicyConfiguration": {
                "predefinedMetricSpecification": {
                    "predefinedMetricType": "SageMakerVariantInvocationsPerInstance",
                },
                "scaleInCooldown": 300,
                "scaleOutCooldown": 60,
                "targetValue": 1000.0,
            },
        },
        {
            "targetTrackingScalingPolicyConfiguration": {
                "predefinedMetricSpecification": {"predefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
                "targetValue": 500.0,
            }
        },
        needs=("aws:appautoscaling/target:Target",),
    ),
    "aws:budgets/budget:Budget": Case(
        {
            "name": "drivetrain-local",
            "budgetType": "COST",
            "limitAmount": "100.0",
            "limitUnit": "USD",
            "timeUnit": "MONTHLY",
            "timePeriodStart": "2026-01-01_00:00",
            "timePeriodEnd": "2087-06-15_00:00",
            "costFilters": [{"name": "TagKeyValue", "values": ["user:Project$drivetrain"]}],
            "notifications": [
                {
                    "comparisonOperator": "GREATER_THAN",
                    "notificationType": "FORECASTED",
                    "threshold": 100.0,
                    "thresholdType": "PERCENTAGE",
                    "subscriberEmailAddresses": ["someone@example.com"],
                    "subscriberSnsTopicArns": [TOPIC],
                }
            ],
            **TAGS,
        },
        {"limitAmount": "200.0", **RETAGGED},
    ),
}
