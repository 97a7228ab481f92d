#!/bin/sh
# What `make install` does. DESTDIR is put in front of every path, PREFIX is where the programs live.
set -eu

: "${PREFIX:=/usr/local}" "${DESTDIR:=}" "${BUILD_DIR:=build/release/bin}"
cd "$(dirname "$0")/../.."
share=$DESTDIR$PREFIX/share
units=$DESTDIR$PREFIX/lib/systemd/system

install -d "$DESTDIR$PREFIX/bin" "$share/doc/cti-server" "$units/cti-.service.d"
install -m 755 "$BUILD_DIR/ingestd" "$BUILD_DIR/workerd" "$BUILD_DIR/apid" "$DESTDIR$PREFIX/bin"
install -m 644 README.md docs/*.md "$share/doc/cti-server"

install -d "$share/cti-server"
tar -c migrations | tar -x --no-same-owner -C "$share/cti-server"

for unit in deploy/systemd/*.service; do
	sed "s|@PREFIX@|$PREFIX|g" "$unit" >"$units/${unit##*/}"
	chmod 644 "$units/${unit##*/}"
done
install -m 644 deploy/systemd/cti-.service.d/hardening.conf "$units/cti-.service.d"
