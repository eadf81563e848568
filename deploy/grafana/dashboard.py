#!/usr/bin/env python3
"""Writes callgate.json, the dashboard for Grafana, from the list of its panels below; with --check it says whether that is up to date.

    python3 deploy/grafana/dashboard.py [--check | --rules]

--rules prints its queries as Prometheus's rules, so that promtool can read them.

Panels have Prometheus queries of the gateway's own metrics (docs/operations.md, "Metrics"), and those of services that link the SDK. A test
looks each of them up in a scrape.
"""

import json
import pathlib
import sys

FILE = pathlib.Path(__file__).with_name("callgate.json")
SOURCE = {"type": "prometheus", "uid": "${source}"}
# The variables at the top of the page choose gateways and routes.
HERE = 'job=~"$job",instance=~"$instance"'
ROUTE = f'{HERE},route=~"$route"'
BROKEN = ROUTE + ',status=~"5.."'
SERVER = 'side="server"'
SERVER_NOT_OK = SERVER + ',code!="ok"'
NOT_OK = HERE + ',outcome!="ok"'
REQUESTS, RESULTS = "callgate_requests_total", "callgate_calls_total"


def rate(metric, labels=HERE):
    return f"rate({metric}{{{labels}}}[$__rate_interval])"


def by(labels, query):
    return f"sum by ({labels}) ({query})"


def quantile(part, metric, labels, where):
    buckets = by(f"{labels}, le", rate(f"{metric}_bucket", where))
    return f"histogram_quantile({part}, {buckets})"


# Rows, each with its panels: title, unit, and queries with their legends.
ROWS = [
    ("What clients see", [
        ("Requests a second, by status", "reqps", [(by("status", rate(REQUESTS, ROUTE)), "{{status}}")]),
        ("Requests a second, by route", "reqps", [(f"topk(10, {by('route', rate(REQUESTS, ROUTE))})", "{{route}}")]),
        ("Share of 5xx, by route", "percentunit", [(
            f"topk(10, {by('route', rate(REQUESTS, BROKEN))} / {by('route', rate(REQUESTS, ROUTE))})",
            "{{route}}",
        )]),
        ("Failures a second, by reason", "reqps", [(by("reason", rate("callgate_failures_total")), "{{reason}}")]),
        ("Time to the answer", "s", [
            (quantile(part, "callgate_request_duration_seconds", "job", ROUTE), name)
            for part, name in ((0.5, "half"), (0.99, "99 of 100"), (0.999, "999 of 1000"))
        ]),
        ("Time of 99 of 100, by route", "s", [(f"topk(10, {quantile(0.99, 'callgate_request_duration_seconds', 'route', ROUTE)})", "{{route}}")]),
    ]),
    ("Instances", [
        ("Calls a second, by backend", "reqps", [(by("backend", rate(RESULTS)), "{{backend}}")]),
        ("Calls that are not ok, by outcome", "reqps", [(by("backend, outcome", rate(RESULTS, NOT_OK)), "{{backend}} {{outcome}}")]),
        ("Time of an instance", "s", [(f'max by (backend, endpoint) (callgate_endpoint_latency_seconds{{{HERE}}})', "{{backend}} {{endpoint}}")]),
        ("Calls in flight", "short", [(by("backend", f"callgate_calls_in_flight{{{HERE}}}"), "{{backend}}")]),
        ("Connections, by endpoint", "short", [(by("backend, endpoint", f"callgate_backend_connections{{{HERE}}}"), "{{backend}} {{endpoint}}")]),
        ("Ejected and recovered", "short", [
            (by("backend, endpoint, reason", rate("callgate_ejections_total")), "ejected: {{backend}} {{endpoint}} {{reason}}"),
            (by("backend, endpoint", rate("callgate_recoveries_total")), "recovered: {{backend}} {{endpoint}}"),
        ]),
    ]),
    ("Under load", [
        ("Requests turned away, by reason", "reqps", [(by("reason, priority", rate("callgate_shed_total", ROUTE)), "{{reason}} {{priority}}")]),
        ("Rate limits", "reqps", [(by("route, policy, outcome", rate("callgate_rate_limited_total", ROUTE)), "{{route}} {{policy}} {{outcome}}")]),
        ("Retries, by reason", "reqps", [
            (by("backend, reason", rate("callgate_retries_total")), "{{backend}} {{reason}}"),
            (by("backend", rate("callgate_retry_budget_exhausted_total")), "{{backend}}: no budget"),
        ]),
        ("Hedges", "reqps", [(by("backend, outcome", rate("callgate_hedges_total")), "{{backend}} {{outcome}}")]),
        ("Calls that wait", "short", [
            (by("backend", f"callgate_calls_queued{{{HERE}}}"), "{{backend}}: for room"),
            (by("backend", f"callgate_calls_held{{{HERE}}}"), "{{backend}}: for an instance"),
        ]),
        ("Calls that may run at once", "short", [(by("backend", f"callgate_concurrency_limit{{{HERE}}}"), "{{backend}}")]),
    ]),
    ("Connections and streams", [
        ("Client connections", "short", [
            (by("instance", f"callgate_connections_open{{{HERE}}}"), "{{instance}}"),
            (by("instance", f"callgate_max_connections{{{HERE}}}"), "{{instance}}: at most"),
        ]),
        ("Requests in flight", "short", [(by("instance", f"callgate_requests_in_flight{{{HERE}}}"), "{{instance}}")]),
        ("Requests a second, by protocol", "reqps", [(by("protocol", rate("callgate_http_requests_total")), "{{protocol}}")]),
        ("TLS handshakes a second", "ops", [(by("listener, result", rate("callgate_tls_handshakes_total")), "{{listener}} {{result}}")]),
        ("Open streams and WebSockets", "short", [
            (by("route", f"callgate_streams_open{{{ROUTE}}}"), "{{route}}"),
            (by("instance", f"callgate_websockets_open{{{HERE}}}"), "WebSockets of {{instance}}"),
        ]),
        ("Items a second", "ops", [(by("route, direction", rate("callgate_stream_items_total", ROUTE)), "{{route}} {{direction}}")]),
    ]),
    ("Who calls, and what is in force", [
        ("Callers, by authenticator", "reqps", [(by("authenticator, result", rate("callgate_auth_total")), "{{authenticator}} {{result}}")]),
        ("Age of fetched keys", "s", [(f"max by (authenticator) (callgate_auth_keys_age_seconds{{{HERE}}})", "{{authenticator}}")]),
        ("Reloads", "short", [(by("outcome", f"increase(callgate_reloads_total{{{HERE}}}[$__rate_interval])"), "{{outcome}}")]),
        ("Routes that do not fit their instances", "short", [(by("reason", f"callgate_routes_unfit{{{HERE}}}"), "{{reason}}")]),
        ("Certificates: time that is left", "s", [(f"min by (certificate) (callgate_certificate_expiry_timestamp_seconds{{{HERE}}} - time())", "{{certificate}}")]),
        ("Lost lines of the logs", "short", [
            (by("reason", rate("callgate_log_dropped_total")), "log: {{reason}}"),
            (by("instance", rate("callgate_access_log_dropped_total")), "access log of {{instance}}"),
        ]),
        ("Spans, by what becomes of them", "ops", [(by("fate", rate("callgate_trace_spans_total")), "{{fate}}")]),
    ]),
    ("Services that link the SDK (any job)", [
        ("Calls a second, by method", "reqps", [(by("service, method", rate("callgate_sdk_calls_total", SERVER)), "{{service}}.{{method}}")]),
        ("Calls that are not ok, by code", "reqps", [(by("service, method, code", rate("callgate_sdk_calls_total", SERVER_NOT_OK)), "{{service}}.{{method}} {{code}}")]),
        ("Time of 99 of 100, by method", "s", [(quantile(0.99, "callgate_sdk_call_duration_seconds", "service, method", SERVER), "{{service}}.{{method}}")]),
    ]),
]


