/*
 * base64url - base64 with '-' and '_', without padding.
 *
 * Use:      encode into a buf, decode strictly: any character outside the alphabet, padding,
 *           white space or left-over bits are refused.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   decode: false; the buf's `failed` tells "too long" from "not base64url".
 * Source:   RFC 4648 section 5.
 */
#ifndef CTI_BASE64URL_H
#define CTI_BASE64URL_H

#include "common/base/buf.h"

void base64url_encode(struct str bytes, struct buf *out);
bool base64url_decode(struct str text, struct buf *out);

#endif
