# One make, one dependency graph. `make help` lists the targets.
MAKEFLAGS += --no-builtin-rules
# All cores, unless -j was given. `make V=1` shows the commands.
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif
Q := $(if $(V),,@)
SHELL     := /bin/bash
CC        := gcc
AR        := gcc-ar
PYTHON    := /usr/bin/python3
VARIANTS  := release dev asan tsan cov fuzz
BUILD     ?= release
# libFuzzer comes with clang only.
ifeq ($(BUILD),fuzz)
CC        := clang
endif
B         := build/$(BUILD)
VERSION   := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
RUN_DIR   ?= .run
DEMO      ?= 1
PREFIX    ?= /usr/local
PYTEST    := $(PYTHON) -m pytest -q -p no:cacheprovider
# How long `make fuzz` tries each target, and `make chaos` lasts.
FUZZ_SECONDS ?= 60
CHAOS_SECONDS ?= 600

ifeq ($(filter $(BUILD),$(VARIANTS)),)
$(error BUILD must be one of: $(VARIANTS))
endif

# civetweb is named apart: its package has no pkg-config file.
PKGS := libpq libcjson libsodium libcurl libjwt
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
        -Wformat=2 -Wvla -Wundef -Wwrite-strings
FLAGS_release := -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
FLAGS_dev     := -Og -g3 -Werror
FLAGS_asan    := -O1 -g3 -Werror -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
FLAGS_tsan    := -O1 -g3 -Werror -fsanitize=thread
FLAGS_cov     := -O0 -g3 --coverage
FLAGS_fuzz    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,fuzzer-no-link \
                 -fno-sanitize-recover=all
# What only tests may ask of a daemon, see workerd/batch/batch_crash.h.
HOOKS         := $(if $(filter dev asan tsan,$(BUILD)),-DCTI_TEST_HOOKS)
LINK_release  := -pie -Wl,-z,relro,-z,now -Wl,--as-needed
# The daemons export pthread_attr_setstacksize, which civetweb must find (see common/http/http_stack.c).
LINK          := -rdynamic $(LINK_$(BUILD)) $(filter -fsanitize=% --coverage,$(FLAGS_$(BUILD)))

CPPFLAGS += -I. -D_GNU_SOURCE $(HOOKS) $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
CFLAGS   += -std=c17 $(WARN) $(FLAGS_$(BUILD))
LDLIBS   += $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lcivetweb -ldl -lm -pthread

DAEMONS := ingestd workerd apid
COMMON  := $(wildcard common/*/*.c)
UNIT    := $(patsubst test/unit/%.c,%,$(wildcard test/unit/t_*.c))
DBTESTS := $(patsubst test/db/%.c,%,$(wildcard test/db/t_*.c))
FUZZERS := $(patsubst test/fuzz/%.c,%,$(wildcard test/fuzz/fuzz_*.c))
obj      = $(patsubst %.c,$(B)/%.o,$(1))
sources  = $(wildcard $(1)/*.c $(1)/*/*.c)
C_FILES := $(foreach d,$(DAEMONS) common test,$(call sources,$(d)))
# What a test of a daemon's part links: all of its files but main.
parts    = $(filter-out %/main.o,$(call obj,$(call sources,$(1))))

# What is not initialised clang and gcc find better: cppcheck takes what a function writes for what it reads.
CPPCHECK := -q -j2 --error-exitcode=1 --std=c11 --enable=warning,performance,portability \
            --suppress=uninitvar --suppress=ctuuninitvar \
            -I. -D_GNU_SOURCE --template='{file}:{line}: {message} [{id}]'

.DEFAULT_GOAL := all
.SECONDARY:
.PHONY: all install deps deps-build deps-run deps-test deps-long deps-fuzz run test test-long chaos tests unit e2e fuzz fuzzers lint lint-deep docs format clean help FORCE

all: $(DAEMONS:%=$(B)/bin/%) ## build the daemons (BUILD=release|dev|asan|tsan|cov)

$(B)/libcti.a: $(call obj,$(COMMON))
	@echo "  AR    $@"; rm -f $@
	$(Q)$(AR) rcs $@ $^

