"""Which fleet a request goes to, and that nobody is cut off: a fleet is let go only after its last answer."""

import random
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from rehearsal.aws.endpoints.configuration import EndpointConfiguration
from rehearsal.aws.endpoints.fleet import Fleet


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A configuration with its fleets, one per variant."""

    configuration: EndpointConfiguration
    fleets: tuple[Fleet, ...]

    def let_go(self) -> None:
        """Stop every fleet once it has answered what it took."""
        for fleet in self.fleets:
            fleet.drain()
            fleet.stop()

    def pick(self, variant: str | None) -> Fleet | None:
        """The fleet that a request goes to: the named variant's, or one by weight."""
        if variant is not None:
            return next((fleet for fleet in self.fleets if fleet.variant == variant), None)
        weights = [
            1.0 if entry.get("InitialVariantWeight") is None else float(entry["InitialVariantWeight"])
            for entry in self.configuration.production_variants
        ]
        return random.choices(self.fleets, weights)[0] if self.fleets else None  # noqa: S311 - traffic, not secrets


class Router:
    """The deployment in service, and beside it the next one with its share of the traffic."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._live: Deployment | None = None
        self._next: Deployment | None = None
        self._share = 0.0

    @property
    def live(self) -> Deployment | None:
        """What is in service; during a change the old one, until it is settled."""
        return self._live

    @property
    def next(self) -> Deployment | None:
        """What is being changed to, once it is up."""
        return self._next

    @property
    def share(self) -> float:
        """The part of the traffic that the next deployment gets."""
        return self._share

    @contextmanager
    def route(self, variant: str | None) -> Generator[Fleet | None]:
        """The fleet for one request, which stays until the request is answered; None when there is none."""
        with self._lock:
            fleet = self._pick(variant)
            if fleet is not None:
                fleet.enter()
        try:
            yield fleet
        finally:
            if fleet is not None:
                fleet.leave()

    def shift(self, coming: Deployment, share: float) -> None:
        """Give the next deployment a share of the traffic."""
        with self._lock:
            self._next, self._share = coming, share

    def settle(self, deployment: Deployment | None) -> None:
        """Give all traffic to one deployment, which is the one in service from now on."""
        with self._lock:
            self._live, self._next, self._share = deployment, None, 0.0

    def withdraw(self) -> None:
        """Give all traffic back to the deployment in service."""
        with self._lock:
            self._next, self._share = None, 0.0

    def _pick(self, variant: str | None) -> Fleet | None:
        chosen = self._live
        if self._next is not None and random.random() < self._share:  # noqa: S311 - traffic, not secrets
            chosen = self._next
        return chosen.pick(variant) if chosen else None
