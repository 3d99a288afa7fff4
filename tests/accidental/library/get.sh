# Debian's libnettle.a, without being root: from the machine, from the cache, or from the distribution's package.
set -eu
if [ -e /usr/lib/x86_64-linux-gnu/libnettle.a ]; then
	cp /usr/lib/x86_64-linux-gnu/libnettle.a "$1"
	exit
fi
here=$PWD
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cargo-cubicle/nettle
file=usr/lib/x86_64-linux-gnu/libnettle.a
if [ ! -e "$cache/$file" ]; then
	mkdir -p "$cache"
	work=$(mktemp -d "$cache/.unpack-XXXXXX")
	trap 'rm -rf "$work"' EXIT
	cd "$work"
	apt-get -o APT::Sandbox::User=root download nettle-dev >&2
	dpkg-deb -x nettle-dev_*.deb tree
	mkdir -p "$cache/${file%/*}"
	mv "tree/$file" "$cache/$file"
fi
cp "$cache/$file" "$here/$1"
