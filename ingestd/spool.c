#include "ingestd/spool.h"

#include "common/base/clock.h"
#include "common/base/cond.h"
#include "common/base/log.h"
#include "common/base/own.h"
#include "ingestd/spool_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

enum { NAME_BYTES = 40, LOCK_PAUSE_MS = 100, OVERHEAD_BYTES = 4096, EVENT_OVERHEAD_BYTES = 256 };

struct spooled {
	int64_t number, bytes, at; /* at: wall ms of its writing */
};

struct spool {
	struct spool_opts o;
	int dir_fd, lock_fd;
	pthread_mutex_t mu;
	pthread_cond_t changed;
	struct spooled *files; /* guarded by mu, as all below; by number, oldest first */
	size_t nfiles, cap;
	int64_t bytes, reserved, bad_files, next_number;
	int writing;
	bool waking;
};

static void
file_name(int64_t number, const char *suffix, char out[NAME_BYTES])
{
	(void)snprintf(out, NAME_BYTES, "%019" PRId64 ".%s", number, suffix);
}

/* ---- the list of files ---- */

/* Written files become known out of order when two writers race: sorted in. */
static void
list_add(struct spool *s, struct spooled f)
{
	size_t i = s->nfiles;

	if (s->nfiles == s->cap) {
		s->cap = s->cap == 0 ? 64 : s->cap * 2;
		s->files = realloc(s->files, s->cap * sizeof *s->files);
		if (s->files == NULL)
			abort();
	}
	while (i > 0 && s->files[i - 1].number > f.number) {
		s->files[i] = s->files[i - 1];
		i--;
	}
	s->files[i] = f;
	s->nfiles++;
	s->bytes += f.bytes;
}

static void
list_remove(struct spool *s, int64_t number)
{
	for (size_t i = 0; i < s->nfiles; i++) {
		if (s->files[i].number != number)
			continue;
		s->bytes -= s->files[i].bytes;
		memmove(&s->files[i], &s->files[i + 1], sizeof *s->files * (s->nfiles - i - 1));
		s->nfiles--;
		return;
	}
}

/* ---- opening ---- */

/* "0000000000000000042.spool": its number, which leaves room for a next one; 0 for anything else. */
static int64_t
number_of(const char *name, const char *suffix)
{
	struct str rest, digits = str_cut(str_of(name), '.', &rest);
	int64_t n;

	return str_eq(rest, str_of(suffix)) && str_to_i64(digits, 1, INT64_MAX - 1, &n) ? n : 0;
}

static void
found(struct spool *s, const char *name)
{
	int64_t number = number_of(name, "spool"), bad = number_of(name, "bad");
	struct stat st;

	if (number > 0 && fstatat(s->dir_fd, name, &st, 0) == 0)
		list_add(
		    s, (struct spooled){ number, st.st_size, (int64_t)st.st_mtim.tv_sec * 1000 });
	else if (bad > 0)
		s->bad_files++;
	else if (number_of(name, "tmp") > 0) /* never acknowledged */
		(void)unlinkat(s->dir_fd, name, 0);
	if (number >= s->next_number)
		s->next_number = number + 1;
	if (bad >= s->next_number)
		s->next_number = bad + 1;
}

/* `errno` says why. */
static enum err_code
cannot(const struct spool *s, const char *what, struct err *e)
{
	return err_set(
	    e, ERR_INVALID, "INGEST_SPOOL_DIR: cannot %s %s: %s", what, s->o.dir, strerror(errno));
}

