-- A large stock of calls, messages and voicemails of several tenants, over the last 50 days; filled
-- in and run by many_records.py. The same rows each time, but for the time of day.
--
-- What makes plans go wrong is in it: a number that most calls have beside customers' of whom some
-- are frequent and some have three calls; rare states; calls that came here days after they were;
-- old ones that changed lately.

CREATE FUNCTION pg_temp.app(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
	SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid
$$;

-- 0 to below - 1, of which row n draws one for each purpose.
CREATE FUNCTION pg_temp.draw(n bigint, purpose bigint, below bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
	SELECT (hashint8extended(n, purpose) & 9223372036854775807) % below
$$;

CREATE TEMP TABLE story AS
SELECT n, pg_temp.app(1 + n % :apps) AS app_id, 6000000000000000 + n AS call_id,
	md5(n || ' call')::uuid AS id,
	present - age AS at,
	LEAST(present, present - age + late) AS created_at,
	LEAST(present, present - age + late + changed) AS updated_at,
	CASE WHEN pg_temp.draw(n, 1, 5) < 2 THEN 'outbound' ELSE 'inbound' END AS direction,
	CASE WHEN n / :apps % (:calls / :apps / 3) = 2 THEN '+14155559999' ELSE '+1510'
		|| lpad((pg_temp.draw(n, 2, 55) * pg_temp.draw(n, 3, 55))::text, 7, '0') END AS theirs,
	CASE WHEN pg_temp.draw(n, 4, 10) < 7 THEN '+14155550100'
		ELSE '+1415555' || lpad(pg_temp.draw(n, 5, 40)::text, 4, '0') END AS ours,
	CASE WHEN n / :apps % (:calls / :apps / 3) = 1 THEN 5600000000009999
		ELSE 5600000000000000 + pg_temp.draw(n, 6, 23) END AS target_id,
	CASE WHEN age < interval '1 hour' AND pg_temp.draw(n, 7, 4) = 0 THEN 'connected'
		WHEN pg_temp.draw(n, 8, 1000) = 0 THEN 'blocked'
		WHEN pg_temp.draw(n, 8, 20) = 0 THEN 'voicemail'
		WHEN pg_temp.draw(n, 8, 4) = 0 THEN 'missed'
		ELSE 'completed' END AS status,
	pg_temp.draw(n, 9, 3) > 0 AS is_second_leg,
	pg_temp.draw(n, 10, 3) = 0 AS was_recorded
FROM (SELECT n,
		date_trunc('milliseconds', now()) AS present, -- as workerd writes instants
		date_trunc('milliseconds', (:calls - n) * interval '50 days' / :calls) AS age,
		CASE WHEN pg_temp.draw(n, 11, 200) = 0 THEN pg_temp.draw(n, 12, 30) * interval '1 day'
			ELSE interval '1 second' END AS late,
		CASE WHEN pg_temp.draw(n, 13, 50) = 0 THEN pg_temp.draw(n, 14, 30) * interval '1 day'
			ELSE interval '2 minutes' END AS changed
	FROM generate_series(1, :calls) AS n) AS drawn;

INSERT INTO calls (app_id, call_id, id, direction, external_number, internal_number, "from", "to",
	status, state, started_at, rang_at, connected_at, ended_at, duration, talk_time,
	total_duration, target_id, target_type, target_name, contact_id, contact_name,
	contact_phone, was_recorded, recording_url, recordings, labels, entry_point_call_id, sort_at,
	first_event_at, clocks, created_at, updated_at)
SELECT app_id, call_id, id, direction, theirs, ours,
	CASE direction WHEN 'inbound' THEN theirs ELSE ours END,
	CASE direction WHEN 'inbound' THEN ours ELSE theirs END,
	status, 'hangup', at, at + interval '1 s', at + interval '9 s', at + interval '99 s',
	90000, 90000, 99000, target_id, 'user', 'Ada Lovelace', theirs, 'Grace Hopper', theirs,
	was_recorded, CASE WHEN was_recorded THEN 'https://dialpad.com/r/' || call_id END,
	CASE WHEN was_recorded THEN '[{"id":"4713299887005696","url":"https://dialpad.com/r/'
		|| '4713299887005696","duration":90000,"started_at":null,"type":"callrecording"}]'
		END::json,
	'[]', CASE WHEN is_second_leg THEN call_id - 1 END, at, at, '\x0102030405060708',
	created_at, updated_at
FROM story ORDER BY n;

INSERT INTO voicemails (app_id, call_id, id, "from", "to", target_id, target_type, recording_id,
	duration, left_at, sort_at, created_at, updated_at)
SELECT app_id, call_id, md5(n || ' voicemail')::uuid,
	CASE direction WHEN 'inbound' THEN theirs ELSE ours END,
	CASE direction WHEN 'inbound' THEN ours ELSE theirs END,
	target_id, 'user', 4713299887005696, 7000, at, at, created_at, updated_at
FROM story WHERE status = 'voicemail' ORDER BY n;

INSERT INTO messages (app_id, message_id, id, direction, "from", "to", to_numbers, text, status,
	target_id, target_type, sent_at, sort_at, first_event_at, clocks, created_at, updated_at)
SELECT app_id, call_id, md5(n || ' message')::uuid, direction,
	CASE direction WHEN 'inbound' THEN theirs ELSE ours END,
	CASE direction WHEN 'inbound' THEN ours ELSE theirs END,
	'["+15105550123"]', 'See you at noon',
	CASE WHEN status = 'blocked' THEN 'failed' WHEN direction = 'outbound' THEN 'success' END,
	target_id, 'user', at, at, at, '\x0102030405060708', created_at, updated_at
FROM story WHERE n % 4 = 0 OR theirs = '+14155559999' ORDER BY n;

DROP TABLE story;
