/* workerd/fold_lists: recordings in their three shapes, labels, and what a union of them is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fold_kit.h"
#include "workerd/fold/fold_lists.h"

#define R "https://dialpad.com/r/"
#define ADMIN "https://dialpad.com/blob/adminrecording/"
/* An item as it is kept; `started` and `duration` as JSON. */
#define ITEM(id, url, duration, started, type)                                       \
	"{'id':'" id "','url':" url ",'duration':" duration ",'started_at':" started \
	",'type':'" type "'}"

/* ---- recordings ---- */

static void
details_of_recordings_are_kept(void **state)
{
	FOLDED(f, &RECORD_CALL,
	    "{'call_id':1,'recording_details':[{'id':'5006811933002129','url':'" R
	    "5006811933002129',"
	    "'duration':40773.6,'start_time':1770243115900,'recording_type':'callrecording'}]}");

	(void)state;
	assert_column(f, CALL_recordings,
	    "[" ITEM("5006811933002129", "'" R "5006811933002129'", "40774",
		"'2026-02-04T22:11:55.900Z'", "callrecording") "]");
	assert_column(f, CALL_recording_url, R "5006811933002129");
}

static void
lists_of_urls_and_of_ids_name_recordings_too(void **state)
{
	FOLDED(urls, &RECORD_CALL, "{'call_id':1,'recording_url':['" R "22','" R "11?t=a.b']}");
	FOLDED(one, &RECORD_CALL, "{'call_id':1,'recording_url':'" R "22'}");
	FOLDED(admin, &RECORD_CALL, "{'call_id':1,'admin_recording_urls':['" ADMIN "33.mp3']}");
	FOLDED(ids, &RECORD_CALL, "{'call_id':1,'call_recording_ids':[5006811933002129,'44']}");

	(void)state;
	assert_column(urls, CALL_recordings,
	    "[" ITEM("11", "'" R "11?t=a.b'", "null", "null", "callrecording") "," ITEM(
		"22", "'" R "22'", "null", "null", "callrecording") "]");
	assert_column(
	    one, CALL_recordings, "[" ITEM("22", "'" R "22'", "null", "null", "callrecording") "]");
	assert_column(admin, CALL_recordings,
	    "[" ITEM("33", "'" ADMIN "33.mp3'", "null", "null", "admincallrecording") "]");
	assert_column(ids, CALL_recordings,
	    "[{'id':'44','url':null,'duration':null,'started_at':null,'type':null},"
	    "{'id':'5006811933002129','url':null,'duration':null,'started_at':null,'type':null}]");
	assert_column(ids, CALL_recording_url, "null");
}

static void
the_shapes_of_one_recording_are_one_item(void **state)
{
	FOLDED(f, &RECORD_CALL,
	    "{'call_id':1,'call_recording_ids':[22],'recording_url':['" R "22'],"
	    "'recording_details':[{'id':'22','duration':5,'recording_type':'callrecording'}]}",
	    "{'call_id':1,'recording_details':[{'id':22,'duration':3,'start_time':'1770243115900'},"
	    "{'id':'11'}]}",
	    "{'call_id':1,'recording_details':[{'id':22,'duration':9,'start_time':1770243115901}]"
	    "}");

	(void)state;
	assert_column(f, CALL_recordings,
	    "[{'id':'11','url':null,'duration':null,'started_at':null,'type':null}," ITEM(
		"22", "'" R "22'", "9", "'2026-02-04T22:11:55.900Z'", "callrecording") "]");
}

static void
items_of_unknown_shapes_are_passed_over(void **state)
{
	FOLDED(f, &RECORD_CALL,
	    "{'call_id':1,'recording_details':[null,7,'x',[],{},{'id':''},{'id':null},{'id':1.5},"
	    "{'id':'22','url':7,'duration':'long','start_time':-1,'recording_type':[]}],"
	    "'recording_url':[null,7,'',{},'" R "'],'admin_recording_urls':{'a':'" R "5'},"
	    "'call_recording_ids':{'a':7}}");
	FOLDED(none, &RECORD_CALL,
	    "{'call_id':1,'recording_details':[],'recording_url':[],'call_recording_ids':[]}");
	FOLDED(odd, &RECORD_CALL,
	    "{'call_id':1,'recording_details':'x','recording_url':7,'call_recording_ids':'7'}");

	(void)state;
	assert_column(f, CALL_recordings,
	    "[{'id':'22','url':null,'duration':null,'started_at':null,'type':null}]");
	assert_column(none, CALL_recordings, "null");
	assert_column(odd, CALL_recordings, "null");
}

