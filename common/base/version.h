/*
 * version - which build this is.
 *
 * Use:      version_text() for --version, /version and the log.
 * Owns:     nothing: a constant.
 * Threads:  safe.
 * Errors:   "unknown" when the build did not define CTI_VERSION for version.c.
 * Not for:  the version of the database's schema.
 */
#ifndef CTI_BASE_VERSION_H
#define CTI_BASE_VERSION_H

const char *version_text(void);

#endif
