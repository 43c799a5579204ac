"""The explicit providers of a stack, and the boto3 clients each of them gives its resources.

A resource names its provider as `<urn>::<id>`. One that is only in the state (a resource to be deleted after its
provider left the program) is made again from the inputs kept there.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.engine.state import StackStore
from rehearsal.engine.urn import provider_urn
from rehearsal.provider.aws_clients import EnvironmentClients
from rehearsal.provider.configuration import ProviderConfiguration
from rehearsal.provider.handler import AwsClients


@dataclass(frozen=True, kw_only=True)
class ConfiguredProvider:
    """Clients and default tags for the resources of one provider."""

    clients: AwsClients
    configuration: ProviderConfiguration


class ProviderTable:
    """Providers by reference; clients of one region are shared between them."""

    def __init__(self, environment: Mapping[str, str], store: StackStore, defaults: Mapping[str, Any]) -> None:
        self._environment = environment
        self._store = store
        self._defaults = defaults
        self._lock = threading.Lock()
        self._configured: dict[str, ConfiguredProvider] = {}
        self._clients: dict[str, AwsClients] = {}

    def account_id(self) -> str:
        """The account the environment's credentials belong to."""
        return self.of("").clients.account_id

    def configure(self, urn: str, inputs: Mapping[str, Any]) -> ConfiguredProvider:
        """Take a provider into use; raises ProviderConfigurationError when it refuses the account."""
        configuration = ProviderConfiguration.parse(inputs)
        with self._lock:
            clients = self._clients_in(configuration.region)
        configuration.check_account(clients)
        with self._lock:
            provider = ConfiguredProvider(clients=clients, configuration=configuration)
            self._configured[urn] = provider
            return provider

    def of(self, reference: str) -> ConfiguredProvider:
        """The provider of that reference; empty means the default one, made from the stack's `aws:` settings."""
        urn = provider_urn(reference) if reference else ""
        with self._lock:
            if urn in self._configured:
                return self._configured[urn]
        if not urn:
            return self.configure("", self._defaults)
        known = self._store.get(urn)
        return self.configure(urn, known.inputs if known else {})

    def _clients_in(self, region: str) -> AwsClients:
        if region not in self._clients:
            self._clients[region] = EnvironmentClients(self._environment, region=region or None)
        return self._clients[region]
