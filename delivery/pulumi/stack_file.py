"""Changing what a person wrote: `account_id` and `github` in `Pulumi.<stack>.yaml`, every other line left as it is."""

import re
from pathlib import Path

from delivery.errors import DeliveryError
from infra.settings import SETTINGS_KEY, GitHubSettings, load_settings, stack_file

_ACCOUNT = re.compile(r"^(?P<indent> +)account_id: .*$", re.MULTILINE)
_GITHUB = re.compile(r"^(?P<indent> +)github:\n(?:(?P=indent) +.*\n)*", re.MULTILINE)


class StackFileError(DeliveryError):
    """The file is not written as its like are; the message says which line to write by hand."""


def write_account(project_dir: Path, stack: str, account_id: str) -> None:
    """Have the stack be in that account."""
    file = stack_file(project_dir, stack)
    text = file.read_text(encoding="utf-8")
    changed, count = _ACCOUNT.subn(rf'\g<indent>account_id: "{account_id}"', text)
    if count != 1:
        raise StackFileError(f'{file.name}: {SETTINGS_KEY}: write `account_id: "{account_id}"` there by hand')
    _replace(project_dir, stack, file, changed)


def write_github(project_dir: Path, stack: str, github: GitHubSettings) -> None:
    """Have the stack be deployed from that repository."""
    file = stack_file(project_dir, stack)
    text = file.read_text(encoding="utf-8")
    found = _ACCOUNT.search(text)
    if found is None:
        raise StackFileError(f"{file.name}: {SETTINGS_KEY}: write `github: {{repository: {github.repository}}}` there")
    values = github.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    indent = found["indent"]
    lines = [f"{indent}github:", *(f"{indent}  {key}: {_scalar(value)}" for key, value in values.items())]
    without = _GITHUB.sub("", text)
    anchor = _ACCOUNT.search(without)
    at = anchor.end() if anchor else 0
    _replace(project_dir, stack, file, without[:at] + "\n" + "\n".join(lines) + without[at:])


def _scalar(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _replace(project_dir: Path, stack: str, file: Path, text: str) -> None:
    """Put `text` in place of the file, if it still holds settings; else the file stays as it was."""
    before = file.read_text(encoding="utf-8")
    partial = file.with_name(f".{file.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)
    try:
        load_settings(project_dir, stack)
    except Exception:
        partial.write_text(before, encoding="utf-8")
        partial.replace(file)
        raise
