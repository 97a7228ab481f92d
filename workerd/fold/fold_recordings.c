#include "workerd/fold/fold_lists.h"

#include "common/base/clock.h"
#include "common/dialpad/event.h"
#include "common/json/json_out.h"

#include <inttypes.h>
#include <stdio.h>

/* The JSON always has room: three texts in each item, each byte escaped to six. */
enum { MAX_ITEMS = 256, MAX_TEXT = 2048, MAX_JSON_BYTES = MAX_ITEMS * (3 * 6 * MAX_TEXT + 256) };

static int64_t
greater(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Of two texts the greater, so that the order of arrival does not matter. */
static struct str
greater_text(struct str a, struct str b)
{
	if (a.p == NULL || b.p == NULL)
		return a.p == NULL ? b : a;
	return str_cmp(a, b) >= 0 ? a : b;
}

/* 0 is "unknown". */
static int64_t
earlier(int64_t a, int64_t b)
{
	if (a == 0 || b == 0)
		return greater(a, b);
	return a < b ? a : b;
}

struct recordings {
	struct recording item[MAX_ITEMS];
	int n;
};

static void
recordings_add(struct recordings *list, const struct recording *r)
{
	int i = 0;

	if (r->id.n == 0)
		return;
	while (i < list->n && str_cmp(list->item[i].id, r->id) < 0)
		i++;
	if (i < list->n && str_eq(list->item[i].id, r->id)) {
		struct recording *have = &list->item[i];

		have->url = greater_text(have->url, r->url);
		have->type = greater_text(have->type, r->type);
		have->duration = greater(have->duration, r->duration);
		have->started_at = earlier(have->started_at, r->started_at);
		return;
	}
	if (i == MAX_ITEMS)
		return;
	if (list->n == MAX_ITEMS)
		list->n--; /* the least ids stay, whatever came first */
	memmove(&list->item[i + 1], &list->item[i], sizeof list->item[0] * (size_t)(list->n - i));
	list->item[i] = *r;
	list->n++;
}

/* Ids come as text or as numbers. */
static struct str
id_text(const struct json *v, struct arena *a)
{
	struct str s = STR_NONE;
	char digits[24];
	int64_t n;

	if (json_to_str(v, &s))
		return s.n <= MAX_TEXT ? arena_dup(a, s) : STR_NONE;
	if (!json_to_i64(v, &n))
		return STR_NONE;
	(void)snprintf(digits, sizeof digits, "%" PRId64, n);
	return arena_dup(a, str_of(digits));
}

static struct str
short_text(const struct json *obj, const char *key, struct arena *a)
{
	struct str s;

	return json_get_str(obj, key, &s) && s.n > 0 && s.n <= MAX_TEXT ? arena_dup(a, s)
									: STR_NONE;
}

static void
add_details(struct recordings *list, const struct json *details, struct arena *a)
{
	for (const struct json *v = json_first(details); v != NULL; v = json_next(v)) {
		struct recording r = { 0 };
		double duration;

		r.id = id_text(json_get(v, "id"), a);
		r.url = short_text(v, "url", a);
		r.type = short_text(v, "recording_type", a);
		if (json_get_f64(v, "duration", &duration) && duration > 0 && duration < 1e15)
			r.duration = (int64_t)(duration + 0.5);
		if (!dialpad_instant(json_get(v, "start_time"), &r.started_at))
			r.started_at = 0;
		recordings_add(list, &r);
	}
}

/* https://dialpad.com/r/<id>, https://dialpad.com/blob/adminrecording/<id>.mp3 */
static struct str
id_of_url(struct str url)
{
	size_t from = url.n, to = url.n;

	while (from > 0 && url.p[from - 1] != '/')
		from--;
	for (size_t i = from; i < url.n; i++)
		if (url.p[i] == '.' || url.p[i] == '?') {
			to = i;
			break;
		}
	return (struct str){ url.p + from, to - from };
}

static void
add_url(struct recordings *list, const struct json *v, struct str type, struct arena *a)
{
	struct recording r = { .type = type };

	if (!json_to_str(v, &r.url) || r.url.n == 0 || r.url.n > MAX_TEXT)
		return;
	r.url = arena_dup(a, r.url);
	r.id = id_of_url(r.url);
	recordings_add(list, &r);
}

/* An array of URLs, or one. */
static void
add_urls(struct recordings *list, const struct json *urls, struct str type, struct arena *a)
{
	if (json_is_str(urls))
		add_url(list, urls, type, a);
	else if (json_is_arr(urls))
		for (const struct json *v = json_first(urls); v != NULL; v = json_next(v))
			add_url(list, v, type, a);
}

static void
add_ids(struct recordings *list, const struct json *ids, struct arena *a)
{
	if (!json_is_arr(ids))
		return;
	for (const struct json *v = json_first(ids); v != NULL; v = json_next(v))
		recordings_add(list, &(struct recording){ .id = id_text(v, a) });
}

static void
put_ms(struct json_out *j, const char *key, int64_t ms, bool instant)
{
	jo_key(j, key);
	if (ms == 0)
		jo_null(j);
	else if (instant)
		jo_time(j, ms);
	else
		jo_i64(j, ms);
}

static struct str
recordings_write(const struct recordings *list, struct arena *a)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(MAX_JSON_BYTES);
	struct json_out j;

	if (list->n == 0)
		return STR_NONE;
	jo_init(&j, &b);
	jo_arr(&j);
	for (int i = 0; i < list->n; i++) {
		const struct recording *r = &list->item[i];

		jo_obj(&j);
		jo_kv_str(&j, "id", r->id);
		jo_kv_str(&j, "url", r->url);
		put_ms(&j, "duration", r->duration, false);
		put_ms(&j, "started_at", r->started_at, true);
		jo_kv_str(&j, "type", r->type);
		jo_end_obj(&j);
	}
	jo_end_arr(&j);
	return arena_dup(a, buf_str(&b));
}

