#include "common/http/http_room.h"

#include "common/base/clock.h"
#include "common/base/cond.h"

/* How long a request may take to come while nobody else can be served. */
enum { PATIENCE_MS = 200 };

void
http_room_init(struct http_room *r, int places, int workers, int64_t wait_ms)
{
	*r = (struct http_room){ .places = places, .workers = workers, .wait_ms = wait_ms };
	(void)pthread_mutex_init(&r->lock, NULL);
	cond_init(&r->idle);
	cond_init(&r->more);
}

void
http_room_release(struct http_room *r)
{
	(void)pthread_cond_destroy(&r->more);
	(void)pthread_cond_destroy(&r->idle);
	(void)pthread_mutex_destroy(&r->lock);
}

/* With the lock held. While nobody else can be served, those who do not get on with their requests
 * must go. */
static void
judge_hurry(struct http_room *r)
{
	bool hurry = r->open >= r->workers || r->admitted >= r->places;

	if (hurry == r->hurried)
		return;
	r->hurried = hurry;
	http_watch_hurry(r->watch, hurry ? PATIENCE_MS : 0);
}

/* With the lock held. Who comes later does not overtake. */
static void
wait_for_place(struct http_room *r)
{
	int64_t until_ms;

	if (r->wait_ms == 0 || (r->admitted < r->places && r->waiting == 0))
		return;
	until_ms = clock_mono_ms() + r->wait_ms;
	r->waiting++;
	do {
		if (!cond_wait_until(&r->more, &r->lock, until_ms))
			break;
	} while (!r->draining && r->admitted >= r->places);
	r->waiting--;
}

enum http_admission
http_room_enter(struct http_room *r)
{
	enum http_admission a = HTTP_ADMITTED;

	(void)pthread_mutex_lock(&r->lock);
	wait_for_place(r);
	if (r->draining)
		a = HTTP_DRAINING;
	else if (r->admitted >= r->places)
		a = HTTP_BUSY;
	else if (++r->admitted < r->places && r->waiting > 0)
		(void)pthread_cond_signal(&r->more);
	judge_hurry(r);
	(void)pthread_mutex_unlock(&r->lock);
	return a;
}

void
http_room_leave(struct http_room *r, enum http_admission a)
{
	if (a != HTTP_ADMITTED)
		return;
	(void)pthread_mutex_lock(&r->lock);
	if (--r->admitted == 0)
		(void)pthread_cond_broadcast(&r->idle);
	(void)pthread_cond_signal(&r->more);
	judge_hurry(r);
	(void)pthread_mutex_unlock(&r->lock);
}

void
http_room_count(struct http_room *r, int by)
{
	(void)pthread_mutex_lock(&r->lock);
	r->open += by;
	judge_hurry(r);
	(void)pthread_mutex_unlock(&r->lock);
}

bool
http_room_has_spare(struct http_room *r)
{
	bool has;

	(void)pthread_mutex_lock(&r->lock);
	has = !r->ending && !r->draining && r->open * 4 <= r->workers * 3;
	(void)pthread_mutex_unlock(&r->lock);
	return has;
}

void
http_room_end_reuse(struct http_room *r)
{
	(void)pthread_mutex_lock(&r->lock);
	r->ending = true;
	(void)pthread_mutex_unlock(&r->lock);
}

void
http_room_drain(struct http_room *r, int64_t until_ms)
{
	(void)pthread_mutex_lock(&r->lock);
	r->draining = true;
	(void)pthread_cond_broadcast(&r->more);
	while (r->admitted > 0) {
		if (!cond_wait_until(&r->idle, &r->lock, until_ms))
			break;
	}
	(void)pthread_mutex_unlock(&r->lock);
}
