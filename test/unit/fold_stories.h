/*
 * fold_stories - random sequences of events of one call or text, as Dialpad sends them and worse.
 *
 * Use:      story_init(&s, seed), then story_call() or story_text(): n events about one id.
 * Owns:     nothing; events live in the arena given.
 * Threads:  one.
 * Errors:   none: every event can be folded.
 *
 * A call goes through the states of a plot. Each event is a snapshot of what is known by then, with
 * nulls for the rest; dates come as numbers or as digits. Now and then an event repeats the instant
 * of another, has none, or carries keys from a small pool of odd values that contradict the others.
 */
#ifndef CTI_FOLD_STORIES_H
#define CTI_FOLD_STORIES_H

#include "common/base/arena.h"
#include "common/base/buf.h"

#include <assert.h>
#include <inttypes.h>

struct story {
	uint64_t random;
	int64_t id, now;
	int64_t started, rang, connected, ended; /* 0: not yet */
	bool answered;
};

/* splitmix64: small, and the same on every machine. */
static inline uint64_t
story_random(struct story *s)
{
	uint64_t z = s->random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static inline int
story_below(struct story *s, int n)
{
	assert(n > 0);
	return (int)(story_random(s) % (uint64_t)n);
}

static inline bool
story_chance(struct story *s, int percent)
{
	return story_below(s, 100) < percent;
}

static inline void
story_init(struct story *s, uint64_t seed)
{
	*s = (struct story){ .random = seed };
}

enum { STORY_VALUES = 6 };

struct oddity {
	const char *key;
	const char *values[STORY_VALUES]; /* up to the first NULL */
};

static const struct oddity CALL_ODDITIES[] = {
	{ "group_id", { "\"a\"", "\"b\"", "null", "7" } },
	{ "direction", { "\"inbound\"", "\"outbound\"", "\"sideways\"", "null" } },
	{ "external_number", { "\"+1\"", "\"blocked\"", "null" } },
	{ "internal_number", { "\"+2\"", "\"\"" } },
	{ "target",
	    { "{}", "{\"id\":1,\"name\":\"a\"}", "{\"id\":\"2\",\"office_id\":3}", "null", "[]" } },
	{ "contact",
	    { "{\"id\":5}", "{\"id\":\"shared_5\",\"name\":\"\\u0000\"}", "{\"email\":\"\"}" } },
	{ "was_recorded", { "true", "false", "null", "\"yes\"" } },
	{ "is_transferred", { "true", "false" } },
	{ "mos_score", { "4.41", "\"3.5\"", "0", "1e999" } },
	{ "talk_time", { "10", "10.4", "\"900\"", "-1" } },
	{ "total_duration", { "8951.03", "8951.6", "7" } },
	{ "labels", { "[\"a\"]", "[\"b\",\"a\"]", "[\"\\u00e9\",\"\",1]", "[]" } },
	{ "recording_details",
	    { "[{\"id\":\"1\",\"duration\":5,\"start_time\":9000}]",
		"[{\"id\":2,\"url\":\"x/2\"},{\"id\":1,\"duration\":7,\"start_time\":8000}]",
		"[{\"id\":\"3\",\"recording_type\":\"voicemail\",\"duration\":3,\"start_time\":7000}]" } },
	{ "recording_url",
	    { "[\"https://x/r/1\"]", "\"https://x/s/1\"", "[\"https://x/r/2\"]",
		"[\"https://x/r/3\"]" } },
	{ "admin_recording_urls", { "[\"https://x/a/1.mp3\"]", "[\"https://x/a/4.mp3\"]" } },
	{ "call_recording_ids", { "[1]", "[2,\"4\"]" } },
	{ "voicemail_recording_id", { "3", "\"4\"", "null" } },
	{ "voicemail_link", { "\"https://x/v/1\"", "\"https://x/v/2\"" } },
	{ "transcription_text", { "\"t\"", "\"\"", "\"u\"" } },
	{ "recap_summary", { "\"s\"", "\"r\"", "5" } },
	{ "recap_purposes", { "[\"p\"]", "\"p\"", "{\"q\":[1.5]}" } },
	{ "date_connected", { "1770243110500", "null", "\"1770243110600\"", "0" } },
	{ "date_ended", { "1770243110400", "1770243190000" } },
	{ "date_queued", { "1770243110010", "\"1770243110020\"" } },
	{ "event_timestamp",
	    { "1770243109824", "1770243112824", "\"1770243130000\"", "null", "-1" } },
	{ "state",
	    { "\"blocked\"", "\"unheard_of\"", "null", "7", "\"voicemail_uploaded\"",
		"\"no_final_event\"" } },
};

static const struct oddity TEXT_ODDITIES[] = {
	{ "direction", { "\"inbound\"", "\"outbound\"" } },
	{ "to_number", { "[\"+3\",\"+4\"]", "\"+5\"", "[]", "null" } },
	{ "text", { "\"a\"", "\"\"", "null" } },
	{ "text_content", { "\"b\"", "\"c\"" } },
	{ "message_delivery_result", { "\"accepted\"", "\"no_route\"", "null" } },
	{ "mms", { "true", "false" } },
	{ "mms_url", { "\"https://x/1\"", "null" } },
	{ "target", { "{\"id\":1,\"phone_number\":\"(1)\"}", "{\"id\":\"2\"}", "{}" } },
	{ "contact", { "{\"id\":5}", "{\"id\":\"5x\",\"name\":\"n\"}" } },
	{ "created_date", { "1770243110100", "\"1770243110200\"", "null" } },
	{ "event_timestamp", { "1770243109824", "\"1770243111824\"", "null" } },
	{ "sender_id", { "9", "\"8\"" } },
};

/* Odd keys come first in an event, because of duplicates the first counts. */
static inline void
story_add_oddities(struct story *s, struct buf *b, const struct oddity *pool, int n)
{
	int percent = story_chance(s, 50) ? 5 : 25;

	for (int i = 0; i < n; i++) {
		int values = 0;

		while (values < STORY_VALUES && pool[i].values[values] != NULL)
			values++;
		if (story_chance(s, percent))
			buf_add_fmt(
			    b, ",\"%s\":%s", pool[i].key, pool[i].values[story_below(s, values)]);
	}
}

/* A date as a webhook gives it, or as the REST API does, or not at all. */
static inline void
story_add_date(struct story *s, struct buf *b, const char *key, int64_t ms)
{
	bool digits = story_chance(s, 15);

	if (ms != 0)
		buf_add_fmt(b, digits ? ",\"%s\":\"%" PRId64 "\"" : ",\"%s\":%" PRId64, key, ms);
	else if (story_chance(s, 70))
		buf_add_fmt(b, ",\"%s\":null", key);
}

static const char *const PLOTS[][12] = {
	{ "calling", "ringing", "connected", "hold", "connected", "hangup", "recording",
	    "recap_summary", "csat" },
	{ "ringing", "preanswer", "connected", "parked", "takeover", "merged", "hangup",
	    "admin_recording" },
	{ "queued", "ringing", "missed", "hangup", "postcall" },
	{ "ringing", "voicemail", "hangup", "voicemail_uploaded", "transcription" },
	{ "queued", "abandoned", "hangup" },
	{ "ringing", "hangup" },
	{ "blocked" },
};

/* What has happened once the call is in that state. */
static inline void
story_enter(struct story *s, const char *state)
{
	s->now += story_below(s, 4) * 1000; /* two events may share an instant */
	if (s->started == 0)
		s->started = s->now;
	if (s->rang == 0 && strcmp(state, "ringing") == 0)
		s->rang = s->now + 1;
	if (s->connected == 0 && strcmp(state, "connected") == 0)
		s->connected = s->now + 2;
	if (s->ended == 0 && (strcmp(state, "hangup") == 0 || story_chance(s, 10)))
		s->ended = s->now + 3;
}

static inline struct str
story_call_event(struct story *s, const char *state, struct arena *a)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(1u << 16);

	story_enter(s, state);
	buf_add_fmt(&b, "{\"call_id\":%" PRId64, s->id);
	story_add_oddities(
	    s, &b, CALL_ODDITIES, (int)(sizeof CALL_ODDITIES / sizeof CALL_ODDITIES[0]));
	buf_add_fmt(&b, ",\"state\":\"%s\"", state);
	if (story_chance(s, 90))
		buf_add_fmt(&b, ",\"event_timestamp\":%" PRId64, s->now);
	story_add_date(s, &b, "date_started", s->started);
	story_add_date(s, &b, "date_rang", s->rang);
	story_add_date(s, &b, "date_connected", s->connected);
	story_add_date(s, &b, "date_ended", s->ended);
	if (s->connected != 0 && s->ended != 0)
		buf_add_fmt(
		    &b, ",\"talk_time\":%" PRId64, s->ended - s->connected - story_below(s, 2));
	buf_add_fmt(
	    &b, ",\"direction\":\"inbound\",\"external_number\":\"+1650555%d\"", story_below(s, 2));
	buf_add_c(&b,
	    ",\"internal_number\":\"+14155550150\",\"contact\":{\"id\":7,\"name\":\"Ada\",\"email\":\"\"}}");
	return arena_dup(a, buf_str(&b));
}

