"""What the peer can be told to break: the side, a case that must find it, and the section that the program must name."""

from typing import NamedTuple


class Break(NamedTuple):
    name: str
    side: str
    case: str
    section: str


def acceptor(name, case, section):
    return Break(name, "acceptor", case, section)


def connector(name, case, section):
    return Break(name, "connector", case, section)


FRAME, HANDSHAKE, NUMBERS, LONG = "Connection and frame", "Handshake", "Call numbers", "Long messages"
LET_IN = "Being let in"
LIMITS, LATER, WRONG, AWAY = "Limits", "What may be added later", "When something is wrong", "Going away"
PING, SCHEMAS = "Is the peer there: PING, PONG", "Schemas"
STREAMS, CREDIT, ENDS = "Streams", "Credit", "How a stream ends early"

BREAKS = [
    acceptor("late-hello", "hello-at-once", FRAME),
    acceptor("speaks-early", "hello-nothing-before", FRAME),
    acceptor("any-magic", "hello-wrong-magic", FRAME),
    acceptor("last-counts", "hello-first-counts", HANDSHAKE),
    acceptor("any-version", "hello-no-version", HANDSHAKE),
    acceptor("unknown-field-refused", "hello-unknown-fields", LATER),
    acceptor("token-refused", "token-unasked", LET_IN),
    acceptor("ignores-max-frame", "hello-keeps-max-frame", LIMITS),
    acceptor("unknown-kind-skipped", "frame-unknown-kind", FRAME),
    acceptor("later-kind-refused", "frame-later-kind", LATER),
    acceptor("unknown-flag-skipped", "frame-unknown-flag", FRAME),
    acceptor("upper-flags-refused", "frame-upper-flags", FRAME),
    acceptor("no-frame-limit", "frame-too-long", WRONG),
    acceptor("streams-skipped", "stream-unannounced", "Streams"),
    acceptor("numbers-unchecked", "call-numbers-rise", NUMBERS),
    acceptor("answers-twice", "call-many", NUMBERS),
    acceptor("in-order", "call-any-order", NUMBERS),
    acceptor("unknown-method-internal", "call-unknown-id", WRONG),
    acceptor("refused-as-run", "call-unknown-id", WRONG),
    acceptor("lax-values", "call-bad-arguments", "What a reader must refuse"),
    acceptor("deadline-ignored", "call-deadline", "CALL"),
    acceptor("metadata-as-arguments", "metadata-skipped", "Metadata"),
    acceptor("cancel-ignored", "cancel-stops", "CANCEL"),
    acceptor("cancel-arriving-runs", "cancel-arriving", "CANCEL"),
    acceptor("half-reply", "cancel-long-reply", "CANCEL"),
    acceptor("empty-fragment-ends", "long-empty-fragments", LONG),
    acceptor("one-at-a-time", "long-not-before-short", LONG),
    acceptor("no-turns", "long-turns", LONG),
    acceptor("window-ignored", "limit-window-kept", LONG),
    acceptor("parts-unbounded", "limit-parts", LONG),
    acceptor("message-unbounded", "limit-message", LIMITS),
    acceptor("calls-unbounded", "limit-calls", LIMITS),
    acceptor("stops-reading", "pressure-reads-on", FRAME),
    acceptor("keeps-all-pongs", "pressure-unread", FRAME),
    acceptor("wrong-pong", "ping-answered", PING),
    acceptor("pong-after-calls", "ping-while-running", PING),
    acceptor("schema-of-another", "schema-fetched", SCHEMAS),
    acceptor("schema-silent", "schema-unknown", SCHEMAS),
    acceptor("ready-untold", "ready-told", "Not ready: READY"),
    acceptor("drain-drops", "away-told", AWAY),
    acceptor("drain-tells-0", "away-told", AWAY),
    acceptor("late-calls-run", "away-told", AWAY),
    acceptor("streams-to-all", "stream-not-announced", STREAMS),
    acceptor("reply-for-end", "stream-items", STREAMS),
    acceptor("stream-way-unchecked", "stream-other-way", STREAMS),
    acceptor("end-unchecked", "stream-after-end", STREAMS),
    acceptor("item-within", "stream-within", STREAMS),
    acceptor("lax-items", "stream-bad-item", "What a reader must refuse"),
    acceptor("credit-ignored", "credit-items", CREDIT),
    acceptor("credit-unchecked", "credit-beyond", CREDIT),
    acceptor("credit-on-arrival", "credit-beyond", CREDIT),
    acceptor("credit-kept", "stream-sum", STREAMS),
    acceptor("credit-unbounded", "credit-too-much", CREDIT),
    acceptor("item-not-run", "stream-too-large", ENDS),
    acceptor("half-reply", "stream-cancel-long", ENDS),
    connector("token-in-the-clear", "hello-at-once", LET_IN),
    connector("refusal-refused", "let-in-not", LET_IN),
    connector("calls-early", "hello-no-early-calls", FRAME),
    connector("duplicates-accepted", "offer-twice", HANDSHAKE),
    connector("unknown-offer-flag", "offer-unknown-flag", HANDSHAKE),
    connector("hash-for-id", "offer-pinned", HANDSHAKE),
    connector("schema-unchecked", "schema-wrong-bytes", SCHEMAS),
    connector("max-calls-ignored", "limit-max-calls", LIMITS),
    connector("max-message-ignored", "limit-max-message", LIMITS),
    connector("deadline-untold", "call-head", "CALL"),
    connector("numbers-stay", "call-numbers", NUMBERS),
    connector("answers-by-order", "answer-any-order", NUMBERS),
    connector("cancel-untold", "cancel-sent", "CANCEL"),
    connector("sends-after-cancel", "cancel-arriving", "CANCEL"),
    connector("sends-after-answer", "long-answered", LONG),
    connector("reply-twice", "long-reply-twice", LONG),
    connector("metadata-as-result", "reply-metadata", "Metadata"),
    connector("unknown-code-kept", "failure-codes", "FAILURE"),
    connector("result-unchecked", "reply-bad-result", "REPLY"),
    connector("any-answer", "answer-never-called", NUMBERS),
    connector("answered-untold", "long-answered", LONG),
    connector("calls-after-go-away", "away-new-calls", AWAY),
    connector("waits-above-last", "away-above", AWAY),
    connector("offer-unannounced", "stream-offer", HANDSHAKE),
    connector("end-untold", "stream-items", STREAMS),
    connector("stream-way-unchecked", "stream-wrong-frames", STREAMS),
    connector("item-within", "stream-within", STREAMS),
    connector("credit-ignored", "credit-items", CREDIT),
    connector("credit-unchecked", "credit-beyond", CREDIT),
    connector("credit-kept", "credit-given-back", CREDIT),
    connector("credit-unbounded", "credit-too-much", CREDIT),
    connector("streams-again", "stream-not-again", ENDS),
    connector("repeats-lost", "away-lost", AWAY),
]
