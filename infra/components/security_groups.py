"""Who reaches whom in the VPC: groups refer to groups, never to addresses."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

_HTTPS = 443


@dataclass(frozen=True, kw_only=True)
class SecurityGroupsArgs:
    """The VPC, and the prefix list that stands for S3."""

    prefix: str
    vpc_id: pulumi.Input[str]
    s3_prefix_list_id: pulumi.Input[str]


class SecurityGroups(pulumi.ComponentResource):
    """Jobs and serving reach AWS services and S3 over TLS; jobs reach one another; nothing else reaches anything."""

    jobs_id: pulumi.Output[str]
    serving_id: pulumi.Output[str]
    aws_services_id: pulumi.Output[str]
    """Of the interface endpoints."""

    def __init__(self, name: str, args: SecurityGroupsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:platform:SecurityGroups", name, None, opts)
        self._args = args
        jobs = self._group("jobs", "Training, processing and Glue jobs")
        serving = self._group("serving", "Model endpoints")
        services = self._group("aws-services", "Interface endpoints of AWS services")
        self.jobs_id, self.serving_id, self.aws_services_id = jobs.id, serving.id, services.id
        self._among_jobs(jobs)
        for caller_name, caller in (("jobs", jobs), ("serving", serving)):
            self._to_services(caller_name, caller, services)
            self._to_s3(caller_name, caller)
        self.register_outputs({"jobs": jobs.id, "serving": serving.id, "aws_services": services.id})

    def _group(self, name: str, description: str) -> aws.ec2.SecurityGroup:
        return aws.ec2.SecurityGroup(
            name,
            # Named by Pulumi: a group that is replaced stands beside the one that is still in use.
            description=description,
            vpc_id=self._args.vpc_id,
            # Rules name other groups: with them gone first, groups can be deleted in any order.
            revoke_rules_on_delete=True,
            tags={"Name": f"{self._args.prefix}-{name}"},
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _among_jobs(self, jobs: aws.ec2.SecurityGroup) -> None:
        """All TCP among the jobs: Glue demands it of the group that its workers stand in."""
        opts = pulumi.ResourceOptions(parent=jobs)
        aws.vpc.SecurityGroupIngressRule(
            "jobs-from-jobs",
            security_group_id=jobs.id,
            referenced_security_group_id=jobs.id,
            ip_protocol="tcp",
            from_port=0,
            to_port=65535,
            description="workers of one job",
            opts=opts,
        )
        aws.vpc.SecurityGroupEgressRule(
            "jobs-to-jobs",
            security_group_id=jobs.id,
            referenced_security_group_id=jobs.id,
            ip_protocol="tcp",
            from_port=0,
            to_port=65535,
            description="workers of one job",
            opts=opts,
        )

    def _to_services(self, name: str, caller: aws.ec2.SecurityGroup, services: aws.ec2.SecurityGroup) -> None:
        aws.vpc.SecurityGroupEgressRule(
            f"{name}-to-aws-services",
            security_group_id=caller.id,
            referenced_security_group_id=services.id,
            ip_protocol="tcp",
            from_port=_HTTPS,
            to_port=_HTTPS,
            description="AWS services",
            opts=pulumi.ResourceOptions(parent=caller),
        )
        aws.vpc.SecurityGroupIngressRule(
            f"aws-services-from-{name}",
            security_group_id=services.id,
            referenced_security_group_id=caller.id,
            ip_protocol="tcp",
            from_port=_HTTPS,
            to_port=_HTTPS,
            description=f"calls of {name}",
            opts=pulumi.ResourceOptions(parent=services),
        )

    def _to_s3(self, name: str, caller: aws.ec2.SecurityGroup) -> None:
        aws.vpc.SecurityGroupEgressRule(
            f"{name}-to-s3",
            security_group_id=caller.id,
            prefix_list_id=self._args.s3_prefix_list_id,
            ip_protocol="tcp",
            from_port=_HTTPS,
            to_port=_HTTPS,
            description="S3 through its gateway",
            opts=pulumi.ResourceOptions(parent=caller),
        )
