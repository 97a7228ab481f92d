/*
 * full_disk - makes one directory behave as if it were on a disk of its own that is full.
 *
 * Use:      LD_PRELOAD it; FULL_DISK_DIR is the directory, FULL_DISK_BYTES what its files may have
 *           together. What is deleted there makes room again.
 * Owns:     nothing.
 * Threads:  safe; writers that race may each take the same last bytes.
 * Errors:   write(): as many bytes as there is room for, then ENOSPC, as the kernel does it.
 * Not for:  files that are written otherwise (writev, mmap, stdio).
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef ssize_t (*write_fn)(int fd, const void *bytes, size_t n);

/* ISO C has no cast from dlsym()'s result to a function. */
static write_fn
next_write(void)
{
	void *symbol = dlsym(RTLD_NEXT, "write");
	write_fn fn;

	memcpy(&fn, &symbol, sizeof fn);
	return fn;
}

/* Directly in the directory, not below it. */
static bool
is_file_of(const char *dir, int fd)
{
	char link[40], path[PATH_MAX];
	size_t n = strlen(dir);
	ssize_t len;

	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof path - 1);
	if (len < 0)
		return false;
	path[len] = '\0';
	return strncmp(path, dir, n) == 0 && path[n] == '/' && strchr(path + n + 1, '/') == NULL;
}

static size_t
bytes_in(const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;
	struct stat st;
	size_t sum = 0;

	while (d != NULL && (entry = readdir(d)) != NULL)
		if (fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0
		    && S_ISREG(st.st_mode))
			sum += (size_t)st.st_size;
	if (d != NULL)
		(void)closedir(d);
	return sum;
}

ssize_t
write(int fd, const void *bytes, size_t n)
{
	const char *dir = getenv("FULL_DISK_DIR"), *limit = getenv("FULL_DISK_BYTES");
	size_t used, all;

	if (dir != NULL && limit != NULL && is_file_of(dir, fd)) {
		used = bytes_in(dir);
		all = strtoul(limit, NULL, 10);
		if (used >= all) {
			errno = ENOSPC;
			return -1;
		}
		n = n < all - used ? n : all - used;
	}
	return next_write()(fd, bytes, n);
}
