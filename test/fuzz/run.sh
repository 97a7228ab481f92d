#!/bin/sh
# One fuzz target for so many seconds: run.sh NAME SECONDS, after `make BUILD=fuzz fuzzers`.
#
# It starts from the kept inputs and writes new ones to build/fuzz/corpus/NAME, where the next run
# finds them again. An input that crashes stands in build/fuzz as NAME-crash-….
set -eu

cd "$(dirname "$0")/../.."
name=$1 seconds=$2
found=build/fuzz/corpus/$name
mkdir -p "$found"

exec "build/fuzz/fuzz/$name" -max_total_time="$seconds" -max_len=4096 -timeout=10 \
	-print_final_stats=1 -verbosity=1 -artifact_prefix="build/fuzz/$name-" \
	-dict=test/fuzz/json.dict "$found" "test/fuzz/corpus/${name#fuzz_}"
