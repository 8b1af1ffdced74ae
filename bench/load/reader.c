/*
 * reader: reads all that comes in on a Unix socket and forgets it. What it costs is the part of a consumer's cost that
 * the kernel takes: every write of a sender is a buffer of its own, to be copied from and freed.
 *
 * Usage: reader SOCKET PAUSE_US. Prints a line when it listens. After each round over the sockets that have something to
 * read it sleeps for the pause, so that one read takes the bytes of many writes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char buffer[1 << 16];

static void die(const char *what)
{
	fprintf(stderr, "reader: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void watch(int poller, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
	if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0)
		die("epoll");
}

static int listen_on(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		die(path);
	}
	strcpy(address.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 512) != 0)
		die(path);
	return fd;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("usage: reader SOCKET PAUSE_US\n", stderr);
		return 2;
	}
	useconds_t pause = (useconds_t)strtoul(argv[2], NULL, 10);
	int listener = listen_on(argv[1]);
	int poller = epoll_create1(EPOLL_CLOEXEC);
	if (poller < 0)
		die("epoll");
	watch(poller, listener);
	puts("ready");
	fflush(stdout);
	for (;;) {
		struct epoll_event events[64];
		int count = epoll_wait(poller, events, 64, -1);
		if (count < 0 && errno != EINTR)
			die("epoll");
		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;
			if (fd == listener) {
				int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
				if (client >= 0)
					watch(poller, client);
			} else if (read(fd, buffer, sizeof buffer) == 0) {
				close(fd);
			}
		}
		if (pause > 0)
			usleep(pause);
	}
}
