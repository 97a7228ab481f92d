/*
 * spool - events on disk while the database cannot take them.
 *
 * Use:      spool_open() at start; spool_write() makes a group durable; a replayer reads the oldest
 *           file with spool_oldest(), stores its events and calls spool_remove().
 * Owns:     the directory, by a lock on its file `lock`; one process at a time.
 * Threads:  spool_write from several threads, the replayer's calls from one.
 * Errors:   spool_write: not durable, nothing of the group is left behind; the message says why
 *           (limits, full disk).
 * Not for:  storage that ends with the process.
 *
 * A group is one file, written under a temporary name, fsynced, renamed, and the directory fsynced;
 * so a file with its final name is whole. Names are numbers that count up, so that replay follows
 * the order of arrival whatever the clock does. A file that cannot be read back is set aside as
 * `<number>.bad`, never deleted.
 */
#ifndef CTI_SPOOL_H
#define CTI_SPOOL_H

#include "common/base/arena.h"
#include "common/base/err.h"
#include "ingestd/event.h"

struct spool;

struct spool_opts {
	const char *dir;
	int64_t max_bytes;
	int64_t max_files;
	int64_t lock_wait_ms;  /* how long to wait for another process to let go of the directory */
	bool (*give_up)(void); /* asked meanwhile: true ends the wait; may be NULL */
};

/* INVALID: not writable, or no directory. CONFLICT: another process holds it. */
CTI_MUST_CHECK enum err_code spool_open(
    const struct spool_opts *o, struct spool **out, struct err *e);
void spool_close(struct spool *s); /* NULL is allowed; files stay */

CTI_MUST_CHECK enum err_code spool_write(
    struct spool *s, const struct event *const *events, int n, struct err *e);

/* Wait for a file, at most wait_ms. *number is 0 when there is none. */
void spool_oldest(struct spool *s, int64_t wait_ms, int64_t *number);
/* The events of a file, in the arena. INVALID: the file is damaged and has been set aside. */
CTI_MUST_CHECK enum err_code spool_read(struct spool *s, int64_t number, struct arena *a,
    const struct event *const **events, int *n, struct err *e);
void spool_remove(struct spool *s, int64_t number);
void spool_wake(struct spool *s); /* ends spool_oldest's wait, for a stop */

struct spool_state {
	int64_t files, bytes, bad_files,
	    oldest_at; /* oldest_at: ms of its first event's file; 0: none */
};
void spool_state(struct spool *s, struct spool_state *out);

#endif
