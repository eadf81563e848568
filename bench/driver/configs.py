"""The configuration of nginx, HAProxy and Envoy, tuned for this work as their documents say, with the reasons."""

import dataclasses
import json
import pathlib

# Clients that each takes at once; above what any stage opens.
CLIENTS = 12000

NGINX = """\
daemon off;
worker_processes {workers};
# A file for each client and one for its upstream connection.
worker_rlimit_nofile {files};
pid {folder}/{name}.pid;
error_log stderr warn;

events {{
    worker_connections {clients};
}}

http {{
    access_log off;
    # The bodies of 60 KB stay in memory, in both directions.
    client_body_buffer_size 128k;
    proxy_buffers 16 16k;
    proxy_busy_buffers_size 64k;
    client_body_temp_path {folder}/{name}-body;
    proxy_temp_path {folder}/{name}-proxy;
    fastcgi_temp_path {folder}/{name}-fastcgi;
    uwsgi_temp_path {folder}/{name}-uwsgi;
    scgi_temp_path {folder}/{name}-scgi;
    # Keep-alive on both sides: the defaults close a connection after 1000 requests.
    keepalive_timeout 300s;
    keepalive_requests 1000000000;

    upstream service {{
        server 127.0.0.1:{upstream};
        keepalive 1024;
        keepalive_requests 1000000000;
        keepalive_timeout 300s;
    }}
    server {{
        listen 127.0.0.1:{port} reuseport backlog=4096;
        {secure}
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        location / {{
            proxy_pass http://service;
        }}
        # Files pass through as they come, and never by way of the disk.
        location /v1/files/ {{
            proxy_pass http://service;
            proxy_request_buffering off;
            proxy_max_temp_file_size 0;
        }}
    }}
}}
"""

# TLS with HTTP/2 and HTTP/1.1 by ALPN, and HTTP/2 without TLS. Sessions are resumed by tickets alone, as with the others.
NGINX_SECURE = """\
listen 127.0.0.1:{https} ssl http2 reuseport backlog=4096;
        listen 127.0.0.1:{h2c} http2 reuseport backlog=4096;
        ssl_certificate {chain};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.3;
        ssl_session_cache off;
        ssl_session_tickets on;
"""

HAPROXY = """\
global
    nbthread {workers}
    maxconn {clients}
    # Where the limit of open files cannot be raised to twice the clients, serve as many as fit.
    no strict-limits

defaults
    mode http
    # Keep-alive on both sides, connections to the server shared by all clients. Without a `log` nothing is logged.
    option http-keep-alive
    http-reuse always
    timeout connect 5s
    timeout client 300s
    timeout server 300s

frontend clients
    bind 127.0.0.1:{port} backlog 4096
    default_backend service

backend service
    server one 127.0.0.1:{upstream} pool-max-conn -1
"""

# What the demo's table lacks: items as protobuf's JSON has them, and files of which the answer to `put` says the size. Only one
# instance has a file.
CALLGATE_ROUTES = """\
[[routes]]
match    = "GET /v1/numbers"
backend  = "shop"
call     = "echo.count"
int64    = "string"
response = { wrap = "number", stream = "ndjson" }

[backends.files]
endpoints = ["{first}"]

[[routes]]
match    = "PUT /v1/files/{name}"
backend  = "files"
call     = "files.put"
body     = { raw = "content" }
response = { field = "bytes" }

[[routes]]
match    = "GET /v1/files/{name}"
backend  = "files"
call     = "files.get"
response = { raw = "content" }
"""


# Of the tokens that are checked: whose they are, and for whom.
ISSUER, AUDIENCE = "https://id.example.com", "orders"

# One method behind four routes, of which each checks something else.
CALLGATE_CREDENTIALS = """\
[backends.shop]
endpoints = [{endpoints}]
{more}
[auth.staff]
type       = "jwt"
jwks       = "{jwks}"
algorithms = ["RS256"]
issuer     = "{issuer}"
audience   = "{audience}"

[auth.machines]
type = "api_key"
file = "{keys}"

[[routes]]
match = "GET /v1/calc/add"
call  = "calc.add"
auth  = "anonymous"

[[routes]]
match = "POST /open/orders/{{order_id}}/quote"
call  = "orders.quote"
auth  = "anonymous"

[[routes]]
match = "POST /rule/orders/{{order_id}}/quote"
call  = "orders.quote"
auth  = "anonymous"
rules = ["args.customer == 'ada' && args.express == false"]

[[routes]]
match = "POST /jwt/orders/{{order_id}}/quote"
call  = "orders.quote"
auth  = "staff"

[[routes]]
match = "POST /api_key/orders/{{order_id}}/quote"
call  = "orders.quote"
auth  = "machines"
"""


@dataclasses.dataclass(frozen=True)
class Checked:
    """A port where tokens are checked, the keys for it, and what is answered."""

    port: int
    jwks: str
    answer: str


@dataclasses.dataclass(frozen=True)
class Secure:
    """The ports for TLS and for HTTP/2 without it, and the certificate's files."""

    https: int
    h2c: int
    chain: pathlib.Path
    key: pathlib.Path


def nginx(folder, name, port, upstream, workers, secure=None):
    return NGINX.format(
        secure=NGINX_SECURE.format(**dataclasses.asdict(secure)) if secure else "",
        folder=folder,
        name=name,
        port=port,
        upstream=upstream,
        workers=workers,
        clients=CLIENTS,
        files=2 * CLIENTS,
    )


def haproxy(port, upstream, workers):
    return HAPROXY.format(port=port, upstream=upstream, workers=workers, clients=CLIENTS)