static void
the_calls_own_recording_is_shown_before_an_admins_and_never_a_voicemail(void **state)
{
	FOLDED(both, &RECORD_CALL,
	    "{'call_id':1,'admin_recording_urls':['" ADMIN "11.mp3'],'recording_url':['" R "22']}");
	FOLDED(admin, &RECORD_CALL, "{'call_id':1,'admin_recording_urls':['" ADMIN "11.mp3']}");
	FOLDED(voicemail, &RECORD_CALL,
	    "{'call_id':1,'recording_details':[{'id':'11','url':'" R
	    "11','recording_type':'voicemail'}]}");

	(void)state;
	assert_column(both, CALL_recording_url, R "22");
	assert_column(admin, CALL_recording_url, ADMIN "11.mp3");
	assert_column(voicemail, CALL_recording_url, "null");
}

/* Known by its id alone it counts as the call's; its details come in a later batch. */
static void
a_recording_that_proves_to_be_a_voicemail_is_shown_no_longer(void **state)
{
	FOLDED(f, &RECORD_CALL, "{'call_id':1,'recording_url':['" R "11']}");

	(void)state;
	assert_column(f, CALL_recording_url, R "11");
	folder_add(&f,
	    "{'call_id':1,'recording_details':[{'id':'11','recording_type':'voicemail'}]}", 2000);
	fold_derive(&f.row, &RECORD_CALL, &f.arena);
	assert_column(f, CALL_recording_url, "null");
}

/* n recordings with ids of four digits, from..from+n-1, in descending order. */
static struct str
event_with_recordings(struct arena *a, int from, int n)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(1u << 20);

	buf_add_c(&b, "{'call_id':1,'recording_details':[");
	for (int i = n - 1; i >= 0; i--)
		buf_add_fmt(&b, "{'id':'%04d'}%s", from + i, i > 0 ? "," : "");
	buf_add_c(&b, "]}");
	return arena_dup(a, buf_str(&b));
}

static void
of_too_many_recordings_the_least_ids_stay_whatever_came_first(void **state)
{
	AUTO_RELEASE(arena_release) struct arena a;
	const char *low, *high;
	struct recording r;

	(void)state;
	arena_init(&a);
	low = event_with_recordings(&a, 1000, 200).p;
	high = event_with_recordings(&a, 1100, 300).p;
	FOLDED(f, &RECORD_CALL, low, high);
	FOLDED(g, &RECORD_CALL, high, low, high);
	assert_true(str_eq(f.row.r.v[CALL_recordings].s, g.row.r.v[CALL_recordings].s));
	assert_non_null(strstr(f.row.r.v[CALL_recordings].s.p, "\"1255\""));
	assert_null(strstr(f.row.r.v[CALL_recordings].s.p, "\"1256\""));
	assert_false(recordings_find(f.row.r.v[CALL_recordings].s, STR("voicemail"), &a, &r));
}

/* What has to be escaped grows sixfold: the list must stay whole JSON. */
static void
a_list_that_is_all_escapes_stays_json(void **state)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(8u << 20);
	AUTO(json) struct json *doc = NULL;
	struct err e;
	int n = 0;

	(void)state;
	buf_add_c(&b, "{'call_id':1,'labels':[''");
	for (int i = 0; i < 256; i++) {
		buf_add_fmt(&b, ",'%d", i);
		for (int k = 0; k < 2000; k++)
			buf_add_c(&b, "\\b");
		buf_add_char(&b, '\'');
	}
	buf_add_c(&b, "],'recording_details':[null");
	for (int i = 0; i < 256; i++) {
		buf_add_fmt(&b, ",{'id':'%d','url':'", i);
		for (int k = 0; k < 2000; k++)
			buf_add_c(&b, "\\b");
		buf_add_c(&b, "','recording_type':'");
		for (int k = 0; k < 2000; k++)
			buf_add_c(&b, "\\b");
		buf_add_c(&b, "'}");
	}
	buf_add_c(&b, "]}");
	FOLDED(f, &RECORD_CALL, buf_c(&b));
	assert_int_equal(json_parse(f.row.r.v[CALL_recordings].s, &doc, &e), ERR_OK);
	for (const struct json *v = json_first(doc); v != NULL; v = json_next(v))
		n++;
	assert_int_equal(n, 256);
	json_free(TAKE(doc));
	assert_int_equal(json_parse(f.row.r.v[CALL_labels].s, &doc, &e), ERR_OK);
}

