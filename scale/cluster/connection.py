"""The client of a cluster, and which of its workers are fit to take our work. All errors that a user can mend are UsageErrors."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from scale.cluster.fitness import Facts, differences, facts
from scale.measuring.run import ROOT
from scale.status import UsageError

CONNECT_SECONDS = 15.0
"""A scheduler answers in milliseconds. After so long it is not there, or a firewall is between."""
FIRST_WORKER_SECONDS, NEXT_WORKER_SECONDS = 30.0, 180.0
"""Waited for a worker at the start, and later, when all were lost: a cluster that grows by need takes minutes to start one."""
_ALIVE_SECONDS = 2.0
START_WORKER = "cd CHECKOUT && PYTHONPATH=. dask worker ADDRESS"

Say = Callable[[str], None]


def connect(address: str) -> Any:
    """A client (distributed.Client) of the scheduler at `address`, such as tcp://HOST:8786.

    Raises:
        UsageError: the library is not installed, or no scheduler of a fitting environment answers there.
    """
    try:
        from distributed import Client
    except ImportError:
        raise UsageError(
            "--cluster needs Dask's distributed scheduler, which is not installed here: "
            f"run `{sys.executable} -m pip install '.[cluster]'` in {ROOT}"
        ) from None
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False, name="workforce-parity")
    except (OSError, TimeoutError) as error:
        raise UsageError(
            f"--cluster {address}: no scheduler answers there within {CONNECT_SECONDS:.0f} s ({_first_line(error)}); "
            "`dask scheduler` prints the address of one when it starts"
        ) from None
    except (ValueError, TypeError, ImportError) as error:
        raise UsageError(f"--cluster {address}: not an address such as tcp://HOST:8786: {_first_line(error)}") from None
    try:
        there = client.run_on_scheduler(facts)
    except Exception as error:  # noqa: BLE001 - whatever the scheduler's environment raises
        client.close()
        raise UsageError(
            f"--cluster {address}: its scheduler cannot load this project ({_first_line(error)}), and Dask reads tasks there too; "
            "start it with the same environment: cd CHECKOUT && PYTHONPATH=. dask scheduler"
        ) from None
    if against := [one for one in differences(facts(), there) if one.startswith(("Python", "dask", "distributed"))]:
        client.close()
        raise UsageError(f"--cluster {address}: its scheduler has {'; '.join(against)}; Dask needs the same on both")
    return client


class Roster:
    """The workers of a cluster: looked at when they come, told of once when they are not fit.

    here: what this machine computes with. engines: SPECs whose code has to be the same there.
    """

    def __init__(self, client: Any, address: str, engines: Iterable[str], say: Say) -> None:
        self._client, self._address, self._say = client, address, say
        self.here = facts(engines)
        self._facts: dict[str, Facts] = {}
        self._unfit: dict[str, list[str]] = {}
        self._alive: tuple[float, dict[str, int]] = (0.0, {})
        self._lock = threading.RLock()

    def require(self, engines: Iterable[str]) -> None:
        """Hold all workers to these engines too."""
        with self._lock:
            lacking = set(engines) - set(self.here.engines)
            if lacking:
                self.here = facts([*self.here.engines, *sorted(lacking)])
                self._facts.clear()
                self._unfit.clear()

    def alive(self, *, now: bool = False) -> dict[str, int]:
        """Address to threads of all workers that the scheduler knows, asked for every two seconds. Raises OSError without one."""
        with self._lock:
            since, known = self._alive
            if now or time.monotonic() - since > _ALIVE_SECONDS:
                known = dict(self._client.nthreads())
                self._alive = (time.monotonic(), known)
            return known

    def fit(self) -> dict[str, Facts]:
        """The workers that may take work now. Raises OSError without a scheduler."""
        with self._lock:
            there = self.alive(now=True)
            fresh = [address for address in there if address not in self._facts and address not in self._unfit]
            if fresh:
                for address, found in self._look(fresh).items():
                    self._judge(address, found)
            return {address: found for address, found in self._facts.items() if address in there}

    def threads(self) -> int:
        """Tasks that fit workers run at a time."""
        with self._lock:
            return sum(number for address, number in self.alive().items() if address in self._facts)

    def wait(self, seconds: float, stop: Callable[[], bool] = lambda: False) -> dict[str, Facts]:
        """The fit workers, at least one, waited for. Raises UsageError that says why there is none."""
        until = time.monotonic() + seconds
        while not (found := self.fit()):
            if self._unfit and not set(self.alive()) - set(self._unfit) and time.monotonic() > until - seconds + 5:
                break
            if time.monotonic() > until or stop():
                break
            time.sleep(0.5)
        if not found:
            raise UsageError(f"--cluster {self._address}: {self._none()}")
        return found

    def refuse(self, address: str, reasons: list[str]) -> None:
        """Give that worker nothing more, and say why."""
        with self._lock:
            self._facts.pop(address, None)
            if address not in self._unfit:
                self._unfit[address] = reasons
                self._say(f"worker {address} gets no work: {'; '.join(reasons)}")

    def _look(self, addresses: list[str]) -> dict[str, Any]:
        """What each of these workers says of itself, or the exception that it raised."""
        found: dict[str, Any] = {}
        for address in addresses:  # one by one: an exception that does not unpickle here ends the call for all
            try:
                asked = {"workers": [address], "on_error": "return"}
                found |= self._client.run(facts, tuple(self.here.engines), **asked)
            except OSError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever comes back from an environment that is not ours
                found[address] = error
        return found

    def _judge(self, address: str, found: Any) -> None:
        if isinstance(found, Facts):
            if against := differences(self.here, found):
                self.refuse(address, against)
            else:
                self._facts[address] = found
        elif missing := re.search(r"No module named '[\w.]+'", str(found)):  # what does not unpickle comes as a text
            self.refuse(address, [f"it cannot load this project ({missing[0]}); start it with {START_WORKER}"])
        elif not isinstance(found, OSError):  # that one is gone or busy; it is asked again
            self.refuse(address, [f"it cannot say what it runs on: {type(found).__name__}: {_first_line(found)}"])

    def _none(self) -> str:
        if not self._unfit:
            return f"the scheduler has no workers; start some with {START_WORKER}"
        told = "".join(f"\n  {address}: {'; '.join(reasons)}" for address, reasons in self._unfit.items())
        return f"none of its workers can take work:{told}"


def running(client: Any) -> bool:
    """Whether the client has its scheduler."""
    return str(client.status) == "running"


def close_quietly(client: Any) -> None:
    """Close the client, whether or not its scheduler is still there."""
    with suppress(Exception):
        client.close(timeout=5)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