def callgate(port, admin, workers, folder, secure=None):
    """gateway.toml: as it ships, but for ports and workers."""
    settings = (
        f'[server]\nlisten = ["127.0.0.1:{port}"]\nworkers = {workers}\n'
        f'[admin]\nlisten = "127.0.0.1:{admin}"\n[tables]\nwatch = ["{folder}"]\n'
    )
    if not secure:
        return settings
    return settings + (
        f'[[listeners]]\naddress = "127.0.0.1:{secure.https}"\ntls = true\n'
        f'[[listeners]]\naddress = "127.0.0.1:{secure.h2c}"\nhttp2 = "prior_knowledge"\n'
    )


def callgate_certificate(secure, name):
    """The certificate's part of a table."""
    return f'[[certificates]]\nnames = ["{name}"]\ncert = "{secure.chain}"\nkey = "{secure.key}"\n'


def callgate_credentials(addresses, jwks, keys, more=""):
    """A table of its own, because everything says who may call as soon as anything does; with more lines of its backend."""
    endpoints = ", ".join(f'"{address}"' for address in addresses)
    return CALLGATE_CREDENTIALS.format(endpoints=endpoints, jwks=jwks, keys=keys, more=more, issuer=ISSUER, audience=AUDIENCE)


def envoy(port, upstream, descriptor, secure=None):
    """JSON, which is YAML too. As Envoy's advice on benchmarking has it: no access log, no request ids, no dynamic
    statistics, and circuit breakers that do not trip."""
    transcoder = {
        "@type": _type("filters.http.grpc_json_transcoder", "GrpcJsonTranscoder"),
        "proto_descriptor": str(descriptor),
        "services": ["shop.Orders", "shop.Calc", "shop.Echo"],
        # So that its answers are those of the others: snake_case names, fields shown that are false or 0, and a line for
        # each item.
        "print_options": {
            "preserve_proto_field_names": True,
            "always_print_primitive_fields": True,
            "stream_newline_delimited": True,
        },
    }
    filters = [{"name": "envoy.filters.http.grpc_json_transcoder", "typed_config": transcoder}, _router()]
    manager = _manager({"route": {"cluster": "service", "timeout": "10s"}}, filters)
    listeners = [_listener("clients", port, manager, "HTTP1")]
    if secure:
        tls = {"name": "envoy.transport_sockets.tls", "typed_config": _tls(secure)}
        listeners.append(_listener("https", secure.https, manager, "AUTO", transport_socket=tls))
        listeners.append(_listener("h2c", secure.h2c, manager, "HTTP2"))
    return json.dumps({"static_resources": {"listeners": listeners, "clusters": [_cluster(upstream)]}}, indent=1)


def envoy_checking(port, checked):
    """One that answers by itself, on a port as it is and on another when it has checked a token: what the check adds is a
    small part of a request that is transcoded and sent on, and smaller than what such requests differ by."""
    answered = {"direct_response": {"status": 200, "body": {"inline_string": checked.answer}}}
    authn = {"name": "envoy.filters.http.jwt_authn", "typed_config": _jwt_authn(checked)}
    listeners = [
        _listener("clients", port, _manager(answered, [_router()]), "HTTP1"),
        _listener("checked", checked.port, _manager(answered, [authn, _router()]), "HTTP1"),
    ]
    return json.dumps({"static_resources": {"listeners": listeners}}, indent=1)


def _manager(action, filters):
    return {
        "@type": _type("filters.network.http_connection_manager", "HttpConnectionManager"),
        "stat_prefix": "clients",
        "generate_request_id": False,
        "route_config": {"virtual_hosts": [_virtual_host(action)]},
        "http_filters": filters,
    }


def _router():
    router = {"@type": _type("filters.http.router", "Router"), "dynamic_stats": False}
    return {"name": "envoy.filters.http.router", "typed_config": router}


def _listener(name, port, manager, codec, **more):
    manager = {**manager, "codec_type": codec}
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    return {"name": name, "address": _address(port), "filter_chains": [{"filters": filters, **more}]}


def _tls(secure):
    files = {"certificate_chain": {"filename": str(secure.chain)}, "private_key": {"filename": str(secure.key)}}
    return {
        "@type": _type("transport_sockets.tls", "DownstreamTlsContext"),
        "common_tls_context": {"tls_certificates": [files], "alpn_protocols": ["h2", "http/1.1"]},
    }


def _jwt_authn(checked):
    """With its cache of tokens, which is off by default. It leaves the token among the fields, as where nothing is checked."""
    provider = {
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "forward": True,
        "local_jwks": {"inline_string": checked.jwks},
        "jwt_cache_config": {"jwt_cache_size": 100},
    }
    rule = {"match": {"prefix": "/"}, "requires": {"provider_name": "staff"}}
    authn = _type("filters.http.jwt_authn", "JwtAuthentication")
    return {"@type": authn, "providers": {"staff": provider}, "rules": [rule]}


def _virtual_host(action):
    route = {"match": {"prefix": "/"}, **action}
    return {"name": "all", "domains": ["*"], "routes": [route]}


def _cluster(upstream):
    """The gRPC service, over HTTP/2."""
    http2 = {
        "@type": _type("upstreams.http", "HttpProtocolOptions"),
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    many = 1_000_000
    breakers = {"max_connections": many, "max_pending_requests": many, "max_requests": many}
    endpoint = {"endpoint": {"address": _address(upstream)}}
    return {
        "name": "service",
        "type": "STATIC",
        "connect_timeout": "5s",
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2},
        "circuit_breakers": {"thresholds": [breakers]},
        "load_assignment": {"cluster_name": "service", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _type(package, name):
    return f"type.googleapis.com/envoy.extensions.{package}.v3.{name}"
