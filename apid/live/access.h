/*
 * access - by what a socket is let in: an API key, a ticket, or a live token.
 *
 * Use:      one of live_by_…() with a connection to the primary; *verdict says what came of it.
 * Owns:     nothing.
 * Threads:  as the connection.
 * Errors:   from the database alone: what is wrong with the credentials is a verdict.
 * Not for:  limits of sockets (sub.h).
 */
#ifndef CTI_APID_LIVE_ACCESS_H
#define CTI_APID_LIVE_ACCESS_H

#include "apid/live/sub.h"

enum live_verdict {
	LIVE_GOOD,
	LIVE_BAD,      /* unknown, forged, expired, revoked, used before */
	LIVE_DISABLED, /* right, but the app is disabled */
	LIVE_FOREIGN,  /* right, but not from this origin */
};

/* What credentials are judged by. */
struct live_house {
	const struct pepper *pepper; /* of API keys, tickets and tokens */
	struct str origins; /* that may use keys and tickets, separated by commas; "*": any */
};

struct live_caller {
	const struct live_house *house;
	struct str origin; /* of the page; STR_NONE: no browser */
};

CTI_MUST_CHECK enum err_code live_by_key(struct db_conn *c, const struct live_caller *who,
    struct str key, struct live_pass *pass, enum live_verdict *verdict, struct err *e);
/* Spends the ticket. */
CTI_MUST_CHECK enum err_code live_by_ticket(struct db_conn *c, const struct live_caller *who,
    struct str ticket, struct live_pass *pass, enum live_verdict *verdict, struct err *e);
CTI_MUST_CHECK enum err_code live_by_token(struct db_conn *c, const struct live_caller *who,
    struct str token, struct live_pass *pass, enum live_verdict *verdict, struct err *e);

#endif
