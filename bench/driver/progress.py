"""Says what is being done and how long is left."""

import sys
import time

# Where no terminal is watched, a line at most so often, in seconds.
EVERY = 10


class Progress:
    """Counts down the time that the steps were expected to take, corrected by what they took so far."""

    def __init__(self):
        self.begun = time.monotonic()
        self.expected = 0.0
        self.done = 0.0
        self.shown = 0.0
        self.terminal = sys.stderr.isatty()

    def expect(self, seconds):
        """Adds to what is to be done."""
        self.expected += seconds

    def step(self, what, seconds):
        """Begins a step that is expected to take so long."""
        now = time.monotonic()
        slower = (now - self.begun) / self.done if self.done > 20 else 1.1
        left = max(0, round((self.expected - self.done) * slower))
        self.done += seconds
        line = f"bench: {left // 60}:{left % 60:02} left, {what}"
        if self.terminal:
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
        elif now - self.shown > EVERY:
            self.shown = now
            print(line, file=sys.stderr, flush=True)

    def end(self):
        """Leaves the line, and returns how long it all took in seconds."""
        if self.terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        return time.monotonic() - self.begun
