/*
 * The description of this API, for programs and for people. Both are made of docs/openapi.yaml when
 * apid is built, and are a part of the program.
 */
#include "apid/handlers.h"

#define EMBED(name, path)                         \
	__asm__(".section .rodata\n"              \
		".global " #name "\n" #name ":\n" \
		".incbin \"" path "\"\n"          \
		".byte 0\n"                       \
		".previous\n");                   \
	extern const char name[]

EMBED(spec_json_text, "build/docs/openapi.json");
EMBED(spec_html_text, "build/docs/openapi.html");

enum err_code
spec_json(struct http_req *req, struct http_res *res, struct err *e)
{
	(void)req;
	(void)e;
	buf_add_str(&res->body, str_of(spec_json_text));
	return ERR_OK;
}

/* A page without scripts, which loads nothing. */
enum err_code
spec_page(struct http_req *req, struct http_res *res, struct err *e)
{
	(void)req;
	(void)e;
	res->content_type = "text/html; charset=utf-8";
	buf_add_str(&res->body, str_of(spec_html_text));
	return ERR_OK;
}
