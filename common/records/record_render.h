/*
 * record_render - a record as the JSON object that clients see, in REST answers and in the feed.
 *
 * Use:      render_call(&record, &json). All keys are always there, null when unknown.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   none but the buf's.
 * Not for:  wrapping it in a list.
 */
#ifndef CTI_RECORD_RENDER_H
#define CTI_RECORD_RENDER_H

#include "common/json/json_out.h"
#include "common/records/record.h"

void render_call(const struct record *r, struct json_out *j);
void render_message(const struct record *r, struct json_out *j);
void render_voicemail(const struct record *r, struct json_out *j);

/* The members of a call without the braces, for an answer that adds more. */
void render_call_members(const struct record *r, struct json_out *j);

#endif
