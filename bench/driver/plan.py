"""What is measured, how often and for how long: the full plan, and the quick one that leaves most of it out."""

import dataclasses

SERVED = ("plain", "nginx", "haproxy", "pingora", "envoy", "callgate")
ALL = ("floor", *SERVED)
# Their services run on tokio's default runtime, as users run them; those of all others have a thread for each worker.
DEFAULT = ("plain_default", "callgate_default")
# Those that know streams of items, and those that know files.
STREAMING = ("envoy", "callgate")
FILING = ("plain", "nginx", "callgate")


@dataclasses.dataclass(frozen=True)
class Cell:
    """One work under one load, for each of these peers."""

    work: str
    connections: int
    workers: int
    peers: tuple
    rounds: int


@dataclasses.dataclass(frozen=True)
class SecureCell:
    """One work over TLS with HTTP/1.1 (`https`), over TLS with HTTP/2 (`h2`), or over HTTP/2 without TLS (`h2c`); one worker."""

    work: str
    transport: str
    connections: int
    # Requests at once on each connection.
    streams: int
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
    # TLS and HTTP/2, and for how long handshakes are made.
    secure: tuple
    handshake_rounds: int
    handshake_seconds: float
    # How often each check of a credential is measured.
    credential_rounds: int
    # How often each way of being seen is measured.
    observed_rounds: int
    # How often short calls are measured beside what is long.
    beside_rounds: int
    # Idle connections, of which memory is measured; and those with TLS, of each kind.
    idle: int
    idle_secure: int
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
        Cell("count", 4, 1, STREAMING, judged),
        Cell("ticks", 200, 1, STREAMING, others),
        Cell("put", 4, 1, FILING, judged),
        Cell("get", 4, 1, FILING, judged),
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
        secure=(
            SecureCell("quote", "https", 64, 1, judged),
            SecureCell("quote", "https", 1, 1, others),
            SecureCell("quote", "h2", 1, 64, judged),
            SecureCell("quote", "h2c", 1, 64, judged),
            SecureCell("add", "h2", 1, 64, others),
        ),
        handshake_rounds=5,
        handshake_seconds=2,
        credential_rounds=80,
        observed_rounds=80,
        beside_rounds=30,
        idle=10_000,
        idle_secure=2_000,
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
        Cell("count", 4, 1, STREAMING, 2),
        Cell("ticks", 200, 1, STREAMING, 1),
        Cell("put", 4, 1, FILING, 2),
        Cell("get", 4, 1, FILING, 2),
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
        secure=(
            SecureCell("quote", "https", 64, 1, 2),
            SecureCell("quote", "https", 1, 1, 1),
            SecureCell("quote", "h2", 1, 64, 2),
            SecureCell("quote", "h2c", 1, 64, 2),
        ),
        handshake_rounds=2,
        handshake_seconds=1,
        credential_rounds=12,
        observed_rounds=12,
        beside_rounds=4,
        idle=2_000,
        idle_secure=500,
        routes=10_000,
        endpoints=1_000,
        table_rounds=2,
        reloads=3,
        reload_seconds=3,
    )