def panel(number, title, unit, queries, x, y):
    targets = [
        {"datasource": SOURCE, "editorMode": "code", "expr": query, "legendFormat": legend, "range": True, "refId": chr(ord("A") + at)}
        for at, (query, legend) in enumerate(queries)
    ]
    return {
        "id": number,
        "type": "timeseries",
        "title": title,
        "datasource": SOURCE,
        "gridPos": {"h": 8, "w": 8, "x": x, "y": y},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0, "custom": {"fillOpacity": 10, "showPoints": "never"}}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}},
        "targets": targets,
    }


def panels():
    number, y = 0, 0
    for title, row in ROWS:
        number += 1
        yield {"id": number, "type": "row", "title": title, "collapsed": False, "gridPos": {"h": 1, "w": 24, "x": 0, "y": y}, "panels": []}
        y += 1
        for at, (name, unit, queries) in enumerate(row):
            number += 1
            yield panel(number, name, unit, queries, at % 3 * 8, y + at // 3 * 8)
        y += -(-len(row) // 3) * 8


def variable(name, label, query):
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def dashboard():
    return {
        "uid": "callgate",
        "title": "Callgate",
        "description": "What clients see, how the instances are, and what is in force.",
        "tags": ["callgate"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "links": [],
        "annotations": {"list": [{
            "name": "Reloads",
            "datasource": SOURCE,
            "enable": True,
            "iconColor": "blue",
            "expr": f"changes(callgate_tables_taken_timestamp_seconds{{{HERE}}}[1m]) > 0",
            "titleFormat": "new tables",
        }]},
        "templating": {"list": [
            {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
            variable("job", "job", "label_values(callgate_build_info, job)"),
            variable("instance", "gateway", 'label_values(callgate_build_info{job=~"$job"}, instance)'),
            variable("route", "route", f"label_values(callgate_requests_total{{{HERE}}}, route)"),
        ]},
        "panels": list(panels()),
    }


def main():
    text = json.dumps(dashboard(), indent=1) + "\n"
    if sys.argv[1:] == ["--check"]:
        if not FILE.exists() or FILE.read_text("utf-8") != text:
            sys.exit(f"{FILE} is not what its list of panels makes: python3 {pathlib.Path(__file__)}")
        return
    if sys.argv[1:] == ["--rules"]:
        queries = [query for _, row in ROWS for _, _, queries in row for query, _ in queries]
        rules = [
            {"record": f"dashboard:query:{at}", "expr": query.replace("$__rate_interval", "5m").replace("$", "")}
            for at, query in enumerate(queries)
        ]
        # JSON is YAML.
        print(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}, indent=1))
        return
    FILE.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
