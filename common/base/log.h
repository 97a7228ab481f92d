/*
 * log - one JSON object (or one text line) per event, on stderr.
 *
 * Use:      log_info("call.upserted", "state=%s", …): a stable dotted event name, then prose.
 *           log_context_set() puts a request id and an app id on each line of this thread.
 * Owns:     the process-wide level and format.
 * Threads:  safe; a line is written with one write(2).
 * Errors:   none: a line that cannot be written is lost.
 * Not for:  tokens, keys, secrets, message bodies; of a phone number the last four digits.
 *           As a net below that rule, values that look like our keys, a JWS or a bearer token,
 *           and the value of each registered secret, are replaced by "***".
 */
#ifndef CTI_LOG_H
#define CTI_LOG_H

#include "common/base/err.h"
#include "common/base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_opts {
	const char *daemon; /* static */
	enum log_level level;
	bool json;
};

void log_init(const struct log_opts *o);
bool log_enabled(enum log_level level);
bool log_level_parse(struct str name, enum log_level *out); /* "debug", "info", "warn", "error" */

/* From now on this value is never printed (copied; values under 8 bytes are not registered). */
void log_register_secret(struct str secret);

/* Both may be "". Copied; kept until cleared. */
void log_context_set(const char *request_id, const char *app_id);
void log_context_clear(void);

void log_write(enum log_level level, const char *event, const char *fmt, ...) CTI_PRINTF(3, 4);
/* The one line an edge writes for a failure: class, SQLSTATE and message of *e. */
void log_err(enum log_level level, const char *event, const struct err *e);

#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)

/* For tests: lines go to `fn`, without the line feed, instead of stderr; NULL goes back to stderr. */
void log_redirect(void (*fn)(struct str line, void *arg), void *arg);

#endif