define DAEMON_RULE
$(B)/bin/$(1): $(call obj,$(call sources,$(1))) $(B)/libcti.a
	@echo "  LINK  $$@"; mkdir -p $$(@D)
	$$(Q)$$(CC) $$(LINK) -o $$@ $$^ $$(LDLIBS)
endef
$(foreach d,$(DAEMONS),$(eval $(call DAEMON_RULE,$(d))))

$(B)/test/%: $(B)/test/unit/%.o $(foreach d,$(DAEMONS),$(call parts,$(d))) $(B)/libcti.a
	@echo "  LINK  $@"; mkdir -p $(@D)
	$(Q)$(CC) $(LINK) -o $@ $^ $(LDLIBS) -lcmocka

$(B)/test/%: $(B)/test/db/%.o $(foreach d,$(DAEMONS),$(call parts,$(d))) $(B)/libcti.a
	@echo "  LINK  $@"; mkdir -p $(@D)
	$(Q)$(CC) $(LINK) -o $@ $^ $(LDLIBS) -lcmocka

# Programs that a benchmark runs: `make build/release/bench/key_check`.
$(B)/bench/%: $(B)/test/bench/%.o $(call parts,apid) $(B)/libcti.a
	@echo "  LINK  $@"; mkdir -p $(@D)
	$(Q)$(CC) $(LINK) -o $@ $^ $(LDLIBS)

# Loaded into a daemon by a test, so never with a sanitizer of its own.
$(B)/test/%.so: test/e2e/%.c
	@echo "  LINK  $@"; mkdir -p $(@D)
	$(Q)$(CC) -std=c17 $(WARN) -Werror -D_GNU_SOURCE -O1 -shared -fPIC -o $@ $< -ldl

# A fuzzer in the variant `fuzz`; elsewhere a program that runs the inputs it is given.
FUZZ_MAIN := $(if $(filter fuzz,$(BUILD)),-fsanitize=fuzzer,$(B)/test/fuzz/replay.o)
$(B)/fuzz/%: $(B)/test/fuzz/%.o $(filter %.o,$(FUZZ_MAIN)) $(foreach d,ingestd apid,$(call parts,$(d))) $(B)/libcti.a
	@echo "  LINK  $@"; mkdir -p $(@D)
	$(Q)$(CC) $(LINK) $(filter -%,$(FUZZ_MAIN)) -o $@ $^ $(LDLIBS)

$(B)/%.o: %.c $(B)/.flags
	@echo "  CC    $<"; mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The description of the API, which apid serves.
build/docs/openapi.json: docs/openapi.yaml docs/render.py
	@echo "  DOCS  $@"
	$(Q)$(PYTHON) docs/render.py $(@D)

$(B)/apid/edge/spec.o: build/docs/openapi.json

# Rebuild everything when the command line changes, and only then.
$(B)/.flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CPPFLAGS) $(CFLAGS)' | cmp -s - $@ || echo '$(CC) $(CPPFLAGS) $(CFLAGS)' > $@
FORCE:

# ---- what people call ----

deps-build deps-run deps-test deps-long deps-fuzz: deps-%:
	@deploy/local/deps.sh $*

deps: deps-test ## install the Debian packages that `make test` needs; each target below brings its own

# The sub-makes start after the packages are there, because pkg-config is asked when a makefile is read.
run: deps-run ## PostgreSQL, the daemons, a fake Dialpad and demo traffic, in front
	@$(MAKE) --no-print-directory BUILD=release all
	@BUILD_DIR=build/release/bin RUN_DIR='$(RUN_DIR)' DEMO='$(DEMO)' exec $(PYTHON) deploy/local/run.py

test: deps-test ## all tests, with ASan and UBSan
	@$(MAKE) --no-print-directory BUILD=asan all tests build/npm/.installed
	@$(MAKE) --no-print-directory BUILD=asan lint
	@CTI_BUILD=asan $(PYTEST) -n 2 --dist loadfile --ignore=test/long test

# ---- parts of it ----

tests: $(UNIT:%=$(B)/test/%) $(DBTESTS:%=$(B)/test/%) $(FUZZERS:%=$(B)/fuzz/%) $(B)/test/full_disk.so