static void
a_stored_list_that_is_no_list_is_as_none(void **state)
{
	static const char *const garbage[] = { "", "x", "{}", "[", "[7,null,{\"id\":7}",
		"[7,null]" };
	AUTO_RELEASE(arena_release) struct arena a;
	struct str one, list;

	(void)state;
	arena_init(&a);
	one = event_text(&a, "[" ITEM("11", "null", "null", "null", "callrecording") "]");
	for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
		list = recordings_union(str_of(garbage[i]), one, &a);
		assert_true(str_eq(list, one));
		list = labels_union(str_of(garbage[i]), STR("[\"a\"]"), &a);
		assert_true(str_eq(list, STR("[\"a\"]")));
		assert_null(strings_first(str_of(garbage[i]), &a).p);
	}
}

/* ---- labels ---- */

static void
labels_are_a_sorted_union(void **state)
{
	FOLDED(f, &RECORD_CALL,
	    "{'call_id':1,'event_timestamp':2000,'labels':['vip','b','vip','',7,null,'B']}",
	    "{'call_id':1,'event_timestamp':1000,'labels':['a','b','\xc3\xa9t\\u00e9 \\\"']}",
	    "{'call_id':1,'event_timestamp':3000,'labels':[]}");

	(void)state;
	assert_true(str_eq(f.row.r.v[CALL_labels].s,
	    STR("[\"B\",\"a\",\"b\",\"vip\",\"\xc3\xa9t\xc3\xa9 \\\"\"]")));
}

static void
of_too_many_labels_the_least_stay_whatever_came_first(void **state)
{
	AUTO_RELEASE(buf_release) struct buf low = BUF(1u << 20), high = BUF(1u << 20);

	(void)state;
	buf_add_c(&low, "{'call_id':1,'labels':['0000'");
	buf_add_c(&high, "{'call_id':1,'labels':['0000'");
	for (int i = 200; i > 0; i--) {
		buf_add_fmt(&low, ",'%04d'", i);
		buf_add_fmt(&high, ",'%04d'", i + 150);
	}
	buf_add_c(&low, "]}");
	buf_add_c(&high, "]}");
	FOLDED(f, &RECORD_CALL, buf_c(&low), buf_c(&high));
	FOLDED(g, &RECORD_CALL, buf_c(&high), buf_c(&low));
	assert_true(str_eq(f.row.r.v[CALL_labels].s, g.row.r.v[CALL_labels].s));
	assert_non_null(strstr(f.row.r.v[CALL_labels].s.p, "\"0255\""));
	assert_null(strstr(f.row.r.v[CALL_labels].s.p, "\"0256\""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(details_of_recordings_are_kept),
		cmocka_unit_test(lists_of_urls_and_of_ids_name_recordings_too),
		cmocka_unit_test(the_shapes_of_one_recording_are_one_item),
		cmocka_unit_test(items_of_unknown_shapes_are_passed_over),
		cmocka_unit_test(
		    the_calls_own_recording_is_shown_before_an_admins_and_never_a_voicemail),
		cmocka_unit_test(a_recording_that_proves_to_be_a_voicemail_is_shown_no_longer),
		cmocka_unit_test(of_too_many_recordings_the_least_ids_stay_whatever_came_first),
		cmocka_unit_test(a_list_that_is_all_escapes_stays_json),
		cmocka_unit_test(a_stored_list_that_is_no_list_is_as_none),
		cmocka_unit_test(labels_are_a_sorted_union),
		cmocka_unit_test(of_too_many_labels_the_least_stay_whatever_came_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
