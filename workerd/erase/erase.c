/*
 * One person's calls, texts and voicemails, with all events of them, because an admin asked for it.
 * Every event and record of the tenant is looked at, a page at a time; what is found goes at once, in
 * one transaction for each page. The number is forgotten with the last page.
 */
#include "workerd/erase/erase_db.h"

#include "common/base/log.h"
#include "common/records/record.h"
#include "workerd/jobs/request_json.h"

struct erase {
	struct erase_wanted wanted;
	int place;
	struct str after; /* in the arena */
	struct erase_counts counts;
	struct arena *arena;
	/* of one page */
	struct db_array calls, messages, events, objects;
};

static void
init_found(struct erase *w)
{
	db_array_init(&w->calls, DB_I64);
	db_array_init(&w->messages, DB_I64);
	db_array_init(&w->events, DB_UUID);
	db_array_init(&w->objects, DB_UUID);
}

static void
release_found(struct erase *w)
{
	db_array_release(&w->calls);
	db_array_release(&w->messages);
	db_array_release(&w->events);
	db_array_release(&w->objects);
}

/* ---- between two runs ---- */

#define COUNTS(X) X(calls) X(messages) X(voicemails) X(events) X(changes)

static enum err_code
read_state(const struct request *q, struct arena *a, struct erase *w, struct err *e)
{
	const struct json *p, *so_far;
	int64_t place = 0;
	enum err_code rc = request_params(q, a, &p, e);

	if (rc != ERR_OK)
		return rc;
	w->wanted.app_id = q->app_id;
	if (!json_get_str(p, "number", &w->wanted.number) || w->wanted.number.n < 2)
		return err_set(e, ERR_INVALID, "there is no number to erase");
	(void)json_get_i64(p, "place", &place);
	w->place = place >= 0 && place < ERASE_PLACES ? (int)place : 0;
	w->after = str_of(erase_first(w->place));
	(void)json_get_str(p, "after", &w->after);
	so_far = json_get(p, "so_far");
#define X(name) (void)json_get_i64(so_far, #name, &w->counts.name);
	COUNTS(X)
#undef X
	return ERR_OK;
}

static void
write_counts(const struct erase *w, struct json_out *j)
{
	jo_obj(j);
#define X(name) jo_kv_i64(j, #name, w->counts.name);
	COUNTS(X)
#undef X
	jo_end_obj(j);
}

/* Without the number when it was the last run. */
static void
write_state(const struct erase *w, bool done, struct buf *out)
{
	struct json_out j;

	jo_init(&j, out);
	jo_obj(&j);
	if (!done) {
		jo_kv_str(&j, "number", w->wanted.number);
		jo_kv_i64(&j, "place", w->place);
		jo_kv_str(&j, "after", w->after);
		jo_key(&j, "so_far");
		write_counts(w, &j);
	}
	jo_end_obj(&j);
}

/* ---- one page ---- */

static void
add_record(struct erase *w, const struct erase_hit *hit)
{
	struct uuid app_id = w->wanted.app_id;

	if (hit->kind == DIALPAD_CALL) {
		db_array_i64(&w->calls, hit->dialpad_id);
		db_array_uuid(&w->objects, record_id(app_id, &RECORD_CALL, hit->dialpad_id));
		db_array_uuid(&w->objects, record_id(app_id, &RECORD_VOICEMAIL, hit->dialpad_id));
	} else {
		db_array_i64(&w->messages, hit->dialpad_id);
		db_array_uuid(&w->objects, record_id(app_id, &RECORD_MESSAGE, hit->dialpad_id));
	}
}

static void
add_hit(struct erase *w, const struct erase_hit *hit)
{
	if (!uuid_eq(hit->event_id, UUID_NIL))
		db_array_uuid(&w->events, hit->event_id);
	if (hit->dialpad_id != 0 && hit->kind != DIALPAD_OTHER)
		add_record(w, hit);
}

static enum err_code
remove_found(struct job_run *r, void *arg, struct err *e)
{
	struct erase *w = arg;
	struct erase_counts after = w->counts;
	enum err_code rc = job_join_by_key(r, e);

	if (rc == ERR_OK)
		rc = erase_remove(r->conn, w->wanted.app_id, &w->calls, &w->messages, &w->events,
		    &w->objects, &after, e);
	if (rc == ERR_OK)
		w->counts = after;
	return rc;
}

/* To the page after `r`, or to the next place when that was empty. */
static void
turn_page(struct erase *w, const struct db_result *r)
{
	if (db_rows(r) > 0) {
		w->after = arena_dup(w->arena, db_str(r, db_rows(r) - 1, 0));
		return;
	}
	w->place++;
	if (w->place < ERASE_PLACES)
		w->after = str_of(erase_first(w->place));
}

static enum err_code
erase_page(struct job_run *r, struct erase *w, bool *busy, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result page = DB_RESULT_NONE;
	enum err_code rc = erase_look(r->conn, &w->wanted, w->place, w->after, &page, e);

	init_found(w);
	for (int i = 0; rc == ERR_OK && i < db_rows(&page); i++) {
		struct erase_hit hit;

		erase_hit_read(&page, i, &hit);
		if (hit.has_number)
			add_hit(w, &hit);
	}
	if (rc == ERR_OK && w->events.n + w->calls.n + w->messages.n > 0)
		rc = job_in_turn(r, w->wanted.app_id, remove_found, w, busy, e);
	if (rc == ERR_OK && !*busy)
		turn_page(w, &page);
	release_found(w);
	return rc;
}

static enum err_code
erase_pages(struct job_run *r, struct erase *w, struct err *e)
{
	bool busy = false;
	enum err_code rc = request_check_app(r, w->wanted.app_id, e);

	while (rc == ERR_OK && !busy && w->place < ERASE_PLACES && job_may_go_on(r))
		rc = erase_page(r, w, &busy, e);
	return rc;
}

enum err_code
request_erase(struct job_run *r, const struct request *q, struct request_end *end, struct err *e)
{
	AUTO_RELEASE(arena_release) struct arena a;
	struct erase w = { .arena = &a };
	struct json_out j;
	bool done;
	enum err_code rc;

	arena_init(&a);
	rc = read_state(q, &a, &w, e);
	if (rc == ERR_OK)
		rc = erase_pages(r, &w, e);
	if (rc != ERR_OK)
		return rc;
	done = w.place == ERASE_PLACES;
	jo_init(&j, &end->result);
	write_counts(&w, &j);
	write_state(&w, done, &end->params);
	if (!done)
		end->again_ms = 0;
	else
		log_info("person.erased", "events=%lld", (long long)w.counts.events);
	return ERR_OK;
}
