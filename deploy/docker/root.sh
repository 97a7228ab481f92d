#!/bin/sh
# root.sh PROGRAM DIRECTORY: makes a root file system that PROGRAM can run on, and nothing else.
set -eu

program=$1 root=$2
mkdir -p "$root/bin" "$root/etc/ssl/certs" "$root/tmp"
cp "$program" "$root/bin/"
strip "$root/bin/${program##*/}"

# The libraries and the loader, as ldd finds them; and what the C library opens by name.
ldd "$program" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p; s/^[[:space:]]*\(\/lib[^ ]*\).*/\1/p' | sort -u |
	while read -r library; do
		mkdir -p "$root${library%/*}"
		cp -L "$library" "$root$library"
	done

cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
echo 'cti:x:65532:65532::/:/' >"$root/etc/passwd"
echo 'cti:x:65532:' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
chmod 1777 "$root/tmp"
