"""A client over TLS by httpx: many requests over connections that are kept, by HTTP/1.1 and by HTTP/2.

https_httpx.py PORT CA
"""

import asyncio
import ssl
import sys

import httpx

HOST = "a.example"


async def main():
    port, ca = int(sys.argv[1]), sys.argv[2]
    context = ssl.create_default_context(cafile=ca)
    for http2 in (False, True):
        async with httpx.AsyncClient(verify=context, http2=http2, base_url=f"https://127.0.0.1:{port}", timeout=30) as client:

            async def ask(n):
                reply = await client.get(
                    f"/v1/calc/add?a={n}&b=2", headers={"host": HOST}, extensions={"sni_hostname": HOST}
                )
                assert (reply.status_code, reply.json()) == (200, {"result": n + 2}), reply
                return reply.http_version

            versions = await asyncio.gather(*(ask(n) for n in range(200)))
            assert set(versions) == {"HTTP/2" if http2 else "HTTP/1.1"}, versions
    print("well")


asyncio.run(main())