static enum err_code
scan(struct spool *s, struct err *e)
{
	int fd = openat(s->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	enum err_code rc = ERR_OK;

	if (d == NULL)
		return cannot(s, "list", e);
	/* A file that was overlooked could be overwritten: its number would be given out again. */
	while ((errno = 0, entry = readdir(d)) != NULL)
		found(s, entry->d_name);
	if (errno != 0)
		rc = cannot(s, "list", e);
	(void)closedir(d);
	return rc;
}

static enum err_code
lock(struct spool *s, struct err *e)
{
	int64_t until = clock_mono_ms() + s->o.lock_wait_ms;
	bool said = false;

	/* The lock of an earlier run can be opened where no file can be made any more. */
	if (faccessat(s->dir_fd, ".", W_OK | X_OK, AT_EACCESS) == 0)
		s->lock_fd = openat(s->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock_fd < 0)
		return cannot(s, "write to", e);
	while (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return cannot(s, "lock", e);
		if (clock_mono_ms() >= until || (s->o.give_up != NULL && s->o.give_up()))
			return err_set(e, ERR_CONFLICT,
			    "INGEST_SPOOL_DIR: %s is held by another process", s->o.dir);
		if (!said)
			log_warn("spool.waiting", "%s is held by another process", s->o.dir);
		said = true;
		clock_sleep_ms(LOCK_PAUSE_MS);
	}
	return ERR_OK;
}

enum err_code
spool_open(const struct spool_opts *o, struct spool **out, struct err *e)
{
	struct spool *s = calloc(1, sizeof *s);
	enum err_code rc = ERR_OK;

	if (s == NULL)
		abort();
	s->o = *o;
	s->lock_fd = -1;
	s->next_number = 1;
	(void)pthread_mutex_init(&s->mu, NULL);
	cond_init(&s->changed);
	s->dir_fd = open(o->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir_fd < 0)
		rc = cannot(s, "open", e);
	if (rc == ERR_OK)
		rc = lock(s, e);
	if (rc == ERR_OK)
		rc = scan(s, e);
	if (rc != ERR_OK) {
		spool_close(s);
		return rc;
	}
	*out = s;
	return ERR_OK;
}

void
spool_close(struct spool *s)
{
	if (s == NULL)
		return;
	if (s->lock_fd >= 0)
		(void)close(s->lock_fd);
	if (s->dir_fd >= 0)
		(void)close(s->dir_fd);
	(void)pthread_cond_destroy(&s->changed);
	(void)pthread_mutex_destroy(&s->mu);
	free(s->files);
	free(s);
}

/* ---- writing ---- */

/* Room is taken before the file is written, so that writers together keep the limits. */
static enum err_code
reserve(struct spool *s, int64_t bytes, int64_t *number, struct err *e)
{
	bool fits;

	(void)pthread_mutex_lock(&s->mu);
	fits = s->bytes + s->reserved + bytes <= s->o.max_bytes
	    && (int64_t)s->nfiles + s->writing < s->o.max_files;
	if (fits) {
		s->reserved += bytes;
		s->writing++;
		*number = s->next_number++;
	}
	(void)pthread_mutex_unlock(&s->mu);
	return fits ? ERR_OK : err_set(e, ERR_UNAVAILABLE, "the spool is full");
}

static void
settle(struct spool *s, int64_t bytes, int64_t number, bool written)
{
	(void)pthread_mutex_lock(&s->mu);
	s->reserved -= bytes;
	s->writing--;
	if (written) {
		list_add(s, (struct spooled){ number, bytes, clock_wall_ms() });
		(void)pthread_cond_signal(&s->changed);
	}
	(void)pthread_mutex_unlock(&s->mu);
}

static bool
write_all(int fd, struct str bytes)
{
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes.p += n;
		bytes.n -= (size_t)n;
	}
	return true;
}

