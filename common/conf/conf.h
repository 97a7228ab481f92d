/*
 * conf - the options of all three daemons: one table (conf.def), read from the environment.
 *
 * Use:      conf_load() in main; then plain members of struct conf.
 * Owns:     the strings it read, until conf_release.
 * Threads:  read-only after loading.
 * Errors:   all faults are listed at once in *faults, one line each, naming the variable.
 * Not for:  values that change while the daemon runs.
 *
 * Each variable NAME can be given as NAME_FILE, a path whose content (without outer white space)
 * is the value. An empty value counts as unset, except for a secret, where it is a fault.
 */
#ifndef CTI_CONF_H
#define CTI_CONF_H

#include "common/base/arena.h"
#include "common/base/buf.h"

enum conf_daemon { CONF_INGESTD = 1, CONF_WORKERD = 2, CONF_APID = 4, CONF_ALL = 7 };

enum conf_flag {
	CONF_SECRET = 1,   /* never printed, registered with the log's redaction */
	CONF_REQUIRED = 2, /* must be set in every environment */
	CONF_PROD = 4,     /* must be set when DIALPAD_ENV is production */
	CONF_KEY32 = 8,    /* a secret of 32 bytes or more */
	CONF_KEY16 = 16,   /* a secret of 16 bytes or more */
};

typedef const char *conf_STR; /* "" when unset */
typedef int64_t conf_INT;
typedef bool conf_BOOL;

/* Our app at Dialpad, in the environment that is used. */
struct conf_dialpad {
	const char *client_id, *client_secret; /* "" when unset: both or none */
	const char *redirect_uri;              /* apid only; likewise */
	const char *base_url; /* "https://dialpad.com", without a slash at the end */
	const char *scopes;   /* "a b c", each once */
	/* The options' names in this environment, for people. */
	const char *client_id_name, *base_url_name;
};

struct conf {
#define CONF(type, member, env, dflt, lo, hi, flags, daemons, doc) conf_##type member;
#include "common/conf/conf.def"
#undef CONF
	bool production; /* DIALPAD_ENV, or NODE_ENV where that is unset; dialpad_env agrees */
	struct conf_dialpad dialpad; /* of that environment */
	struct arena owned;          /* private: the strings */
};

/*
 * `env` is environ-shaped (NULL-terminated "NAME=value"); borrowed during the call. Options of other
 * daemons keep their defaults. Defaults that follow from other options are filled in: `port` and
 * the daemon's own port are the one it serves on, `ops_port`, `http_threads` and apid's public URLs are never
 * empty. workerd's public URLs are, where nothing says what they are.
 */
CTI_MUST_CHECK enum err_code conf_load(
    struct conf *c, enum conf_daemon daemon, char *const *env, struct buf *faults, struct err *e);
void conf_release(struct conf *c);

/* What is allowed but hardly wanted: one line each, naming the variable. */
void conf_warnings(const struct conf *c, struct buf *out);

int conf_port(const struct conf *c, enum conf_daemon daemon); /* that daemon's own port */
int conf_ops_port(const struct conf *c);                      /* health, metrics, version */

/* The table as text for --help-config (one daemon's options). */
void conf_help(enum conf_daemon daemon, struct buf *out);
/* The table as docs/configuration.md (all daemons). */
void conf_markdown(struct buf *out);

#endif
