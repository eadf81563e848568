-- For wrk: one request over and over, and the figures as one line of JSON.
-- Arguments behind `--`: the method, the file with the body ("" for none), and header fields: a name, a value, a name...

function init(args)
   wrk.method = args[1]
   if args[2] ~= "" then
      local file = assert(io.open(args[2], "rb"))
      wrk.body = file:read("*a")
      file:close()
      wrk.headers["Content-Type"] = "application/json"
   end
   for at = 3, #args, 2 do
      wrk.headers[args[at]] = args[at + 1]
   end
end

function done(summary, latency)
   local e = summary.errors
   print(string.format(
      'RESULT {"requests": %d, "seconds": %f, "errors": %d, "p50_us": %f, "p99_us": %f, "p999_us": %f}',
      summary.requests, summary.duration / 1e6, e.connect + e.read + e.write + e.status + e.timeout,
      latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
