#include "apid/routes.h"

#include "apid/handlers.h"
#include "common/http/http_ops.h"

#define NONE HTTP_AUTH_NONE
#define APP HTTP_AUTH_APP
#define ADMIN HTTP_AUTH_ADMIN
#define ANY HTTP_AUTH_VISITOR

enum { SMALL_BODY = 16 * 1024, LIST_BODY = 64 * 1024, WEBHOOK_BODY = 2 * 1024 * 1024 };

/* clang-format off */
const struct http_route apid_routes[] = {
	/* method  path                           who    max. body     handler */
	{ "GET",  "/",                            NONE,  0,            health_get },
	{ "GET",  "/health",                      NONE,  0,            health_get },
	{ "GET",  "/healthz",                     NONE,  0,            http_ops_healthz },
	{ "GET",  "/readyz",                      NONE,  0,            http_ops_readyz },
	{ "GET",  "/metrics",                     NONE,  0,            health_metrics },
	{ "GET",  "/openapi.json",                NONE,  0,            spec_json },
	{ "GET",  "/docs",                        NONE,  0,            spec_page },

	{ "GET",  "/api/calls",                   APP,   0,            calls_list },
	{ "GET",  "/api/calls/active",            APP,   0,            calls_active },
	{ "GET",  "/api/calls/{id}",              APP,   0,            calls_get },
	{ "GET",  "/api/messages",                APP,   0,            messages_list },
	{ "GET",  "/api/messages/{id}",           APP,   0,            messages_get },
	{ "GET",  "/api/voicemails",              APP,   0,            voicemails_list },
	{ "GET",  "/api/voicemails/{id}",         APP,   0,            voicemails_get },
	{ "GET",  "/api/connection",              APP,   0,            connection_get },

	{ "GET",  "/auth/dialpad/connect",        ANY,   0,            oauth_connect },
	{ "GET",  "/auth/dialpad/callback",       ANY,   0,            oauth_callback },

	{ "GET",  "/api/events",                  APP,   0,            feed_get },
	{ "POST", "/api/ws-ticket",               APP,   SMALL_BODY,   ticket_create },
	{ "GET",  "/ws",                          NONE,  0,            live_open },

	{ "POST", "/internal/apps",               ADMIN, SMALL_BODY,   apps_create },
	{ "GET",  "/internal/apps",               ADMIN, 0,            apps_list },
	{ "GET",  "/internal/apps/{id}",          ADMIN, 0,            apps_get },
	{ "PATCH", "/internal/apps/{id}",         ADMIN, SMALL_BODY,   apps_change },
	{ "DELETE", "/internal/apps/{id}",        ADMIN, 0,            apps_delete },
	{ "POST", "/internal/apps/{id}/api-key",  ADMIN, SMALL_BODY,   keys_create },
	{ "GET",  "/internal/apps/{id}/api-keys", ADMIN, 0,            keys_list },
	{ "DELETE", "/internal/apps/{id}/api-keys/{key_id}", ADMIN, 0, keys_revoke },
	{ "GET",  "/internal/apps/{id}/webhook",  ADMIN, 0,            hooks_get },
	{ "POST", "/internal/apps/{id}/webhook",  ADMIN, SMALL_BODY,   hooks_provision },
	{ "POST", "/internal/apps/{id}/webhook/rotate", ADMIN, SMALL_BODY, hooks_rotate },
	{ "GET",  "/internal/apps/{id}/repair",   ADMIN, 0,            repairs_list },
	{ "POST", "/internal/apps/{id}/repair",   ADMIN, SMALL_BODY,   repairs_create },
	{ "GET",  "/internal/apps/{id}/setup",    ADMIN, 0,            setup_get },
	{ "POST", "/internal/apps/{id}/live-token", ADMIN, SMALL_BODY, token_create },
	{ "GET",  "/internal/apps/{id}/live-tokens", ADMIN, 0,         token_list },
	{ "DELETE", "/internal/apps/{id}/live-tokens/{token_id}", ADMIN, 0, token_revoke },
	{ "GET",  "/internal/apps/{id}/connection", ADMIN, 0,          connections_get },
	{ "POST", "/internal/apps/{id}/disconnect", ADMIN, SMALL_BODY, connections_disconnect },
	{ "POST", "/internal/apps/{id}/connect-link", ADMIN, SMALL_BODY, connections_invite },
	{ "GET",  "/internal/apps/{id}/audit",    ADMIN, 0,            audit_get },

	{ "GET",  "/internal/apps/{id}/events",   ADMIN, 0,            events_list },
	{ "GET",  "/internal/apps/{id}/events/replay", ADMIN, 0,       replay_list },
	{ "POST", "/internal/apps/{id}/events/replay", ADMIN, LIST_BODY, replay_create },
	{ "GET",  "/internal/apps/{id}/events/{event_id}", ADMIN, 0,   events_get },
	{ "GET",  "/internal/apps/{id}/erase",    ADMIN, 0,            erase_list },
	{ "POST", "/internal/apps/{id}/erase",    ADMIN, SMALL_BODY,   erase_create },
	{ "GET",  "/internal/events/unclaimed",   ADMIN, 0,            unclaimed_list },
	{ "GET",  "/internal/events/unclaimed/assign", ADMIN, 0,       unclaimed_assignments },
	{ "POST", "/internal/events/unclaimed/assign", ADMIN, LIST_BODY, unclaimed_assign },
	{ "GET",  "/internal/events/unclaimed/{event_id}", ADMIN, 0,   unclaimed_get },
	{ "GET",  "/internal/events/rules",       ADMIN, 0,            rules_list },
	{ "DELETE", "/internal/events/rules/{kind}/{dialpad_id}", ADMIN, 0, rules_remove },
	{ "GET",  "/internal/stats",              ADMIN, 0,            stats_get },

	/* Belongs to ingestd. It has to read the event to refuse it in a way that Dialpad repeats. */
	{ "POST", "/webhooks/**",                 NONE,  WEBHOOK_BODY, misdirected_webhook },
};
/* clang-format on */

const int apid_nroutes = sizeof apid_routes / sizeof apid_routes[0];

static bool
is_internal(const char *path)
{
	return str_starts(str_of(path), STR("/internal/"))
	    || str_starts(str_of(path), STR("/console"));
}

static bool
is_probe(const struct http_route *r)
{
	return r->fn == http_ops_healthz || r->fn == http_ops_readyz;
}

static bool
belongs_to(const struct http_route *r, enum routes_port port)
{
	switch (port) {
	case ROUTES_PUBLIC: return !is_internal(r->path);
	case ROUTES_INTERNAL: return is_internal(r->path) || is_probe(r);
	case ROUTES_ALL: break;
	}
	return true;
}

int
routes_select(enum routes_port port, struct http_route *out)
{
	int n = 0;

	for (int i = 0; i < apid_nroutes; i++) {
		if (belongs_to(&apid_routes[i], port))
			out[n++] = apid_routes[i];
	}
	return n;
}
