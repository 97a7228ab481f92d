/*
 * alerts - what needs a person is told to ALERT_WEBHOOK_URL, signed as in Standard Webhooks.
 *
 * Use:      alerts_start() before the threads, alerts_abort() when they are to end, alerts_stop().
 *           An alert is a row in `jobs` of the kind "alert" (job_alarms.c); request_alert() sends it.
 * Owns:     its connections and the key, which is wiped.
 * Threads:  read-only after start.
 * Errors:   INVALID: ALERT_WEBHOOK_URL cannot be used.
 * Not for:  deciding what is an alert.
 *
 * Headers: webhook-id, webhook-timestamp, webhook-signature: v1,<base64 of HMAC-SHA256 over
 * "id.timestamp.body">. Body: {"type", "timestamp", "data"}.
 */
#ifndef CTI_ALERTS_H
#define CTI_ALERTS_H

#include "common/conf/conf.h"
#include "common/https/https.h"

struct alerts {
	struct https *https; /* NULL: nobody is told */
	const char *url;
	struct buf key;
};

CTI_MUST_CHECK enum err_code alerts_start(struct alerts *a, const struct conf *c, struct err *e);
void alerts_abort(struct alerts *a);
void alerts_stop(struct alerts *a); /* one that was not started, all zero, is allowed */

/* The value of the header webhook-signature. */
void alerts_sign(
    struct str key, struct str id, struct str timestamp, struct str body, struct buf *out);
/* The bytes of the key from ALERT_WEBHOOK_SECRET: what follows whsec_ as base64, else the text itself. */
void alerts_key(struct str secret, struct buf *out);

#endif
