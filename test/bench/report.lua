-- What a run of wrk came to, as one line of JSON; for the scripts beside this one.
-- Times in ms. "dropped" connections were refused, reset or timed out. wrk 4.1 counts the end of a
-- connection as a failed read although it has counted the answer before: "closed" has these.
function done(summary, latency)
	local e = summary.errors

	io.write(string.format(
		'{"answers":%d,"seconds":%.4f,"bytes":%d,"p50":%.3f,"p99":%.3f,"other_status":%d,"dropped":%d,"closed":%d}\n',
		summary.requests, summary.duration / 1e6, summary.bytes, latency:percentile(50) / 1e3,
		latency:percentile(99) / 1e3, e.status, e.connect + e.write + e.timeout, e.read))
end
