"""Inputs of the data side (Glue, Athena, Lake Formation, ECR) and of state machines, before and after an update."""

from case import ACCOUNT, DEFINITION, KEY, REGION, RETAGGED, ROLE, TAGS, Case

DATA: dict[str, Case] = {
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
}
