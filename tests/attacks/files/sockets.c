/* Sockets that have a place among the files. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int result(long answer, const char *otherwise)
{
	if (answer == -1)
		printf("refused %s\n", strerrorname_np(errno));
	else
		puts(otherwise);
	return 0;
}

int try_sockets(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "outside/datagram" };
	struct sockaddr *where = (struct sockaddr *)&address;
	struct iovec piece = { "x", 1 };
	struct msghdr message = { where, sizeof address, &piece, 1, NULL, 0, 0 };
	struct mmsghdr many = { message, 0 };
	int stream = socket(AF_UNIX, SOCK_STREAM, 0), datagram = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (strcmp(name, "connect") == 0) {
		strcpy(address.sun_path, "outside/stream");
		return result(connect(stream, where, sizeof address), "connected");
	}
	if (strcmp(name, "connect-through-link") == 0) {
		strcpy(address.sun_path, "writable/link");
		symlink("../outside/stream", "writable/link");
		return result(connect(stream, where, sizeof address), "connected");
	}
	if (strcmp(name, "sendto") == 0)
		return result(sendto(datagram, "x", 1, 0, where, sizeof address), "sent");
	if (strcmp(name, "sendmsg") == 0)
		return result(sendmsg(datagram, &message, 0), "sent");
	if (strcmp(name, "sendmmsg") == 0)
		return result(sendmmsg(datagram, &many, 1, 0), "sent");
	if (strcmp(name, "bind") == 0) {
		strcpy(address.sun_path, "outside/new");
		return result(bind(stream, where, sizeof address), "created");
	}
	puts("there is no such attack");
	return 1;
}