static inline int
story_call(struct story *s, struct arena *a, struct str *events, int max)
{
	const char *const *plot = PLOTS[story_below(s, (int)(sizeof PLOTS / sizeof PLOTS[0]))];
	int n = 0, at = 0;

	s->id = 5137304475768569;
	s->now = 1770243109824;
	s->started = s->rang = s->connected = s->ended = 0;
	while (n < max && at < 12 && plot[at] != NULL) {
		if (story_chance(s, 85)) /* an event may be lost */
			events[n++] = story_call_event(s, plot[at], a);
		at += story_chance(s, 80); /* or sent again, with other contents */
	}
	return n;
}

static inline int
story_text(struct story *s, struct arena *a, struct str *events, int max)
{
	static const char *const statuses[] = { "\"pending\"", "\"success\"", "\"failed\"", "null",
		"\"novel\"" };
	int n = 1 + story_below(s, max);

	s->id = 6095823680520192;
	s->now = 1770243109824;
	for (int i = 0; i < n; i++) {
		AUTO_RELEASE(buf_release) struct buf b = BUF(1u << 16);

		s->now += story_below(s, 3) * 500;
		buf_add_fmt(&b, "{\"id\":%" PRId64, s->id);
		story_add_oddities(
		    s, &b, TEXT_ODDITIES, (int)(sizeof TEXT_ODDITIES / sizeof TEXT_ODDITIES[0]));
		buf_add_fmt(&b, ",\"message_status\":%s,\"event_timestamp\":%" PRId64,
		    statuses[story_below(s, 5)], s->now);
		buf_add_c(&b, ",\"from_number\":\"+1\",\"to_number\":[\"+2\"],\"text\":\"Hello\"}");
		events[i] = arena_dup(a, buf_str(&b));
	}
	return n;
}

#endif
