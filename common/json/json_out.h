/*
 * json_out - a forward-only JSON writer onto a buf, exact for 64-bit integers.
 *
 * Use:      jo_obj(&j); jo_key(&j, "id"); jo_i64(&j, 5137304475768569); jo_end_obj(&j);
 *           commas are placed by the writer. Check buf.failed once at the end.
 * Owns:     nothing; writes into the caller's buf.
 * Threads:  one thread at a time.
 * Errors:   sticky in the buf. Nesting is at most 31 deep (asserted: our own code decides it).
 * Not for:  parsing (json_in.h), and jo_raw() never for text that is not known to be JSON.
 */
#ifndef CTI_JSON_OUT_H
#define CTI_JSON_OUT_H

#include "common/base/buf.h"
#include "common/base/uuid.h"

struct json_out {
	struct buf *b;
	uint32_t has_item; /* bit per level: a comma is due */
	unsigned depth;
	bool after_key;
};

void jo_init(struct json_out *j, struct buf *b);

void jo_obj(struct json_out *j);
void jo_end_obj(struct json_out *j);
void jo_arr(struct json_out *j);
void jo_end_arr(struct json_out *j);
void jo_key(struct json_out *j, const char *name);    /* a constant that needs no escaping */
void jo_key_str(struct json_out *j, struct str name); /* any name, escaped */

void jo_null(struct json_out *j);
void jo_bool(struct json_out *j, bool v);
void jo_i64(struct json_out *j, int64_t v);
void jo_f64(struct json_out *j, double v);     /* shortest text that reads back; NaN, inf: null */
void jo_str(struct json_out *j, struct str v); /* STR_NONE is null; bad UTF-8 becomes U+FFFD */
void jo_time(struct json_out *j, int64_t ms);  /* RFC 3339 */
void jo_uuid(struct json_out *j, struct uuid v);
void jo_raw(struct json_out *j, struct str json); /* verified JSON, verbatim; STR_NONE is null */

/* Key and value in one go. */
void jo_kv_str(struct json_out *j, const char *key, struct str v);
void jo_kv_i64(struct json_out *j, const char *key, int64_t v);
void jo_kv_bool(struct json_out *j, const char *key, bool v);
void jo_kv_time(struct json_out *j, const char *key, int64_t ms); /* 0 is null */

#endif
