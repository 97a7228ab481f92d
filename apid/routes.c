#include "apid/routes.h"

#include "apid/handlers.h"
#include "common/http/http_ops.h"

#define NONE HTTP_AUTH_NONE
#define APP HTTP_AUTH_APP
#define ADMIN HTTP_AUTH_ADMIN

enum { SMALL_BODY = 16 * 1024, WEBHOOK_BODY = 2 * 1024 * 1024 };

/* clang-format off */
const struct http_route apid_routes[] = {
	/* method  path                           who    max. body     handler */
	{ "GET",  "/",                            NONE,  0,            health_get },
	{ "GET",  "/health",                      NONE,  0,            health_get },
	{ "GET",  "/healthz",                     NONE,  0,            http_ops_healthz },
	{ "GET",  "/readyz",                      NONE,  0,            http_ops_readyz },
	{ "GET",  "/metrics",                     NONE,  0,            health_metrics },

	{ "GET",  "/api/calls",                   APP,   0,            calls_list },
	{ "GET",  "/api/calls/active",            APP,   0,            calls_active },
	{ "GET",  "/api/calls/{id}",              APP,   0,            calls_get },
	{ "GET",  "/api/messages",                APP,   0,            messages_list },
	{ "GET",  "/api/messages/{id}",           APP,   0,            messages_get },
	{ "GET",  "/api/voicemails",              APP,   0,            voicemails_list },
	{ "GET",  "/api/voicemails/{id}",         APP,   0,            voicemails_get },

	{ "GET",  "/api/events",                  APP,   0,            events_get },
	{ "POST", "/api/ws-ticket",               APP,   SMALL_BODY,   ticket_create },
	{ "GET",  "/ws",                          NONE,  0,            live_open },

	{ "POST", "/internal/apps",               ADMIN, SMALL_BODY,   apps_create },
	{ "GET",  "/internal/apps",               ADMIN, 0,            apps_list },
	{ "GET",  "/internal/apps/{id}",          ADMIN, 0,            apps_get },
	{ "POST", "/internal/apps/{id}/api-key",  ADMIN, SMALL_BODY,   keys_create },
	{ "GET",  "/internal/apps/{id}/webhook",  ADMIN, 0,            hooks_get },
	{ "POST", "/internal/apps/{id}/live-token", ADMIN, SMALL_BODY, token_create },
	{ "GET",  "/internal/apps/{id}/live-tokens", ADMIN, 0,         token_list },
	{ "DELETE", "/internal/apps/{id}/live-tokens/{token_id}", ADMIN, 0, token_revoke },

	/* Belongs to ingestd. It has to read the event to refuse it in a way that Dialpad repeats. */
	{ "POST", "/webhooks/**",                 NONE,  WEBHOOK_BODY, misdirected_webhook },
};
/* clang-format on */

const int apid_nroutes = sizeof apid_routes / sizeof apid_routes[0];
