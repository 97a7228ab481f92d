/*
 * hub - one thread that reads the feed and gives each subscriber its changes, in order, once.
 *
 * Use:      live_hub_start(), live_hub_hint() for each notification; live_hub_drain(), then stop the server, then live_hub_stop().
 * Owns:     its thread, one connection, the registry of subscribers.
 * Threads:  start, drain and stop from one thread.
 * Errors:   UNAVAILABLE: no thread.
 * Not for:  what subscribers are (sub.h) and how they speak (socket.c, poll.c).
 *
 * A hint of workerd, or five seconds, wakes it: it asks how far the feeds of the tenants with
 * subscribers go, reads what is new once per tenant (and once per place, for those who resume), and
 * hands it on. A subscriber's place is the number of the last change that it was given, and a page
 * goes to those whose place it follows: so nobody misses or repeats one.
 */
#ifndef CTI_APID_LIVE_HUB_H
#define CTI_APID_LIVE_HUB_H

#include "apid/live/access.h"

struct live_hub;

struct live_hub_opts {
	struct db_opts db;
	const struct pepper_keys *cursor_keys;
	struct live_house house; /* what credentials are judged by */
	int max, max_per_app;
};

CTI_MUST_CHECK enum err_code live_hub_start(
    const struct live_hub_opts *o, struct live_hub **out, struct err *e);
/* Ends every subscriber, so that it goes elsewhere; from now on there are no places. NULL is allowed. */
void live_hub_drain(struct live_hub *h);
void live_hub_stop(struct live_hub *h); /* when no subscriber is left; NULL is allowed */

/* As the listener's on_hint for LIVE_CHANNEL. */
#define LIVE_CHANNEL "cti_feed"
void live_hub_hint(void *hub);

const struct pepper_keys *live_hub_cursor_keys(const struct live_hub *h);

#endif
