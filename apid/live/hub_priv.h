/*
 * hub_priv - the hub from inside.
 *
 * Use:      private to hub.c (registry, start, stop), round.c (what its thread does), strangers.c and
 *           recheck.c (who is let in, and who has to go).
 * Owns:     see hub.h.
 * Threads:  each member says what guards it.
 * Errors:   none.
 */
#ifndef CTI_APID_LIVE_HUB_PRIV_H
#define CTI_APID_LIVE_HUB_PRIV_H

#include "apid/live/hub.h"
#include "apid/live/sub.h"

#include <pthread.h>

enum {
	LIVE_BUCKETS = 1024,
	LIVE_POLL_MS = 5000,    /* without a hint */
	LIVE_RECHECK_MS = 2500, /* a revoked key is noticed within twice that */
};

/* A tenant with subscribers here. */
struct live_tenant {
	struct uuid app_id;
	struct live_tenant *next_in_bucket;
	struct live_tenant *next, *prev; /* of all */
	int count;                       /* of places taken */
	struct live_sub *subs;           /* joined */
	int64_t head;                    /* as of this round */
	bool head_known;
};

struct live_hub {
	struct live_hub_opts o; /* fixed */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	/* Guarded by the lock: */
	bool woken, draining, stopping;
	int count, waiting; /* places taken; by those who are not let in yet */
	struct live_tenant *buckets[LIVE_BUCKETS], *tenants;
	struct live_sub *strangers; /* joined, not let in yet */
	uint64_t asked;             /* how often a stranger has asked */
	/* Of its thread alone: */
	struct db_conn *conn;
	bool troubled; /* the last round failed, and it was told */
	int64_t recheck_ms;
};

/* With the lock held: a place for one more; the tenant is made when it is the first. */
CTI_MUST_CHECK enum err_code live_take_place(
    struct live_hub *h, struct uuid app_id, struct live_tenant **out, struct err *e);

/* With the lock held: a stranger is let in by this pass. */
CTI_MUST_CHECK enum err_code live_let_in(
    struct live_sub *s, const struct live_pass *pass, struct err *e);

/* With the lock held; NULL when it has no subscribers any more. */
struct live_tenant *live_find_tenant(struct live_hub *h, struct uuid app_id);

/* With the lock held; nothing more is sent to it. */
void live_end(struct live_sub *s, enum live_end why);

/* The hub's thread. One round; *wait_ms is how long to wait for the next without a hint. *more is set
 * when there is work left for the next one. */
CTI_MUST_CHECK enum err_code live_round(struct live_hub *h, int64_t *wait_ms, struct err *e);
CTI_MUST_CHECK enum err_code live_admit_strangers(struct live_hub *h, bool *more, struct err *e);
CTI_MUST_CHECK enum err_code live_recheck(struct live_hub *h, struct err *e);

#endif
