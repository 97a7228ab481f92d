#include "common/base/metric.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Upper bounds in µs with their text in seconds; one more bucket, "+Inf", follows them. */
static const struct {
	int64_t us;
	const char *le;
} bounds[] = {
	{ 500, "0.0005" },
	{ 1000, "0.001" },
	{ 2500, "0.0025" },
	{ 5000, "0.005" },
	{ 10000, "0.01" },
	{ 25000, "0.025" },
	{ 50000, "0.05" },
	{ 100000, "0.1" },
	{ 250000, "0.25" },
	{ 500000, "0.5" },
	{ 1000000, "1" },
	{ 2500000, "2.5" },
	{ 5000000, "5" },
	{ 10000000, "10" },
};

enum { NBOUNDS = sizeof bounds / sizeof *bounds };

struct metric_series {
	_Atomic(struct metric_series *) next;
	char *label;              /* the label's value; "" without a label */
	_Atomic(int64_t) value;   /* counter, gauge; sum in µs of a histogram */
	_Atomic(int64_t) *counts; /* histogram: observations per bucket, not cumulated; else NULL */
};

/* Guards the list of metrics and the adding of series; reading a series needs no lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct metric *metrics; /* sorted by name */

/* ---- finding and adding series ---- */

static struct metric_series *
find(const struct metric *m, const char *label)
{
	struct metric_series *s = atomic_load_explicit(&m->series, memory_order_acquire);

	while (s != NULL && strcmp(s->label, label) != 0)
		s = atomic_load_explicit(&s->next, memory_order_acquire);
	return s;
}

static void *
zeroed(size_t count, size_t bytes)
{
	void *p = calloc(count, bytes);

	if (p == NULL)
		abort();
	return p;
}

/* Series live as long as the process. */
static struct metric_series *
series_new(enum metric_kind kind, const char *label)
{
	struct metric_series *s = zeroed(1, sizeof *s);
	size_t n = strlen(label) + 1;

	s->label = memcpy(zeroed(1, n), label, n);
	if (kind == METRIC_KIND_SECONDS)
		s->counts = zeroed(NBOUNDS + 1, sizeof *s->counts);
	return s;
}

static bool
ends_with(struct str s, struct str tail)
{
	return s.n > tail.n && str_eq((struct str){ s.p + s.n - tail.n, tail.n }, tail);
}

static bool
is_well_named(const struct metric *m)
{
	struct str name = str_of(m->name);

	if (strspn(m->name, "abcdefghijklmnopqrstuvwxyz0123456789_") != name.n
	    || m->help[0] == '\0')
		return false;
	if (m->kind == METRIC_KIND_SECONDS)
		return ends_with(name, STR("_seconds"));
	return ends_with(name, STR("_total")) == (m->kind == METRIC_KIND_COUNTER);
}

/* With the lock held. */
static void
list_metric(struct metric *m)
{
	struct metric **at = &metrics;

	if (m->listed)
		return;
	assert(is_well_named(m));
	while (*at != NULL && strcmp((*at)->name, m->name) < 0)
		at = &(*at)->next;
	assert(*at == NULL || strcmp((*at)->name, m->name) != 0);
	m->next = *at;
	*at = m;
	m->listed = true;
}

/* With the lock held: the series of this label, or, when there are too many, of "other". */
static struct metric_series *
find_or_add(struct metric *m, const char *label)
{
	_Atomic(struct metric_series *) *end = &m->series;
	struct metric_series *s;
	int n = 0;

	for (s = *end; s != NULL; s = *end, n++) {
		if (strcmp(s->label, label) == 0)
			return s;
		end = &s->next;
	}
	if (n >= METRIC_MAX_SERIES && strcmp(label, "other") != 0)
		return find_or_add(m, "other");
	s = series_new(m->kind, label);
	atomic_store_explicit(end, s, memory_order_release);
	return s;
}

static struct metric_series *
series_of(struct metric *m, const char *value)
{
	const char *label = value == NULL ? "" : value;
	struct metric_series *s = find(m, label);

	assert((m->label == NULL) == (value == NULL));
	if (s != NULL)
		return s;
	pthread_mutex_lock(&lock);
	list_metric(m);
	s = find_or_add(m, label);
	pthread_mutex_unlock(&lock);
	return s;
}

/* ---- counting ---- */

void
metric_declare(struct metric *m, const char *value)
{
	(void)series_of(m, value);
}

void
metric_add(struct metric *m, const char *value, int64_t n)
{
	assert(m->kind != METRIC_KIND_SECONDS);
	atomic_fetch_add_explicit(&series_of(m, value)->value, n, memory_order_relaxed);
}

