"""What h2load says of its requests."""


class Log:
    """Its --log-file: a line for each request, with its beginning, its status and how long it took, in microseconds."""

    def __init__(self, text):
        rows = [line.split("\t") for line in text.splitlines()]
        self.statuses = [int(row[1]) for row in rows]
        self.latencies = sorted(int(row[2]) for row in rows)
        # From when the first was sent to when the last was answered.
        begun = [int(row[0]) for row in rows]
        ended = [int(row[0]) + int(row[2]) for row in rows]
        self.seconds = (max(ended) - min(begun)) / 1e6 if rows else 0.0

    def summary(self):
        """As the other clients say it."""
        return {
            "requests": len(self.statuses),
            "seconds": self.seconds,
            "errors": sum(status != 200 for status in self.statuses),
            "p50_us": self._at(0.5),
            "p99_us": self._at(0.99),
            "p999_us": self._at(0.999),
        }

    def _at(self, part):
        """The least latency that so large a part of the requests does not exceed."""
        if not self.latencies:
            return 0.0
        return float(self.latencies[max(0, -int(-part * len(self.latencies) // 1) - 1)])
