"""A small peer for the conformance program to be tested on: either side of docs/protocol.md, from Python's standard
library alone. It keeps every promise, unless `--break NAME` has it break one; `--breaks` lists the names."""

import argparse
import asyncio

from acceptor import Server
from breaks import BREAKS
from connector import Caller


async def serve(address, broken):
    host, _, port = address.rpartition(":")
    server = await asyncio.start_server(Server(broken).accepted, host, int(port), limit=1 << 20)
    print(f"listening on port {server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


async def call(address, broken):
    await Caller(address, broken).obey()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", metavar="ADDR", help="be an acceptor; port 0 lets the system choose")
    parser.add_argument("--connect", metavar="ADDR", help="be a connector, driven by lines of standard input")
    parser.add_argument("--break", metavar="NAME", dest="name", choices=[one.name for one in BREAKS])
    parser.add_argument("--breaks", action="store_true", help="list what can be broken: name, side, case, section")
    options = parser.parse_args()
    broken = lambda name: name == options.name
    if options.breaks:
        for one in BREAKS:
            print(one.name, one.side, one.case, one.section, sep="\t")
    elif options.listen:
        asyncio.run(serve(options.listen, broken))
    elif options.connect:
        asyncio.run(call(options.connect, broken))


main()
