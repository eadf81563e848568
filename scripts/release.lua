-- For wrk: the demo's requests in turn, as scripts/release has them answered to make a profile. Most do what most requests
-- do; some fail, so that the compiler knows what is rare and still not dead.

local function order(items)
   local list = {}
   for n = 1, items do
      list[n] = string.format('{"sku":"tea-%d","qty":%d,"unit_price":%.2f}', n, n % 7 + 1, n * 1.25)
   end
   return '{"customer":"ada lovelace","express":false,"items":[' .. table.concat(list, ",") .. "]}"
end

local function post(path, body)
   return wrk.format("POST", path, { ["Content-Type"] = "application/json" }, body)
end

local function get(path)
   return wrk.format("GET", path)
end

local requests, at = {}, 0

function init()
   local types = io.open("examples/shop/types.json", "rb")
   local usual = {
      get("/v1/calc/add?a=1&b=2"),
      get("/v1/calc/add?a=-70000&b=123456789"),
      post("/v1/calc/divide", '{"a":1,"b":4}'),
      get("/v1/orders/1001"),
      post("/v1/orders/42/quote", order(1)),
      post("/v1/orders/43/quote", order(3)),
      post("/v1/orders/0197f3c2-5d8e-7b60-9a41-c3f2e8d51b07/quote", order(8)),
      post("/v1/orders/44/quote", '{ "items": [ ], "customer": "gr\\u00fc\\u00dfe", "express": true }'),
      post("/v1/echo", '{"any":["json",1,null]}'),
      post("/v1/echo/types", types:read("*a")),
   }
   types:close()
   for turn = 1, 8 do
      for _, request in ipairs(usual) do
         requests[#requests + 1] = request
      end
   end
   for _, request in ipairs({
      post("/v1/orders/45/quote", order(300)),
      post("/v1/calc/divide", '{"a":1,"b":0}'),
      post("/v1/calc/divide", '{"a":1'),
      post("/v1/calc/divide", '{"a":1,"b":4,"c":5}'),
      get("/v1/fail/not_found"),
      get("/v1/nothing"),
   }) do
      requests[#requests + 1] = request
   end
end

function request()
   at = at % #requests + 1
   return requests[at]
end
