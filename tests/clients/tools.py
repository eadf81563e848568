"""Tools as the Python SDK of the Model Context Protocol sees them: tools.py URL

It lists, calls, streams and cancels, by both eras of the protocol, and ends with the revisions that were spoken.
"""

import asyncio
import sys

import anyio
from mcp import MCPError
from mcp.client import Client

ORDER = {"order_id": "7", "customer": "ada", "express": False, "items": [{"sku": "tea", "qty": 2, "unit_price": 4.5}]}


def text(result):
    return "".join(item.text for item in result.content)


async def speak(url, mode):
    async with Client(url, mode=mode) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert "orders_quote" in tools and "calc_divide" not in tools, sorted(tools)
        assert tools["orders_get"].annotations.read_only_hint, tools["orders_get"]

        quote = await client.call_tool("orders_quote", ORDER)
        assert not quote.is_error and quote.structured_content["total"] == 9.0, quote

        wrong = await client.call_tool("orders_quote", ORDER | {"items": [{"sku": "tea", "qty": -1, "unit_price": 1}]})
        assert wrong.is_error and "`/items/0/qty`" in text(wrong), wrong

        try:
            await client.call_tool("calc_divide", {"a": 1, "b": 2})
            raise AssertionError("what is not declared was called")
        except MCPError as error:
            assert error.code == -32602, error

        told = []

        async def tell(progress, total, message):
            told.append((progress, message))

        count = await client.call_tool("echo_count", {"from": 1, "to": 3}, progress_callback=tell)
        assert count.structured_content == {"items": [1, 2, 3]}, count
        assert told == [(1, "1"), (2, "2"), (3, "3")], told

        # A call that would take an hour is given up when its second item has come.
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:

                async def two(progress, total, message):
                    if progress == 2:
                        group.cancel_scope.cancel()

                endless = {"from": 1, "to": 1_000_000, "pause_ms": 5}
                await client.call_tool("echo_count", endless, progress_callback=two)
                raise AssertionError("it was not given up")
        return client.protocol_version


async def main():
    spoken = [await speak(sys.argv[1], mode) for mode in ("auto", "legacy")]
    print("spoke", *spoken)


asyncio.run(main())
