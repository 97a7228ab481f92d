/*
 * webhook - POST /webhooks/dialpad/{app_id}/{hook} and POST /webhooks/dialpad.
 *
 * Use:      from ingestd's route table; req->self is the struct ingestd.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   a genuine event is answered 200 when it is stored, else 503: Dialpad repeats after a
 *           5xx and never after a 4xx. 401 for what is not genuine, 413 for what is too large.
 */
#ifndef CTI_WEBHOOK_H
#define CTI_WEBHOOK_H

#include "common/http/http.h"

enum err_code webhook_hook(struct http_req *req, struct http_res *res, struct err *e);
enum err_code webhook_bare(struct http_req *req, struct http_res *res, struct err *e);
/* POST to anything else below /webhooks: 503, so that a misdirected hook loses nothing. */
enum err_code webhook_misdirected(struct http_req *req, struct http_res *res, struct err *e);

/* So that they are shown at zero. */
void webhook_declare_metrics(void);

/* 401 as {"error":"Invalid signature"}, the rest as problem+json. */
void webhook_error(const struct http_req *req, const struct err *e, struct http_res *res);

#endif