static bool
write_durably(struct spool *s, const char *name, struct str bytes)
{
	AUTO(fd)
	int fd = openat(s->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	return fd >= 0 && write_all(fd, bytes) && fsync(fd) == 0;
}

/* Whole and durable under its final name, or gone; then `errno` says why. */
static bool
write_file(struct spool *s, int64_t number, struct str bytes)
{
	char tmp[NAME_BYTES], final[NAME_BYTES];
	bool named;
	int why;

	file_name(number, "tmp", tmp);
	file_name(number, "spool", final);
	named = write_durably(s, tmp, bytes) && renameat(s->dir_fd, tmp, s->dir_fd, final) == 0;
	if (named && fsync(s->dir_fd) == 0)
		return true;
	why = errno;
	(void)unlinkat(s->dir_fd, named ? final : tmp, 0);
	errno = why;
	return false;
}

enum err_code
spool_write(struct spool *s, const struct event *const *events, int n, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(OVERHEAD_BYTES);
	enum err_code rc;
	int64_t number = 0;
	bool written;

	for (int i = 0; i < n; i++)
		b.max += events[i]->claims.n + EVENT_OVERHEAD_BYTES;
	spool_encode(events, n, &b);
	if (b.failed)
		return err_set(e, ERR_INTERNAL, "a spooled group is larger than computed");
	rc = reserve(s, (int64_t)b.n, &number, e);
	if (rc != ERR_OK)
		return rc;
	written = write_file(s, number, buf_str(&b));
	if (!written)
		rc = err_set(e, ERR_UNAVAILABLE, "cannot write to the spool: %s", strerror(errno));
	settle(s, (int64_t)b.n, number, written);
	return rc;
}

/* ---- replaying ---- */

void
spool_oldest(struct spool *s, int64_t wait_ms, int64_t *number)
{
	int64_t until = clock_mono_ms() + wait_ms;

	(void)pthread_mutex_lock(&s->mu);
	while (s->nfiles == 0 && !s->waking)
		if (!cond_wait_until(&s->changed, &s->mu, until))
			break;
	*number = s->nfiles == 0 ? 0 : s->files[0].number;
	(void)pthread_mutex_unlock(&s->mu);
}

void
spool_wake(struct spool *s)
{
	(void)pthread_mutex_lock(&s->mu);
	s->waking = true;
	(void)pthread_cond_broadcast(&s->changed);
	(void)pthread_mutex_unlock(&s->mu);
}

static bool
read_file(int dir_fd, const char *name, struct arena *a, struct str *out)
{
	AUTO(fd) int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t have = 0;
	char *bytes;

	if (fd < 0 || fstat(fd, &st) != 0)
		return false;
	bytes = arena_alloc(a, (size_t)st.st_size + 1);
	while (have < (size_t)st.st_size) {
		ssize_t n = read(fd, bytes + have, (size_t)st.st_size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		have += (size_t)n;
	}
	*out = (struct str){ bytes, have };
	return true;
}

static void
set_aside(struct spool *s, int64_t number, const char *name)
{
	char bad[NAME_BYTES];
	bool kept;

	file_name(number, "bad", bad);
	kept = renameat(s->dir_fd, name, s->dir_fd, bad) == 0;
	(void)pthread_mutex_lock(&s->mu);
	list_remove(s, number);
	s->bad_files += kept;
	(void)pthread_mutex_unlock(&s->mu);
}

/* It would fail again and hold up the files behind it: a bad sector, a file that somebody took. */
static bool
is_lasting(int error)
{
	return error == EIO || error == ENOENT || error == EACCES;
}

enum err_code
spool_read(struct spool *s, int64_t number, struct arena *a, const struct event *const **events,
    int *n, struct err *e)
{
	char name[NAME_BYTES];
	struct str bytes;
	enum err_code rc;

	file_name(number, "spool", name);
	if (!read_file(s->dir_fd, name, a, &bytes)) {
		rc = is_lasting(errno) ? ERR_INVALID : ERR_UNAVAILABLE;
		(void)err_set(e, rc, "cannot read %s: %s", name, strerror(errno));
	} else {
		rc = spool_decode(bytes, a, events, n, e);
	}
	if (rc == ERR_INVALID)
		set_aside(s, number, name);
	return rc;
}

/* If this is lost, the file is replayed again: harmless. */
void
spool_remove(struct spool *s, int64_t number)
{
	char name[NAME_BYTES];

	file_name(number, "spool", name);
	(void)unlinkat(s->dir_fd, name, 0);
	(void)pthread_mutex_lock(&s->mu);
	list_remove(s, number);
	(void)pthread_mutex_unlock(&s->mu);
}

void
spool_state(struct spool *s, struct spool_state *out)
{
	(void)pthread_mutex_lock(&s->mu);
	*out = (struct spool_state){
		.files = (int64_t)s->nfiles,
		.bytes = s->bytes,
		.bad_files = s->bad_files,
		.oldest_at = s->nfiles == 0 ? 0 : s->files[0].at,
	};
	(void)pthread_mutex_unlock(&s->mu);
}
