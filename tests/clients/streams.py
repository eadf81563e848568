"""A client of streams by Python's standard library: it reads one in each form, and says whether it has all of it.

streams.py PORT PATH

Prints the first item as soon as it is there, for each form; then "whole" or "cut", what it was told, and how many items there were.
"""

import http.client
import json
import sys

FORMS = ("application/x-ndjson", "text/event-stream", "application/json")


def say(*words):
    print(*words, flush=True)


def lines(reply):
    """Items as lines. One that begins with `error: ` is no item but the problem."""
    count = 0
    for line in reply:
        if line.startswith(b"error: "):
            return count, json.loads(line[len(b"error: ") :])["code"]
        json.loads(line)
        count += 1
        if count == 1:
            say("first")
    return count, None


def events(reply):
    """Items as events. The end is one of its own, and so is a failure."""
    count, kind, data = 0, "message", None
    for line in reply:
        line = line.decode().rstrip("\n")
        if line.startswith("event: "):
            kind = line[len("event: ") :]
        elif line.startswith("data: "):
            data = json.loads(line[len("data: ") :])
        elif line == "" and data is not None:
            if kind == "end":
                return count, "end"
            if kind in ("error", "reconnect"):
                return count, data["code"]
            count += 1
            if count == 1:
                say("first")
            kind, data = "message", None
    return count, None


def array(reply):
    """Items in an array, which is read as a whole."""
    begun = reply.read(1)
    say("first")
    return len(json.loads(begun + reply.read())), None


def ask(port, path, form):
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", path, headers={"accept": form})
        reply = connection.getresponse()
        # While no instance is there, it comes again.
        if reply.status != 503:
            return connection, reply
        connection.close()


def main():
    port, path = int(sys.argv[1]), sys.argv[2]
    for form, read in zip(FORMS, (lines, events, array)):
        connection, reply = ask(port, path, form)
        assert reply.status == 200 and reply.headers["content-type"] == form, (reply.status, reply.headers)
        try:
            count, told = read(reply)
            # Behind the last words the connection says whether that was all.
            rest = reply.read()
            assert rest == b"", rest
            say("whole", told, count)
        except http.client.IncompleteRead:
            say("cut", "-", "-")
        connection.close()


main()