struct str
recordings_read(const struct json *claims, struct arena *a)
{
	struct recordings list;

	list.n = 0;
	add_details(&list, json_get(claims, "recording_details"), a);
	add_urls(&list, json_get(claims, "recording_url"), STR("callrecording"), a);
	add_urls(&list, json_get(claims, "admin_recording_urls"), STR("admincallrecording"), a);
	add_ids(&list, json_get(claims, "call_recording_ids"), a);
	return recordings_write(&list, a);
}

/* Back from what recordings_write wrote. */
static void
add_stored(struct recordings *list, struct str text, struct arena *a)
{
	AUTO(json) struct json *doc = NULL;
	struct err ignored;
	struct str started;

	if (text.p == NULL || json_parse(text, &doc, &ignored) != ERR_OK)
		return;
	for (const struct json *v = json_first(doc); v != NULL; v = json_next(v)) {
		struct recording r = { 0 };

		r.id = id_text(json_get(v, "id"), a);
		r.url = short_text(v, "url", a);
		r.type = short_text(v, "type", a);
		if (!json_get_i64(v, "duration", &r.duration))
			r.duration = 0;
		if (!json_get_str(v, "started_at", &started)
		    || !clock_parse_rfc3339(started, &r.started_at))
			r.started_at = 0;
		recordings_add(list, &r);
	}
}

struct str
recordings_union(struct str x, struct str y, struct arena *a)
{
	struct recordings list;

	list.n = 0;
	add_stored(&list, x, a);
	add_stored(&list, y, a);
	return recordings_write(&list, a);
}

bool
recordings_find(struct str text, struct str type, struct arena *a, struct recording *out)
{
	struct recordings list;

	list.n = 0;
	add_stored(&list, text, a);
	for (int i = 0; i < list.n; i++)
		if (str_eq(list.item[i].type, type)) {
			*out = list.item[i];
			return true;
		}
	return false;
}