# What tests need from npm, as the lock file says.
build/npm/.installed: test/npm/package-lock.json
	@echo "  NPM   $(@D)"; mkdir -p $(@D)
	$(Q)cp test/npm/package*.json $(@D)
	$(Q)npm ci --prefix $(@D) --no-audit --no-fund --loglevel=error >/dev/null
	$(Q)touch $@

unit: all tests ## unit tests of one variant: make BUILD=tsan unit
	@CTI_BUILD=$(BUILD) $(PYTEST) test/unit

e2e: all $(B)/test/full_disk.so ## end-to-end tests against one variant's daemons
	@CTI_BUILD=$(BUILD) $(PYTEST) test/e2e

test-long: deps-long ## what takes too long for `make test`, see docs/testing.md
	@$(MAKE) --no-print-directory BUILD=asan all lint-deep
	@CTI_BUILD=asan $(PYTEST) test/long

chaos: deps-test ## a whole deployment under load, hurt at random for CHAOS_SECONDS=600
	@$(MAKE) --no-print-directory BUILD=asan all
	@CTI_BUILD=asan CHAOS_SECONDS=$(CHAOS_SECONDS) $(PYTEST) -s test/e2e/test_chaos.py

fuzz: deps-fuzz ## libFuzzer on each target, FUZZ_SECONDS=60 apiece
	@$(MAKE) --no-print-directory BUILD=fuzz fuzzers
	@for name in $(FUZZERS); do \
		test/fuzz/run.sh $$name $(FUZZ_SECONDS) || exit 1; \
	done

fuzzers: $(FUZZERS:%=$(B)/fuzz/%)

lint: $(C_FILES:%.c=$(B)/tidy/%.ok) ## layout, layers, banned calls, clang-tidy, cppcheck, shellcheck, generated documents
	@CTI_BUILD=$(BUILD) $(PYTHON) test/lint/lint.py
	@mkdir -p $(B)/cppcheck
	@cppcheck $(CPPCHECK) --cppcheck-build-dir=$(B)/cppcheck $(C_FILES)
	@git -c safe.directory='*' grep -lE '^#!.*[/ ](ba|da)?sh$$' | xargs shellcheck

lint-deep: $(C_FILES:%.c=$(B)/tidy-deep/%.ok) ## clang's static analyser as well, which takes minutes

# An object is newer than all that its source includes, so this is done again only where it must be.
tidy = said=$$(clang-tidy --quiet $(1) $< -- $(CPPFLAGS) -std=c17 $(WARN) 2>&1) || { echo "$$said"; exit 1; }
$(B)/tidy/%.ok: %.c $(B)/%.o .clang-tidy
	@echo "  TIDY  $<"; mkdir -p $(@D)
	$(Q)$(call tidy,--checks=-clang-analyzer-*)
	$(Q)touch $@

$(B)/tidy-deep/%.ok: %.c $(B)/%.o .clang-tidy
	@echo "  TIDY  $<"; mkdir -p $(@D)
	$(Q)$(call tidy,)
	$(Q)touch $@

docs: all ## make the generated documents anew
	@$(B)/bin/apid --config-markdown > docs/configuration.md

format: ## lay out the C files
	@git ls-files '*.c' '*.h' | xargs clang-format -i

compile_commands.json: FORCE ## for clangd and clang-tidy
	@$(PYTHON) test/lint/compile_commands.py '$(CC) $(CPPFLAGS) $(CFLAGS)' > $@

install: all ## programs, migrations, units, documents below $(DESTDIR)$(PREFIX)
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' BUILD_DIR='$(B)/bin' deploy/systemd/install.sh

clean: ## remove what was built
	rm -rf build compile_commands.json

help: ## this list
	@awk -F ':.*## ' '/^[a-zA-Z_. %-]+:.*## /{printf "  %-22s %s\n",$$1,$$2}' Makefile

# Only this object knows the version, so that a commit does not rebuild the rest.
$(B)/common/base/version.o: private CPPFLAGS += -DCTI_VERSION='"$(VERSION)"'
$(B)/common/base/version.o: $(B)/.version
$(B)/.version: FORCE
	@mkdir -p $(@D)
	@echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' > $@

-include $(shell find $(B) -name '*.d' 2>/dev/null)