void
metric_set(struct metric *m, const char *value, int64_t v)
{
	assert(m->kind == METRIC_KIND_GAUGE);
	atomic_store_explicit(&series_of(m, value)->value, v, memory_order_relaxed);
}

void
metric_observe_us(struct metric *m, const char *value, int64_t us)
{
	struct metric_series *s = series_of(m, value);
	size_t i = 0;

	assert(m->kind == METRIC_KIND_SECONDS);
	us = us < 0 ? 0 : us;
	while (i < NBOUNDS && us > bounds[i].us)
		i++;
	atomic_fetch_add_explicit(&s->counts[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->value, us, memory_order_relaxed);
}

static int64_t
observations(const struct metric_series *s)
{
	int64_t n = 0;

	for (size_t i = 0; i <= NBOUNDS; i++)
		n += atomic_load_explicit(&s->counts[i], memory_order_relaxed);
	return n;
}

int64_t
metric_get(struct metric *m, const char *value)
{
	const struct metric_series *s = find(m, value == NULL ? "" : value);

	if (s == NULL)
		return 0;
	if (m->kind == METRIC_KIND_SECONDS)
		return observations(s);
	return atomic_load_explicit(&s->value, memory_order_relaxed);
}

/* ---- text format ---- */

static void
add_escaped(struct buf *out, const char *text, bool quoted)
{
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			buf_add_c(out, "\\n");
		else if (*text == '\\' || (*text == '"' && quoted))
			buf_add_fmt(out, "\\%c", *text);
		else
			buf_add_char(out, *text);
	}
}

/* `name{label="value",le="…"} `; `le` may be NULL. */
static void
add_sample_name(struct buf *out, const struct metric *m, const struct metric_series *s,
    const char *suffix, const char *le)
{
	buf_add_c(out, m->name);
	buf_add_c(out, suffix);
	if (m->label != NULL || le != NULL)
		buf_add_char(out, '{');
	if (m->label != NULL) {
		buf_add_fmt(out, "%s=\"", m->label);
		add_escaped(out, s->label, true);
		buf_add_char(out, '"');
	}
	if (le != NULL)
		buf_add_fmt(out, "%sle=\"%s\"", m->label == NULL ? "" : ",", le);
	buf_add_c(out, m->label != NULL || le != NULL ? "} " : " ");
}

static void
add_value(struct buf *out, int64_t v)
{
	buf_add_i64(out, v);
	buf_add_char(out, '\n');
}

/* The count is the sum of the buckets read here, so that the two agree while others observe. */
static void
add_histogram(struct buf *out, const struct metric *m, const struct metric_series *s)
{
	int64_t n = 0, us = atomic_load_explicit(&s->value, memory_order_relaxed);

	for (size_t i = 0; i <= NBOUNDS; i++) {
		n += atomic_load_explicit(&s->counts[i], memory_order_relaxed);
		add_sample_name(out, m, s, "_bucket", i < NBOUNDS ? bounds[i].le : "+Inf");
		add_value(out, n);
	}
	add_sample_name(out, m, s, "_sum", NULL);
	buf_add_fmt(out, "%lld.%06lld\n", (long long)(us / 1000000), (long long)(us % 1000000));
	add_sample_name(out, m, s, "_count", NULL);
	add_value(out, n);
}

static void
add_series(struct buf *out, const struct metric *m, const struct metric_series *s)
{
	if (m->kind == METRIC_KIND_SECONDS) {
		add_histogram(out, m, s);
		return;
	}
	add_sample_name(out, m, s, "", NULL);
	add_value(out, atomic_load_explicit(&s->value, memory_order_relaxed));
}

static void
add_metric(struct buf *out, const struct metric *m)
{
	static const char *const types[] = { "counter", "gauge", "histogram" };

	buf_add_fmt(out, "# HELP %s ", m->name);
	add_escaped(out, m->help, false);
	buf_add_fmt(out, "\n# TYPE %s %s\n", m->name, types[m->kind]);
	for (const struct metric_series *s = atomic_load_explicit(&m->series, memory_order_acquire);
	     s != NULL; s = atomic_load_explicit(&s->next, memory_order_acquire))
		add_series(out, m, s);
}

void
metric_render(struct buf *out)
{
	pthread_mutex_lock(&lock);
	for (const struct metric *m = metrics; m != NULL; m = m->next)
		add_metric(out, m);
	pthread_mutex_unlock(&lock);
}
