/*
 * sub - a subscriber of a tenant's feed: where it stands, what it wants, how it is told.
 *
 * Use:      live_sub_new() in a handler takes a place; live_sub_join() when its connection has begun;
 *           live_sub_free() in its last call.
 * Owns:     itself; the hub lists it from join to free.
 * Threads:  everything that is not fixed is guarded by the hub's lock (live_lock). The transport is
 *           called with the lock held: it hands bytes on and never waits.
 * Errors:   UNAVAILABLE: no place left, or about to stop.
 * Not for:  reading the feed (hub.c).
 */
#ifndef CTI_APID_LIVE_SUB_H
#define CTI_APID_LIVE_SUB_H

#include "apid/live/feed.h"
#include "common/crypto/api_key.h"

#include <stdatomic.h>

struct live_hub;
struct live_tenant;
struct live_sub;

enum { LIVE_ID_BYTES = UUID_TEXT_BYTES };

enum live_by { LIVE_BY_NOTHING, LIVE_BY_KEY, LIVE_BY_TOKEN };

/* What a subscriber was let in by: it is looked at again every few seconds. */
struct live_pass {
	struct uuid app_id;
	enum live_by kind;
	char id[LIVE_ID_BYTES]; /* of the key or of the token */
};

enum live_end {
	LIVE_END_UNAUTHORIZED, /* 4401 */
	LIVE_END_WRONG_KEY,    /* 4401, and it is noted as a failure */
	LIVE_END_FORBIDDEN,    /* 4403 */
	LIVE_END_SLOW,         /* 4408 */
	LIVE_END_RESTART,      /* 1012 */
	LIVE_END_CROWDED,      /* 1013 */
};

struct live_transport {
	void (*ready)(struct live_sub *s); /* it stands at s->pos; NULL: not wanted */
	/* Hand on the rows, all behind s->pos, and move s->pos. */
	void (*rows)(struct live_sub *s, struct feed_page *page);
	void (*resync)(struct live_sub *s);                  /* what lay before s->pos is gone */
	void (*error)(struct live_sub *s, const char *text); /* what it asked for cannot be */
	void (*end)(struct live_sub *s, enum live_end why);
};

#define LIVE_BAD_CURSOR "\"after\" is no cursor of this app's feed"

/* Place of one who begins with what comes next, until the hub knows where that is. */
#define LIVE_FROM_NOW INT64_C(-1)

struct live_sub {
	struct live_hub *hub;            /* fixed */
	const struct live_transport *to; /* fixed */
	void *arg;                       /* fixed; the transport's */
	struct live_pass pass;           /* fixed once it has a tenant */
	struct live_tenant *tenant;      /* NULL: not let in yet */
	struct live_sub *next, *prev;    /* of the tenant, or of those not let in yet */
	bool joined, ended;              /* ended: nothing more is sent */
	uint32_t types;                  /* see types.h */
	int64_t pos;                     /* number of the last change that it has been given */
	bool owes_ready;                 /* since it began, or asked for something else */
	int64_t held_until_ms;           /* monotonic: given nothing before */
	atomic_bool is_filled;           /* given nothing until its queue is drained */
	char *api_key;                   /* to be let in by; wiped once it was looked at */
	uint64_t asked;                  /* tells who asked last from who was here before */
	char *origin;                    /* of one who is not let in yet; NULL: no browser */
	char after[FEED_CURSOR_BYTES];   /* where one who is not let in yet wants to go on */
};

/* Takes a place for this pass (or for one who is to show it later: LIVE_BY_NOTHING). */
CTI_MUST_CHECK enum err_code live_sub_new(struct live_hub *h, const struct live_pass *pass,
    const struct live_transport *to, void *arg, struct live_sub **out, struct err *e);
void live_sub_join(struct live_sub *s);
void live_sub_free(struct live_sub *s); /* joined or not */

/* With the lock held: go on behind this cursor; false when it is none of the tenant's. */
bool live_sub_resume(struct live_sub *s, struct str after);

void live_lock(struct live_hub *h);
void live_unlock(struct live_hub *h);
void live_wake(struct live_hub *h); /* with the lock held: there is something to do */

#endif
