"""`drivetrain wheels`: the libraries of the Glue jobs, where the jobs look for them."""

from cli.ci import StackArgument
from cli.output import console
from delivery.aws_session import aws_session
from delivery.workflows.wheels import upload_wheels
from infra.settings import load_settings
from infra.sources import project_directory, wheels_key


def wheels(stack: StackArgument) -> None:
    """Upload the wheels of requirements/lake.lock to the stack's artifacts bucket, unless they are there."""
    project_dir = project_directory()
    settings = load_settings(project_dir, stack)
    bucket, key = settings.names.bucket("artifacts"), wheels_key(project_dir)
    uploaded = upload_wheels(aws_session(region_name=settings.region).client("s3"), bucket, key, project_dir)
    console.print(f"{'uploaded' if uploaded else 'were there already:'} s3://{bucket}/{key}", markup=False)
