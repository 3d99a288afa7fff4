//! `files` narrows what a cubicle's calls with paths reach, whatever leads there:
//! the library may read in `readable` and write in `writable`, and tries to reach
//! `outside/secret`, or to change what it may only read.
//@ run: use
//@ stdout: used
//@ run: try path
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: read secret
//@ run: try absolute
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: read secret
//@ run: try dots
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: read secret
//@ run: try link
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: read secret
//@ run: try link-to-folder
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: read secret
//@ run: try folder
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: read secret
//@ run: try folder-path
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: read secret
//@ run: try parent
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: read secret
//@ run: try chdir
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: read secret
//@ run: try fchdir
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: read secret
//@ run: try descriptor
//@ stdout: refused ELOOP
//@ without: files
//@ then: stdout: read secret
//@ run: try root-of-process
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: read secret
//@ run: try in-root
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: read secret
//@ run: try beneath
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: read secret
//@ run: try hard-link
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: read secret
//@ run: try rename
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: read secret
//@ run: try rename-folder
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: read secret
//@ run: try exchange
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: read secret
//@ run: try race-link
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: read secret
//@ run: try race-descriptor
//@ stdout: refused EACCES
//@ without: held-descriptors
//@ then: stdout: read secret
//@ run: try list
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: found secret
//@ run: try status
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: it exists
//@ run: try statx
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: it exists
//@ run: try access
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: it exists
//@ run: try readlink
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: it exists
//@ run: try missing
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: refused ENOENT
//@ run: try write
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: changed
//@ run: try truncate
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: changed
//@ run: try truncate-open
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: changed
//@ run: try write-linked
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: changed
//@ run: try link-descriptor
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: changed
//@ run: try remove
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: changed
//@ run: try replace
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: changed
//@ run: try mode
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: changed
//@ run: try mode-of-descriptor
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: changed
//@ run: try times
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: changed
//@ run: try times-of-descriptor
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: changed
//@ run: try create
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: created
//@ run: try create-through-link
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: created
//@ run: try create-unnamed
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: created
//@ run: try folder-outside
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: created
//@ run: try link-outside
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: created
//@ run: try connect
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: connected
//@ run: try connect-through-link
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: connected
//@ run: try sendto
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: sent
//@ run: try sendmsg
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: sent
//@ run: try sendmmsg
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: sent
//@ run: try bind
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: created

#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "check.h"
#include "shared.h"

static void file(const char *name, const char *content)
{
	int file = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	CHECK(file >= 0 && write(file, content, strlen(content)) == (long)strlen(content) && close(file) == 0);
}

static int listening(const char *name, int kind)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	strcpy(address.sun_path, name);
	int listening = socket(AF_UNIX, kind, 0);
	CHECK(listening >= 0 && bind(listening, (struct sockaddr *)&address, sizeof address) == 0);
	CHECK(kind != SOCK_STREAM || listen(listening, 8) == 0);
	return listening;
}

int main(int count, char **arguments)
{
	CHECK(mkdir("readable", 0755) == 0 && mkdir("writable", 0755) == 0 && mkdir("outside", 0755) == 0);
	CHECK(mkdir("readable/folder", 0755) == 0);
	file("readable/file", "readable");
	file("outside/secret", "secret");
	CHECK(symlink("secret", "outside/link") == 0);
	CHECK(listening("outside/stream", SOCK_STREAM) >= 0 && listening("outside/datagram", SOCK_DGRAM) >= 0);
	CHECK(listening("writable/stream", SOCK_STREAM) >= 0 && listening("writable/datagram", SOCK_DGRAM) >= 0);
	struct open descriptors = { open("outside", O_RDONLY), open("outside", O_PATH), open("outside/secret", O_PATH) };
	CHECK(descriptors.folder >= 0 && descriptors.folder_path >= 0 && descriptors.secret_path >= 0);
	fflush(stdout);
	if (count > 2)
		return lib_try(arguments[2], descriptors);
	return lib_use();
}
