// A client that openapi-fetch makes of the types that openapi-typescript has made of the document. What the types do not have does not
// compile: each line that must not is marked so, which the compiler checks.

import createClient from "openapi-fetch";
import type { components, paths } from "./api";

// All of Node that is needed.
declare const process: { argv: string[]; exitCode: number };

function check(holds: boolean, what: unknown): void {
  if (!holds) throw new Error(JSON.stringify(what));
}

async function main(base: string): Promise<void> {
  const client = createClient<paths>({ baseUrl: base });

  const item: components["schemas"]["ItemInput"] = { sku: "tea", qty: 2, unit_price: 4.5 };
  const quoted = await client.POST("/v1/orders/{order_id}/quote", {
    params: { path: { order_id: "7" } },
    body: { customer: "ada", express: false, items: [item] },
  });
  const quote: components["schemas"]["Quote"] | undefined = quoted.data;
  check(quote?.order_id === "7" && quote.total === 9 && quote.lines[0]?.qty === 2, quoted);

  // A problem has its type, too.
  const none = await client.GET("/v1/orders/{order_id}", { params: { path: { order_id: "nobody" } } });
  const problem: components["schemas"]["Problem"] | undefined = none.error;
  check(none.response.status === 404 && problem?.code === "not_found", none);

  const sum = await client.GET("/v1/calc/add", { params: { query: { a: 40, b: 2 } } });
  check(sum.data?.result === 42, sum);

  // @ts-expect-error: the method takes no text there
  await client.GET("/v1/calc/add", { params: { query: { a: "x", b: 2 } } });
  // @ts-expect-error: there is no such path
  await client.GET("/v1/nowhere");
}

main(process.argv[2] ?? "").then(
  () => console.log("well"),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
