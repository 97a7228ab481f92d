-- wrk posts one webhook after another: wrk -s post.lua URL -- TOKENS PATH reuse|close
-- Each thread takes its own part of the tokens, and starts again when it has sent them all.

local threads = {}

function setup(thread)
	thread:set("number", #threads)
	table.insert(threads, thread)
	for _, t in ipairs(threads) do
		t:set("count", #threads)
	end
end

function init(args)
	local headers = { ["Content-Type"] = "application/jwt" }
	local n = 0

	if args[3] == "close" then
		headers["Connection"] = "close"
	end
	requests, at = {}, 0
	for token in io.lines(args[1]) do
		if n % count == number then
			table.insert(requests, wrk.format("POST", args[2], headers, token))
		end
		n = n + 1
	end
end

function request()
	at = at % #requests + 1
	return requests[at]
end

-- Times in ms. "dropped" connections were refused, reset or timed out. wrk 4.1 counts the end of a
-- connection as a failed read although it has counted the answer before: "closed" has these.
function done(summary, latency)
	local e = summary.errors

	io.write(string.format(
		'{"answers":%d,"seconds":%.4f,"p50":%.3f,"p99":%.3f,"other_status":%d,"dropped":%d,"closed":%d}\n',
		summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
		latency:percentile(99) / 1e3, e.status, e.connect + e.write + e.timeout, e.read))
end
