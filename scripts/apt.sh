# SPDX-License-Identifier: GPL-2.0-only OR MIT
# shellcheck shell=bash
#
# Sourced after env.sh: fetch packages of newer Debian suites, with an apt that has its own
# state. Only the mirror comes from the machine's apt.
#
#   APT_ARCH    architecture of the packages; the machine's own unless set
#   APT_SUITES  suites whose lists are read; trixie-backports and sid unless set

APT_DIR=$DRM_SAFE_CACHE/apt${APT_ARCH:+-$APT_ARCH}${APT_SUITES:+-suites}
APT_SUITES=${APT_SUITES:-trixie-backports sid}

# debian_mirror: print the address from which this machine gets Debian.
debian_mirror() {
	local suites='oldoldstable|oldstable|stable|testing|unstable|sid' codename=

	command -v apt-get >/dev/null || return
	# shellcheck disable=SC1091
	codename=$(. /etc/os-release && [ "$ID" = debian ] && echo "${VERSION_CODENAME:-sid}") ||
		return 1
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		grep -E "^https?://[^ ]+ ($codename|$suites) main\$" | head -n1 | cut -d' ' -f1
}

# mirror_options: print apt's options for the mirror, such as proxies, for the apt of another root.
mirror_options() {
	apt-config dump | grep -E '^Acquire::(Check|https?|ForceIPv)'
}

# own_apt TOOL ARG...: run apt-get or apt-cache with our own lists and cache.
own_apt() {
	local tool=$1

	shift
	"$tool" -c "$APT_DIR/apt.conf" "$@"
}

# update_apt: set up our own apt and fetch the lists.
update_apt() {
	local mirror keyring arch

	mirror=$(debian_mirror || true)
	[ -n "$mirror" ] ||
		die "no Debian mirror in this machine's apt configuration: give a kernel source with KSRC=<dir>"
	need_packages debian-archive-keyring ca-certificates
	keyring=/usr/share/keyrings/debian-archive-keyring
	for keyring in $keyring.pgp $keyring.gpg; do [ -e "$keyring" ] && break; done
	arch=${APT_ARCH:-$(dpkg --print-architecture)}

	mkdir -p "$APT_DIR"/{lists,cache,deb,etc}
	: >"$APT_DIR/status"
	# shellcheck disable=SC2086
	printf "deb [arch=$arch signed-by=$keyring] $mirror %s main\n" $APT_SUITES \
		>"$APT_DIR/sources.list"
	cat >"$APT_DIR/apt.conf" <<-END
		#clear APT::Update;
		#clear DPkg;
		Dir::State "$APT_DIR";
		Dir::State::lists "$APT_DIR/lists";
		Dir::State::status "$APT_DIR/status";
		Dir::Cache "$APT_DIR/cache";
		Dir::Etc::sourcelist "$APT_DIR/sources.list";
		Dir::Etc::sourceparts "$APT_DIR/etc";
		Dir::Etc::preferences "$APT_DIR/etc/none";
		Dir::Etc::preferencesparts "$APT_DIR/etc";
		APT::Architecture "$arch";
		APT::Sandbox::User "$(id -un)";
		Acquire::Languages "none";
		Acquire::PDiffs "false";
		Acquire::Retries "3";
	END
	step "reading the package lists of ${APT_SUITES// /, }" own_apt apt-get -qq update ||
		say "not all lists could be read, going on with the others"
}

# newest_version PACKAGE: print the newest version in trixie-backports and sid.
newest_version() {
	own_apt apt-cache madison "$1" | awk '{ print $3 }' | sort -V | tail -n1
}

# fetch_deb PACKAGE VERSION: download and verify a package, and set DEB to its file.
fetch_deb() {
	(cd "$APT_DIR/deb" && own_apt apt-get download "$1=$2")
	# shellcheck disable=SC2034
	DEB=$(echo "$APT_DIR/deb/$1_${2//:/%3a}_"*.deb)
}

# fetch_linux PACKAGE VERSION: provide the verified kernel source of a linux-source package in
# $DRM_SAFE_CACHE/linux-VERSION. It has another name until it is complete.
fetch_linux() {
	local dir=$DRM_SAFE_CACHE/linux-${2%%-*} tmp=$DRM_SAFE_CACHE/unpacking

	[ ! -e "$dir" ] || return 0
	step "fetching $1 $2" fetch_deb "$1" "$2" || return
	rm -rf "$tmp"
	mkdir "$tmp"
	step "unpacking it to $dir" unpack_linux "$DEB" "$1" "$tmp" || return
	mv "$tmp" "$dir"
	rm "$DEB"
}

unpack_linux() {
	dpkg-deb --fsys-tarfile "$1" | tar -xO "./usr/src/$2.tar.xz" |
		tar -xJ --strip-components=1 -C "$3"
}

# unpack_package PACKAGE VERSION DIR: fetch a package, and unpack it to DIR.
unpack_package() {
	fetch_deb "$1" "$2" && dpkg-deb -x "$DEB" "$3" && rm "$DEB"
}

# unpack_tool NAME PACKAGE...: provide the program NAME from the newest of these packages, with
# the libraries from the others, as $DRM_SAFE_CACHE/NAME/bin/NAME. Nothing is installed.
unpack_tool() {
	local name=$1 dir=$DRM_SAFE_CACHE/$1.new pkg

	shift
	rm -rf "$dir" "$DRM_SAFE_CACHE/${name:?}"
	mkdir -p "$dir/bin"
	update_apt
	for pkg; do
		unpack_package "$pkg" "$(newest_version "$pkg")" "$dir"
	done
	cat >"$dir/bin/$name" <<-'END'
		#!/bin/sh
		root=$(dirname "$(dirname "$(realpath "$0")")")
		for loader in "$root"/lib*/ld-linux* "$root"/usr/lib*/ld-linux*; do
			[ ! -e "$loader" ] || break
		done
		exec "$loader" --library-path "$(echo "$root"/usr/lib/*-linux-gnu):$root/usr/lib" \
			"$root/usr/bin/$(basename "$0")" "$@"
	END
	chmod +x "$dir/bin/$name"
	mv "$dir" "$DRM_SAFE_CACHE/$name"
}

# unpack_with_depends DIR PACKAGE...: unpack the newest versions of the packages, and all
# dependencies.
unpack_with_depends() {
	local dir=$1 debs=$1.debs names

	shift
	names=$(own_apt apt-get -s --no-install-recommends install "$@" |
		sed -n 's/^Inst \([^ ]*\) .*/\1/p')
	rm -rf "$debs"
	mkdir -p "$debs"
	# shellcheck disable=SC2086
	(cd "$debs" && own_apt apt-get -qq download ${names:-"$@"}) || return
	for DEB in "$debs"/*.deb; do
		dpkg-deb -x "$DEB" "$dir" || return
	done
	rm -r "$debs"
}
