"""What a campaign is made of and leaves on disk: units of work, what each came to, the corpus, and the night as a whole.

Everything here is plain data, read back with validation. Seconds are wall time, points in time ISO 8601 in UTC, paths relative
to the folder of the file that names them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from scale.records import Machine, Record

Origin = Literal["drawn", "varied", "corpus", "seed"]
UnitStatus = Literal["running", "pass", "fail", "refused", "error", "hung", "lost"]
Shown = Literal["new", "known", "flaky"]
NightStatus = Literal["clean", "news", "failed", "interrupted"]

RESULT = "result.json"
"""In a unit's folder: a UnitResult, written anew after each batch, so that a killed unit keeps what it had done."""
REPROS, FLAKY, INPUTS = "repros", "flaky", "inputs"
"""Folders: of bundles, of failures that did not repeat, and of worlds for the corpus; in a unit's folder and in the corpus."""
SUMMARY = "summary.json"


class Unit(Record):
    """One unit of work: the same wherever it runs, in a local pool, a slice of a CI matrix, or a cluster.

    number: its place in the campaign, from 0. what: the name of a parity test (differential.cases.PARITY_TESTS), or
    `invariants`, `relations`, `lifecycle`, `environment`. seed: all its draws follow from it. engines: SPECs, in order.
    seconds: its budget; it ends after the batch in which they are used up. canary: its engine has a planted fault that is to
    be found. chunk_seed: a chunk that once failed, drawn first.
    """

    number: Annotated[int, Field(ge=0)]
    what: str
    seed: int
    engines: tuple[str, ...]
    seconds: Annotated[float, Field(gt=0)]
    canary: bool = False
    chunk_seed: int | None = None

    @property
    def name(self) -> str:
        """Name of its folder, unique within a campaign."""
        return f"{self.number:04d}-{self.what}{'-canary' if self.canary else ''}"


class UnitSettings(Record):
    """What all units of a campaign share, beside the unit itself. Paths are absolute; on a cluster those of the worker.

    corpus: the corpus folder, only read by a unit: its worlds are what the unit varies, its labels what it need not show again.
    known: keys of failures that are counted and not reduced again. examples: where Hypothesis keeps failing examples: a folder,
    `redis://HOST:PORT/N` or `github:OWNER/NAME`; None: nowhere. census, scenario, years, employees, random_seed, policy,
    keep_identities, engine_timeout: as the options of `pytest differential`. steer: draw towards what has not
    been met; off only to measure what that is worth.
    """

    corpus: str | None = None
    known: tuple[str, ...] = ()
    examples: str | None = None
    census: str | None = None
    scenario: str | None = None
    years: tuple[int, int] | None = None
    employees: int | None = None
    random_seed: int | None = None
    policy: str | None = None
    keep_identities: bool = False
    engine_timeout: float | None = None
    steer: bool = True


class Found(Record):
    """One failure that a unit met, told apart from others by its key.

    key: sanitised: engines, test or rule, table, event type, column and kind; holds nothing of a census. test: parity test or
    check. headline: one line for people, sanitised too. shown: `known` where the corpus had the key; `flaky` where it did not
    repeat. worlds: that showed it. bundle: the repro's folder, reduced where that was possible; of a flaky one, both outputs.
    employees, years: of the bundle's world. after: seconds of the unit, and after_worlds: worlds of the unit, until it was
    first met. origin: where that world came from. chunk_seed: redraws it, where it was drawn. command: the whole command that
    replays the bundle.
    """

    key: str
    test: str
    engines: tuple[str, ...]
    headline: str
    shown: Shown
    worlds: int
    bundle: str | None = None
    employees: int | None = None
    years: int | None = None
    after: float
    after_worlds: int
    origin: Origin
    chunk_seed: int | None = None
    command: str | None = None


class SlowWorld(Record):
    """One of the slowest worlds of a unit, measured alone. seconds: by engine SPEC."""

    fingerprint: str
    employees: int
    years: int
    seconds: dict[str, float]
    input: str | None = None


class Tick(Record):
    """How far a unit was after so many seconds: worlds so far, event types and labels, and pairs of labels that it has met."""

    seconds: float
    worlds: int
    labels: int
    pairs: int


class UnitResult(Record):
    """result.json of a unit. status: `running` in the file of one that was killed. worlds: that were compared or judged. labels:
    event type or edge label to the number of worlds that showed it. inputs: fingerprints of the worlds in `inputs/` that
    showed something the corpus had not. reason: of status refused, error or hung. sources: engine SPEC to the digest of its
    code.
    """

    schema_version: Literal[1] = 1
    unit: Unit
    status: UnitStatus
    reason: str = ""
    started: str
    seconds: float = 0.0
    worlds: int = 0
    employees: int = 0
    labels: dict[str, int] = Field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    found: tuple[Found, ...] = ()
    slowest: tuple[SlowWorld, ...] = ()
    ticks: tuple[Tick, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)
    commit: str | None = None
    sources: dict[str, str] = Field(default_factory=dict)
    host: str = ""


