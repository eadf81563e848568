"""Several rounds of a figure as one: median and spread."""

import statistics


def figure(values):
    """The median, the extremes and the rounds themselves; none without rounds."""
    values = [value for value in values if value is not None]
    if not values:
        return None
    return {
        "median": _rounded(statistics.median(values)),
        "min": _rounded(min(values)),
        "max": _rounded(max(values)),
        "rounds": [_rounded(value) for value in values],
    }


def figures(rounds):
    """Rounds, each a dict of the same keys, as a dict of figures."""
    return {key: figure([each[key] for each in rounds]) for key in (rounds[0] if rounds else {})}


def median(found):
    """A figure's median; none without a figure."""
    return found["median"] if found else None


def spread(found):
    """Half of the range, as a part of the median."""
    if not found or not found["median"]:
        return 0.0
    return (found["max"] - found["min"]) / 2 / found["median"]


def _rounded(value):
    return float(f"{value:.5g}")
