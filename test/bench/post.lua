-- wrk posts one webhook after another: wrk -s post.lua URL -- TOKENS PATH reuse|close
-- Each thread takes its own part of the tokens, and starts again when it has sent them all.

dofile(debug.getinfo(1).source:match("@(.*/)") .. "report.lua")

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