class Known(Record):
    """One failure of the corpus, in its ledger.

    first, last: when it was met first and last. commit: of the first. count: worlds that showed it, over all nights. bundle:
    folder under the corpus. state: `known` while it fails; `retired` once its repro passes, at retired_commit; `flaky` while
    it has not repeated. fastest: the unit seed, chunk seed and seconds of the unit that met it soonest. employees, years: of
    the bundle. untested: why its repro could not be run the last time, such as an engine that is not there. what: of the unit
    that met it soonest. tonight: worlds of this night that showed it; 0 in the ledger. untold: it is news, and the summary that is
    to tell it is not written yet.
    """

    key: str
    test: str
    engines: tuple[str, ...]
    headline: str
    state: Literal["known", "retired", "flaky"]
    first: str
    last: str
    commit: str | None
    count: int
    bundle: str | None
    employees: int | None = None
    years: int | None = None
    fastest: float | None = None
    chunk_seed: int | None = None
    retired: str | None = None
    retired_commit: str | None = None
    untested: str | None = None
    command: str | None = None
    what: str | None = None
    tonight: int = 0
    untold: bool = False


class Ledger(Record):
    """ledger.json of a corpus: every failure that is known, one entry a key, in the order of keys."""

    schema_version: Literal[1] = 1
    entries: tuple[Known, ...] = ()


class Recheck(Record):
    """What became of one known repro when it was run again, before fuzzing. status: as a replay's: 0 it no longer fails, 1 it
    fails, 125 it cannot be tested. note: why not, or that it fails in another way now. another: it does."""

    key: str
    status: Literal[0, 1, 125]
    note: str = ""
    another: bool = False
    seconds: float = 0.0


class Canary(Record):
    """The planted fault of the night. seconds: until it was found."""

    fault: str
    sentence: str
    caught: bool
    seconds: float | None = None
    bundle: str | None = None
    reason: str = ""


class CoveragePoint(Record):
    """What the campaign had met after so many seconds, the corpus included: event types and labels, pairs of labels, worlds run."""

    seconds: float
    worlds: int
    labels: int
    pairs: int


class UnitLine(Record):
    """One unit in the summary."""

    name: str
    what: str
    status: UnitStatus
    seconds: float
    worlds: int
    reason: str = ""
    host: str = ""


class Night(Record):
    """summary.json: one campaign.

    status: `clean`: nothing new; `news`: new or flaky failures; `failed`: the canary was missed, or units gave no result;
    `interrupted`: the time was not used up. reasons: of the status, as sentences. seconds: wall time of the units' phase,
    over all sessions of a resumed campaign. worlds: compared or judged by it; compared: by units that compare two engines;
    compared_seconds: that those units took, added over workers. known: key to worlds, of failures that the corpus had. fixed:
    retired this night. labels: event type or label to worlds of this night. never: labels and event types that neither this
    night nor the corpus has met. pairs: met so far, with those that the corpus knew; pairs_before: known before. coverage:
    over the time of the night. earlier: one line of each earlier night, oldest first, for the trend.
    """

    schema_version: Literal[1] = 1
    status: NightStatus
    reasons: tuple[str, ...]
    started: str
    ended: str
    minutes: float
    workers: int
    engines: tuple[str, ...]
    seed: int
    part: tuple[int, int] = (1, 1)
    seconds: float
    worlds: int
    employees: int
    compared: int
    compared_seconds: float
    new: tuple[Known, ...] = ()
    known: tuple[Known, ...] = ()
    fixed: tuple[Known, ...] = ()
    flaky: tuple[Known, ...] = ()
    canary: Canary | None = None
    units: tuple[UnitLine, ...] = ()
    labels: dict[str, int] = Field(default_factory=dict)
    never: tuple[str, ...] = ()
    pairs: int = 0
    pairs_before: int = 0
    inputs: int = 0
    inputs_before: int = 0
    coverage: tuple[CoveragePoint, ...] = ()
    slowest: tuple[SlowWorld, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)
    commit: str | None = None
    sources: dict[str, str] = Field(default_factory=dict)
    machine: Machine | None = None
    command: str = ""
    earlier: tuple[EarlierNight, ...] = ()

    @property
    def rate(self) -> float:
        """Worlds a second over the whole campaign, all workers together."""
        return self.worlds / self.seconds if self.seconds else 0.0


class EarlierNight(Record):
    """What is kept of a night in the corpus's history. number: of the corpus's nights, from 0; the oldest are dropped in time."""

    number: int = 0
    started: str
    commit: str | None
    status: NightStatus
    worlds: int
    seconds: float
    labels: int
    pairs: int
    new: int
    known: int
    fixed: int
    flaky: int
    canary: bool | None


Night.model_rebuild()
