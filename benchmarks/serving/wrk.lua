-- wrk's part of the bench: one request from a file for every connection, the result as one line of JSON.
-- BENCH_BODY is the file, BENCH_CONTENT_TYPE its media type, BENCH_ACCEPT that of the answer. The request is built once,
-- so that wrk itself costs little.
wrk.method = "POST"
wrk.headers["Content-Type"] = os.getenv("BENCH_CONTENT_TYPE")
wrk.headers["Accept"] = os.getenv("BENCH_ACCEPT")
local file = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
wrk.body = file:read("*a")
file:close()

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"refused":%d,"broken":%d,"p50":%.1f,"p99":%.1f,"max":%.1f}\n',
    summary.requests, summary.duration / 1e6, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end
