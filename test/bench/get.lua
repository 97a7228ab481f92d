-- wrk asks for one path again and again: wrk -s get.lua URL -- PATH KEY reuse|close

dofile(debug.getinfo(1).source:match("@(.*/)") .. "report.lua")

function init(args)
	local headers = { ["x-app-api-key"] = args[2] }

	if args[3] == "close" then
		headers["Connection"] = "close"
	end
	asked = wrk.format("GET", args[1], headers)
end

function request()
	return asked
end
