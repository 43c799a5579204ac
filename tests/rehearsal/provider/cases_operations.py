"""Inputs of events, logs, alarms, SageMaker, scaling and budgets, before and after an update."""

from case import ACCOUNT, IMAGE, KEY, PATTERN, POLICY, QUEUE, REGION, RETAGGED, ROLE, TAGS, TOPIC, Case

OPERATIONS: dict[str, Case] = {
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
    "aws:cloudwatch/eventConnection:EventConnection": Case(
        {
            "name": "drivetrain-local-release-proposed",
            "description": "dispatches workflows",
            "authorizationType": "API_KEY",
            "authParameters": {"apiKey": {"key": "Authorization", "value": "none yet"}},
        },
        {"description": "dispatches the workflows", "authParameters": {"apiKey": {"key": "X-Key", "value": "a"}}},
    ),
    "aws:cloudwatch/eventApiDestination:EventApiDestination": Case(
        {
            "name": "drivetrain-local-release-proposed",
            "description": "GitHub",
            "connectionArn": f"arn:aws:events:{REGION}:{ACCOUNT}:connection/c/11111111-1111-1111-1111-111111111111",
            "invocationEndpoint": "https://api.github.com/repos/org/repo/dispatches",
            "httpMethod": "POST",
            "invocationRateLimitPerSecond": 1,
        },
        {"invocationEndpoint": "https://api.github.com/repos/org/other/dispatches", "description": "GitHub, moved"},
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
