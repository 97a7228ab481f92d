/* Sockets that came without credentials and have now sent a key. */
#include "apid/live/hub_priv.h"

#include "apid/live/access.h"

#include <sodium.h>

/* In one round: those who are let in already wait meanwhile. */
enum { MOST_ASKING = 32 };

struct asking {
	uint64_t number;
	char *api_key, *origin;
};

static void
asking_release(struct asking *a)
{
	if (a->api_key != NULL)
		sodium_memzero(a->api_key, strlen(a->api_key));
	free(a->api_key);
	free(a->origin);
}

/* False: nobody asks. */
static bool
next_asking(struct live_hub *h, struct asking *out)
{
	struct live_sub *s;

	live_lock(h);
	for (s = h->strangers; s != NULL && s->api_key == NULL;)
		s = s->next;
	if (s != NULL) {
		s->asked = ++h->asked;
		out->number = s->asked;
		out->api_key = TAKE(s->api_key);
		out->origin = TAKE(s->origin);
	}
	live_unlock(h);
	return s != NULL;
}

/* With the lock held. */
static void
conclude(struct live_sub *s, const struct live_pass *pass, enum live_verdict verdict)
{
	struct err e;

	switch (verdict) {
	case LIVE_BAD: live_end(s, LIVE_END_WRONG_KEY); return;
	case LIVE_DISABLED:
	case LIVE_FOREIGN: live_end(s, LIVE_END_FORBIDDEN); return;
	case LIVE_GOOD: break;
	}
	if (live_let_in(s, pass, &e) != ERR_OK)
		live_end(s, LIVE_END_CROWDED);
	else if (s->after[0] != '\0' && !live_sub_resume(s, str_of(s->after)))
		s->to->error(s, LIVE_BAD_CURSOR);
}

static enum err_code
admit(struct live_hub *h, const struct asking *a, struct err *e)
{
	const struct live_caller who = { &h->o.house, str_of(a->origin) };
	struct live_pass pass;
	enum live_verdict verdict;
	struct live_sub *s;
	enum err_code rc = live_by_key(h->conn, &who, str_of(a->api_key), &pass, &verdict, e);

	live_lock(h);
	for (s = h->strangers; s != NULL && s->asked != a->number;)
		s = s->next;
	if (s != NULL && rc == ERR_OK)
		conclude(s, &pass, verdict);
	else if (s != NULL)
		live_end(s, LIVE_END_CROWDED); /* the database does not answer: come again */
	live_unlock(h);
	return rc;
}

enum err_code
live_admit_strangers(struct live_hub *h, bool *more, struct err *e)
{
	for (int i = 0; i < MOST_ASKING; i++) {
		AUTO_RELEASE(asking_release) struct asking a = { .number = 0 };
		enum err_code rc;

		if (!next_asking(h, &a))
			return ERR_OK;
		rc = admit(h, &a, e);
		if (rc != ERR_OK)
			return rc;
	}
	*more = true;
	return ERR_OK;
}
