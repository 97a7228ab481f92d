/* Runs kept inputs through a fuzz target: any compiler, no fuzzer. Arguments are files. */
#include "test/fuzz/fuzz.h"

static void
run_file(const char *path)
{
	AUTO_RELEASE(buf_release) struct buf content = BUF(1 << 24);
	FILE *f = fopen(path, "rb");
	char chunk[4096];
	size_t n;

	if (f == NULL) {
		perror(path);
		exit(2);
	}
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buf_add(&content, chunk, n);
	(void)fclose(f);
	FUZZ_CHECK(!content.failed);
	(void)fprintf(stderr, "%s\n", path); /* the last one named is the one that failed */
	(void)LLVMFuzzerTestOneInput((const uint8_t *)buf_c(&content), content.n);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		run_file(argv[i]);
	return 0;
}
