"""`pulumi preview`, `up`, `refresh` and `destroy`.

As with the real command, `up`, `refresh` and `destroy` need `--yes` here (nobody is asked), `up` previews first unless
told to skip it, and all three hold the stack's lock while they change it.
"""

import json
import os
import time
from collections.abc import Iterable

from rehearsal import engine
from rehearsal.engine import EngineError, Plan, Step
from rehearsal.engine.deletion import message_of
from rehearsal.engine.project import Project, load_project
from rehearsal.engine.results import Inspect
from rehearsal.engine.state import StackStore
from rehearsal.engine.storage import StackStorage
from rehearsal.pulumi import policy_pack
from rehearsal.pulumi.arguments import Options
from rehearsal.pulumi.digest import change_summary, digest, failed_digest
from rehearsal.pulumi.display import Display, EventStream, Lines
from rehearsal.pulumi.errors import CHANGES_PROPOSED, CommandError
from rehearsal.pulumi.workspace import Workspace, workspace

_UNCHANGING = ("same", "read", "refresh")


class _Operation:
    """One operation on one stack: its options, its project and where its state is."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.place: Workspace = workspace()
        self.stack, self.storage, _ = self.place.opened(options)
        self.config_file = self.place.folder / options.config_file if options.config_file else None
        self.project: Project = load_project(self.place.folder, self.stack, {}, self.config_file)
        self.environment = dict(os.environ)

    @property
    def refresh_first(self) -> bool:
        """Whether the state is brought up to date before."""
        return getattr(self.options, "refresh", "false") == "true"

    def plan(self, storage: StackStorage | None = None) -> Plan:
        """What an `up` would do."""
        return engine.preview(
            self.place.folder,
            self.stack,
            storage or self.storage,
            self.environment,
            {},
            config_file=self.config_file,
            refresh_first=self.refresh_first,
        )

    def display(self) -> Display:
        """Where it is told."""
        if self.options.json:
            return EventStream(self.project.config)
        return Lines(self.stack)

    def secret_outputs(self) -> tuple[str, ...]:
        """The outputs of the stack, as it is now, that are secret."""
        root = StackStore(self.storage).root
        return root.secrets if root else ()

    def refuse_changes(self, steps: Iterable[Step], operation: str) -> None:
        """With `--expect-no-changes`, fail when there are any."""
        if self.options.expect_no_changes and any(step.operation not in _UNCHANGING for step in steps):
            message = f"no changes were expected for {operation} but changes were proposed"
            raise CommandError(message, CHANGES_PROPOSED)

    def inspect(self) -> Inspect | None:
        """What judges each resource once all its inputs are known; only one pack is taken."""
        packs: list[str] = self.options.policy_pack
        return policy_pack.inspector(self.place.folder / packs[0]) if packs else None

    def refuse_violations(self, plan: Plan) -> None:
        """Fail on what a policy pack does not allow."""
        for pack in self.options.policy_pack:
            policy_pack.enforce(self.place.folder / pack, plan)


def preview(options: Options) -> None:
    """Show what `up` would do."""
    operation = _Operation(options)
    began = time.monotonic()
    try:
        plan = operation.plan()
    except Exception as error:
        if options.json:
            print(json.dumps(failed_digest(operation.project.config, message_of(error), time.monotonic() - began)))
        raise
    if options.json:
        document = digest(
            steps=plan.every_step,
            refreshed=plan.refreshed,
            config=operation.project.config,
            messages=plan.messages,
            seconds=plan.seconds,
            show_sames=options.show_sames,
            show_replacement_steps=options.show_replacement_steps,
        )
        print(json.dumps(document, indent=4))
    else:
        Lines(operation.stack).preview(plan)
    operation.refuse_violations(plan)
    operation.refuse_changes(plan.every_step, "preview")


def up(options: Options) -> None:
    """Bring AWS to what the program declares."""
    operation = _Operation(options)
    _need_yes(options)
    with operation.storage.held():
        _before(operation)
        display = operation.display()
        display.begins("Updating")
        try:
            result = engine.up(
                operation.place.folder,
                operation.stack,
                operation.storage,
                operation.environment,
                {},
                progress=display.event,
                config_file=operation.config_file,
                refresh_first=operation.refresh_first,
                inspect=operation.inspect(),
            )
        except EngineError as error:
            display.ends({}, error=str(error))
            raise
    display.messages(result.messages)
    display.outputs(result.outputs, operation.secret_outputs())
    display.ends(change_summary(result.every_step), seconds=result.seconds)
    operation.refuse_changes(result.every_step, "update")


def refresh(options: Options) -> None:
    """Bring the state to what AWS holds."""
    operation = _Operation(options)
    _need_yes(options)
    display = operation.display()
    display.begins("Refreshing")
    result = engine.refresh(
        operation.place.folder,
        operation.stack,
        operation.storage,
        operation.environment,
        config_file=operation.config_file,
    )
    display.ends(change_summary(result.every_step), seconds=result.seconds)
    operation.refuse_changes(result.every_step, "refresh")


def destroy(options: Options) -> None:
    """Delete every resource of the stack."""
    operation = _Operation(options)
    _need_yes(options)
    display = operation.display()
    display.begins("Destroying")
    result = engine.destroy(
        operation.place.folder,
        operation.stack,
        operation.storage,
        operation.environment,
        progress=display.event,
        config_file=operation.config_file,
    )
    display.ends(change_summary(result.every_step), seconds=result.seconds)


def _before(operation: _Operation) -> None:
    """The preview that `up` begins with, unless it is skipped and no policy has to see it."""
    options = operation.options
    if options.skip_preview and not options.policy_pack:
        return
    plan = operation.plan()
    if not options.skip_preview and not options.json:
        Lines(operation.stack).preview(plan)
    operation.refuse_violations(plan)


def _need_yes(options: Options) -> None:
    if options.yes:
        return
    raise CommandError(
        "--yes or --skip-preview or --preview-only must be passed in to proceed when running in non-interactive mode",
        2,
    )
