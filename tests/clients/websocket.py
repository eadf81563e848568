"""A client over TLS by websockets: messages of several lengths there and back, fragments, pings, many at once, ends with their codes.

websocket.py PORT CA
"""

import asyncio
import json
import ssl
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

HOST = "a.example"


async def main():
    port, ca = int(sys.argv[1]), sys.argv[2]
    context = ssl.create_default_context(cafile=ca)

    def chat(**more):
        uri = f"wss://{HOST}:{port}/v1/chat"
        return connect(uri, host="127.0.0.1", port=port, ssl=context, max_size=None, **more)

    async with chat() as socket:
        for length in (0, 1, 125, 126, 65_536, 1_000_000):
            message = json.dumps("ü" * length, ensure_ascii=False)
            await socket.send(message)
            assert await socket.recv() == message, length
        await socket.send(['"in ', "three ", 'parts"'])
        assert await socket.recv() == '"in three parts"'
        await (await socket.ping(b"here?"))
    assert (socket.close_code, socket.close_reason) == (1000, ""), socket

    async def talk(n):
        async with chat() as socket:
            for m in range(50):
                await socket.send(f'"{n}.{m}"')
            said = [await socket.recv() for m in range(50)]
            assert said == [f'"{n}.{m}"' for m in range(50)], said

    await asyncio.gather(*(talk(n) for n in range(20)))

    async with chat() as socket:
        await socket.send('{"no": "string"}')
        try:
            await socket.recv()
            raise AssertionError("it is no message")
        except ConnectionClosed as closed:
            assert (closed.rcvd.code, closed.rcvd.reason) == (1008, "/0: expected a string, got an object"), closed
    try:
        async with chat(origin="https://evil.example"):
            raise AssertionError("it may not come")
    except InvalidStatus as refused:
        assert refused.response.status_code == 403, refused
    print("well")


asyncio.run(main())
