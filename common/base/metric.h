/*
 * metric - counters, gauges and histograms in Prometheus' text format.
 *
 * Use:      a static `struct metric` per metric, METRIC_COUNTER(…) and the like; it registers itself
 *           on first use, metric_declare() does so at start so that it is shown at zero.
 * Owns:     the process-wide list of metrics and their series.
 * Threads:  safe.
 * Errors:   none: beyond METRIC_MAX_SERIES label values, the rest is counted under "other". A name
 *           against Prometheus' rules is a programmer's error and asserted: lower case, a counter
 *           ends in "_total", a histogram in "_seconds".
 * Not for:  labels with values chosen by a peer (bound them first), and never a secret.
 */
#ifndef CTI_METRIC_H
#define CTI_METRIC_H

#include "common/base/buf.h"

enum metric_kind { METRIC_KIND_COUNTER, METRIC_KIND_GAUGE, METRIC_KIND_SECONDS };
enum { METRIC_MAX_SERIES = 200 };

struct metric_series;

struct metric {
	const char *name, *help;
	const char *label; /* NULL: a single series without a label */
	enum metric_kind kind;
	/* The rest is private. */
	_Atomic(struct metric_series *) series; /* only ever added to, at the end */
	struct metric *next;
	bool listed;
};

#define METRIC_COUNTER(name, help, label)                                 \
	{                                                                 \
		name, help, label, METRIC_KIND_COUNTER, NULL, NULL, false \
	}
#define METRIC_GAUGE(name, help, label)                                 \
	{                                                               \
		name, help, label, METRIC_KIND_GAUGE, NULL, NULL, false \
	}
/* A histogram of durations: buckets from 0.5 ms to 10 s. Observe microseconds. */
#define METRIC_SECONDS(name, help, label)                                 \
	{                                                                 \
		name, help, label, METRIC_KIND_SECONDS, NULL, NULL, false \
	}

/* `value` is the label's value, NULL for a metric without a label. */
void metric_declare(struct metric *m, const char *value);
void metric_add(struct metric *m, const char *value, int64_t n);
void metric_set(struct metric *m, const char *value, int64_t v);
void metric_observe_us(struct metric *m, const char *value, int64_t us);
int64_t metric_get(
    struct metric *m, const char *value); /* counter or gauge; count of a histogram */

/* Append every metric with HELP and TYPE, sorted by name. */
void metric_render(struct buf *out);

#endif
