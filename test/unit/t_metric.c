/* common/base/metric: counting, and what Prometheus is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/metric.h"

#include <pthread.h>
#include <stdio.h>

/* Metrics register for the life of the process: the whole text is looked at once, in this order. */
static struct metric requests = METRIC_COUNTER("t_requests_total", "Requests.", "route");
static struct metric plain =
    METRIC_COUNTER("t_plain_total", "No label, a \\ and\na \"line\".", NULL);
static struct metric depth = METRIC_GAUGE("t_depth", "Depth.", NULL);
static struct metric duration = METRIC_SECONDS("t_duration_seconds", "Durations.", NULL);
static struct metric labelled = METRIC_SECONDS("t_labelled_seconds", "Durations.", "kind");
static struct metric many = METRIC_COUNTER("t_many_total", "Many.", "value");
static struct metric shared = METRIC_COUNTER("t_shared_total", "Shared.", "value");
static struct metric shared_time = METRIC_SECONDS("t_shared_seconds", "Shared.", "value");

static struct buf text;

static void
assert_rendered(const char *part)
{
	buf_clear(&text);
	metric_render(&text);
	assert_false(text.failed);
	if (strstr(buf_c(&text), part) == NULL)
		fail_msg("no %s in %s", part, buf_c(&text));
}

static void
counters_and_gauges_show_help_type_and_value(void **state)
{
	(void)state;
	metric_declare(&requests, "GET /a");
	metric_add(&requests, "GET /a", 2);
	metric_add(&requests, "q\"b\\n\n", 1);
	metric_declare(&plain, NULL);
	metric_set(&depth, NULL, -5);
	metric_add(&depth, NULL, 2);
	assert_rendered("# HELP t_depth Depth.\n# TYPE t_depth gauge\nt_depth -3\n");
	assert_rendered("# HELP t_plain_total No label, a \\\\ and\\na \"line\".\n"
			"# TYPE t_plain_total counter\nt_plain_total 0\n");
	assert_rendered("# HELP t_requests_total Requests.\n# TYPE t_requests_total counter\n"
			"t_requests_total{route=\"GET /a\"} 2\n"
			"t_requests_total{route=\"q\\\"b\\\\n\\n\"} 1\n");
	assert_int_equal(metric_get(&requests, "GET /a"), 2);
	assert_int_equal(metric_get(&requests, "absent"), 0);
	assert_int_equal(metric_get(&depth, NULL), -3);
}

static void
histograms_cumulate_their_buckets(void **state)
{
	(void)state;
	metric_observe_us(&duration, NULL, -1);
	metric_observe_us(&duration, NULL, 500);
	metric_observe_us(&duration, NULL, 501);
	metric_observe_us(&duration, NULL, 2400000);
	metric_observe_us(&duration, NULL, 10000001);
	assert_rendered("# TYPE t_duration_seconds histogram\n"
			"t_duration_seconds_bucket{le=\"0.0005\"} 2\n"
			"t_duration_seconds_bucket{le=\"0.001\"} 3\n"
			"t_duration_seconds_bucket{le=\"0.0025\"} 3\n"
			"t_duration_seconds_bucket{le=\"0.005\"} 3\n"
			"t_duration_seconds_bucket{le=\"0.01\"} 3\n"
			"t_duration_seconds_bucket{le=\"0.025\"} 3\n"
			"t_duration_seconds_bucket{le=\"0.05\"} 3\n"
			"t_duration_seconds_bucket{le=\"0.1\"} 3\n"
			"t_duration_seconds_bucket{le=\"0.25\"} 3\n"
			"t_duration_seconds_bucket{le=\"0.5\"} 3\n"
			"t_duration_seconds_bucket{le=\"1\"} 3\n"
			"t_duration_seconds_bucket{le=\"2.5\"} 4\n"
			"t_duration_seconds_bucket{le=\"5\"} 4\n"
			"t_duration_seconds_bucket{le=\"10\"} 4\n"
			"t_duration_seconds_bucket{le=\"+Inf\"} 5\n"
			"t_duration_seconds_sum 12.401002\n"
			"t_duration_seconds_count 5\n");
	assert_int_equal(metric_get(&duration, NULL), 5);
}

static void
a_labelled_histogram_has_both_labels(void **state)
{
	(void)state;
	metric_observe_us(&labelled, "call", 700);
	assert_rendered("t_labelled_seconds_bucket{kind=\"call\",le=\"0.0005\"} 0\n"
			"t_labelled_seconds_bucket{kind=\"call\",le=\"0.001\"} 1\n");
	assert_rendered("t_labelled_seconds_sum{kind=\"call\"} 0.000700\n"
			"t_labelled_seconds_count{kind=\"call\"} 1\n");
}

static void
values_beyond_the_limit_are_counted_as_other(void **state)
{
	char value[16];

	(void)state;
	for (int i = 0; i < METRIC_MAX_SERIES + 50; i++) {
		(void)snprintf(value, sizeof value, "v%d", i);
		metric_add(&many, value, 1);
		metric_add(&many, value, 1);
	}
	assert_int_equal(metric_get(&many, "other"), 100);
	assert_int_equal(metric_get(&many, "v0"), 2);
	assert_int_equal(metric_get(&many, "v199"), 2);
	assert_int_equal(metric_get(&many, "v200"), 0);
}

static void *
count(void *arg)
{
	static const char *const values[] = { "a", "b", "c", "d", "e" };

	(void)arg;
	for (int i = 0; i < 5000; i++) {
		metric_add(&shared, values[i % 5], 1);
		metric_observe_us(&shared_time, values[i % 5], i);
	}
	return NULL;
}

static void
nothing_is_lost_when_threads_count_at_once(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (int t = 0; t < 4; t++)
		assert_int_equal(pthread_create(&threads[t], NULL, count, NULL), 0);
	assert_rendered("# TYPE");
	for (int t = 0; t < 4; t++)
		pthread_join(threads[t], NULL);
	assert_int_equal(metric_get(&shared, "a"), 4000);
	assert_int_equal(metric_get(&shared, "e"), 4000);
	assert_int_equal(metric_get(&shared_time, "c"), 4000);
	/* Sum of 0 µs to 4999 µs in steps of 5, four times. */
	assert_rendered("t_shared_seconds_sum{value=\"a\"} 9.990000\n");
}

static void
metrics_are_sorted_and_described_once(void **state)
{
	static const char *const order[] = { "t_depth", "t_duration_seconds", "t_labelled_seconds",
		"t_many_total", "t_plain_total", "t_requests_total", "t_shared_seconds",
		"t_shared_total" };
	char line[64];
	const char *at, *hit;

	(void)state;
	assert_rendered("# HELP");
	at = buf_c(&text);
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		(void)snprintf(line, sizeof line, "# TYPE %s ", order[i]);
		hit = strstr(at, line);
		if (hit == NULL) {
			fail_msg("%s is out of order", order[i]);
			return;
		}
		assert_null(strstr(hit + 1, line));
		at = hit;
	}
	assert_int_equal(text.p[text.n - 1], '\n');
}

static int
release(void **state)
{
	(void)state;
	buf_release(&text);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_and_gauges_show_help_type_and_value),
		cmocka_unit_test(histograms_cumulate_their_buckets),
		cmocka_unit_test(a_labelled_histogram_has_both_labels),
		cmocka_unit_test(values_beyond_the_limit_are_counted_as_other),
		cmocka_unit_test(nothing_is_lost_when_threads_count_at_once),
		cmocka_unit_test(metrics_are_sorted_and_described_once),
	};

	text = BUF(1 << 20);
	return cmocka_run_group_tests(tests, NULL, release);
}
