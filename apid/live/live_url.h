/*
 * live_url - the address of the WebSocket, with what lets one in.
 *
 * Use:      live_url_render() adds the member "url" to an open JSON object.
 * Owns:     nothing.
 * Threads:  pure.
 * Errors:   none.
 * Not for:  logs: what stands behind the "?" is a secret.
 */
#ifndef CTI_APID_LIVE_URL_H
#define CTI_APID_LIVE_URL_H

#include "common/json/json_out.h"

/* Of http://host and the parameter name "ticket": ws://host/ws?ticket=… */
void live_url_render(
    const char *public_url, const char *parameter, struct str value, struct json_out *j);

#endif
