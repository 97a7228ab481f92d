#!/bin/sh
# Installs the Debian packages that a task needs: deps.sh build|run|test|long|fuzz.
#
# Only dpkg is asked what is missing, so this costs next to nothing when all is there.
# What is missing is named, then installed in one step, as root or through sudo.
#
# Lists of packages are split at blanks on purpose: package names have none.
# shellcheck disable=SC2046,SC2086
set -eu

build_packages='gcc libc6-dev make pkg-config libcivetweb-dev libpq-dev libcjson-dev libsodium-dev
	libcurl4-openssl-dev libjwt-dev python3 python3-yaml'
run_packages="$build_packages postgresql sqitch libdbd-pg-perl ca-certificates curl"
test_packages="$run_packages libcmocka-dev clang-format clang-tidy cppcheck shellcheck
	python3-pytest python3-psycopg python3-pytest-timeout python3-pytest-xdist python3-jsonschema python3-requests
	faketime pgbouncer chromium chromium-driver python3-selenium nginx-light node-ws openssl jq"
long_packages="buildah debootstrap"
fuzz_packages="$test_packages clang libclang-rt-dev"

cluster_conf=/etc/postgresql-common/createcluster.conf

fail() {
	echo "deps: $*" >&2
	exit 1
}

packages_of() {
	case ${1-} in
	build) echo "$build_packages" ;;
	run) echo "$run_packages" ;;
	fuzz) echo "$fuzz_packages" ;;
	long)
		packages_of test
		echo "$long_packages"
		;;
	test)
		echo "$test_packages"
		# Any of these will do, also one that does not come from Debian.
		command -v node >/dev/null || echo nodejs
		command -v npm >/dev/null || echo npm
		command -v kubectl >/dev/null || echo kubernetes-client
		command -v systemd-analyze >/dev/null || echo systemd
		command -v promtool >/dev/null || echo prometheus
		;;
	*) fail 'usage: deps.sh build|run|test|long|fuzz' ;;
	esac
}

# Prints those of its arguments that are not installed, one a line.
missing_of() {
	installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null |
		sed -n 's/ installed$//p') || true
	for package in "$@"; do
		case "
$installed
" in
		*"
$package
"*) ;;
		*) echo "$package" ;;
		esac
	done
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

apt_get() {
	# Existing configuration files stay as they are, and nobody is asked about them.
	as_root env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 \
		apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-confold "$@"
}

# Debian starts a server on port 5432 when PostgreSQL is installed for the first time. The
# project runs a server of its own, so say beforehand that no such server is wanted,
# unless the file already decides it.
forbid_debian_cluster() {
	ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 && return 0
	grep -qs '^ *create_main_cluster' "$cluster_conf" && return 0
	echo "deps: setting create_main_cluster = false in $cluster_conf"
	as_root mkdir -p "${cluster_conf%/*}"
	# A file that ends without a newline would swallow the setting, hence the empty line.
	printf '\n%s\n%s\n' \
		'# No server starts by itself when PostgreSQL is installed.' \
		'create_main_cluster = false' | as_root tee -a "$cluster_conf" >/dev/null
}

# Whether apt could install these: a fresh container image often has no package lists.
lists_are_there() {
	apt-get -qq -s --no-install-recommends install "$@" >/dev/null 2>&1
}

install_packages() {
	lists_are_there "$@" || apt_get update || return 1
	apt_get install "$@" && return 0
	echo 'deps: that failed; trying once more with fresh package lists' >&2
	apt_get update && apt_get install "$@"
}

command -v dpkg-query >/dev/null ||
	fail "this is no Debian; please install the likes of:" $(packages_of "$@")

wanted=$(packages_of "$@")
missing=$(missing_of $wanted)
[ -n "$missing" ] || exit 0
set -- $missing

echo "deps: missing: $*"
if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
	fail "neither root nor sudo; please have these installed: $*"
fi
case " $* " in
*' postgresql '*) forbid_debian_cluster || fail "cannot write $cluster_conf" ;;
esac
install_packages "$@" || fail "apt-get could not install these; please install them: $*"
