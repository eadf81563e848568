# The ways into the project. Each target is a script in scripts/, which says what it does and why.

.DEFAULT_GOAL := help
.PHONY: help demo test check setup release package bench chaos overload floods mutants fuzz clients

help: ## this list
	@sed -n 's/^\([a-z]*\): .*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: ## two backends and the gateway on 127.0.0.1:8080, and by HTTPS on 127.0.0.1:8443, with requests to paste; DEMO_ONCE=1 sends them itself and ends
	@scripts/demo

test: ## every test: unit, end to end, documentation
	@scripts/test

check: ## format, lints, documentation, dependencies, deploy files
	@scripts/check

setup: ## install what this machine lacks for all of these (demo and test do their part of it themselves)
	@scripts/setup

release: ## the programs as they are released, into target/released; in about ten minutes
	@scripts/release

package: ## what `make release` makes as a Debian package and a tarball, into target/packages
	@scripts/package

bench: ## side by side with nginx, HAProxy, pingora and Envoy, in about twenty-five minutes; QUICK=1 takes six; scripts/bench --against DIR compares two builds, --instructions counts
	@scripts/bench

chaos: ## a steady client, and a caller by the SDK, while instances die, hang, drain and change; an outage; dropped packets; in about six minutes
	@scripts/chaos

overload: ## three times what a backend can serve, with and without control: a table, a plot, what holds; in about three minutes
	@scripts/overload

floods: ## HTTP/2 as attackers send it, in bulk: what it costs in memory and time, and that a good client is served; in about five minutes
	@scripts/floods

clients: ## TLS, HTTP/2, CORS, streams, forms, files, codings, tokens, OpenAPI and tools by clients that not every machine has: Node, jose, httpx, requests, PyJWT, jwcrypto, schemathesis, TypeScript, the MCP clients of Python and Rust, Chromium, Prometheus, and testssl.sh, which looks for what is weak; in two minutes
	@scripts/clients

mutants: ## small changes to protocol, http1 and transcode that their own tests must notice, in an hour at most; GATEWAY=1 takes the gateway's calls and health
	@scripts/mutants

fuzz: ## what reads bytes from outside, attacked by libFuzzer: a minute for each target, in about twenty; TIME=SECONDS for each
	@scripts/fuzz $(if $(TIME),--seconds $(TIME))
