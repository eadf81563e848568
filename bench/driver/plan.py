"""What is measured, how often and for how long: the full plan, and the quick one that leaves most of it out."""

import dataclasses

SERVED = ("plain", "nginx", "haproxy", "pingora", "envoy", "callgate")
ALL = ("floor", *SERVED)
# Their services run on tokio's default runtime, as users run them; those of all others have a thread for each worker.
DEFAULT = ("plain_default", "callgate_default")


@dataclasses.dataclass(frozen=True)
class Cell:
    """One work under one load, for each of these peers."""

    work: str
    connections: int
    workers: int
    peers: tuple
    rounds: int


@dataclasses.dataclass(frozen=True)
class Plan:
    """Durations are in seconds."""

    quick: bool
    cells: tuple
    # Closed loops: how long one round of one peer takes, and its warm-up before. wrk knows whole seconds only.
    seconds: int
    warm_up: float
    # Open loops at half of the slowest gateway's capacity, and at parts of each gateway's own.
    open_rounds: int
    open_seconds: float
    curve: tuple
    curve_rounds: int
    curve_seconds: float
    # Idle connections, of which memory is measured.
    idle: int
    # The large table: cost per request, reloads, and latency while it is reloaded each second.
    routes: int
    endpoints: int
    table_rounds: int
    reloads: int
    reload_seconds: float


def full():
    """What docs/performance.md shows. The cells that are judged get more rounds than the others."""
    judged, others = 5, 3
    cells = [
        Cell("quote", 64, 1, (*ALL, *DEFAULT), 7),
        Cell("quote", 1, 1, (*ALL, *DEFAULT), judged),
        Cell("quote", 512, 1, ALL, others),
        Cell("large", 64, 1, (*SERVED, *DEFAULT), judged),
        Cell("large", 1, 1, SERVED, others),
        Cell("large", 512, 1, SERVED, others),
        Cell("add", 64, 1, (*SERVED, *DEFAULT), others),
        Cell("add", 1, 1, SERVED, others),
        Cell("add", 512, 1, SERVED, others),
        Cell("quote", 64, 2, SERVED, judged),
        Cell("quote", 1, 2, SERVED, others),
        Cell("quote", 512, 2, SERVED, others),
        Cell("large", 64, 2, SERVED, others),
        Cell("add", 64, 2, SERVED, others),
    ]
    return Plan(
        quick=False,
        cells=tuple(cells),
        seconds=2,
        warm_up=0.3,
        open_rounds=5,
        open_seconds=4,
        curve=(0.1, 0.3, 0.5, 0.7, 0.85),
        curve_rounds=2,
        curve_seconds=2,
        idle=10_000,
        routes=10_000,
        endpoints=1_000,
        table_rounds=5,
        reloads=10,
        reload_seconds=5,
    )


def quick():
    """Every stage, but little of each: to see that all works, and roughly where things stand."""
    cells = [
        Cell("quote", 64, 1, (*ALL, *DEFAULT), 3),
        Cell("quote", 1, 1, ("plain", "nginx", "callgate"), 2),
        Cell("large", 64, 1, (*SERVED, *DEFAULT), 2),
        Cell("add", 64, 1, SERVED, 1),
        Cell("quote", 64, 2, ("nginx", "callgate"), 2),
    ]
    return Plan(
        quick=True,
        cells=tuple(cells),
        seconds=1,
        warm_up=0.2,
        open_rounds=2,
        open_seconds=1.5,
        curve=(0.2, 0.5, 0.8),
        curve_rounds=1,
        curve_seconds=1,
        idle=2_000,
        routes=10_000,
        endpoints=1_000,
        table_rounds=2,
        reloads=3,
        reload_seconds=3,
    )
