/*
 * load: sends metric messages to a proxy's Unix socket, as fast as the proxy reads them, from one thread.
 *
 * Design. Everything that is sent is made before the clock starts: the job description of each connection, the
 * descriptions of all counters, and one round (one value of every counter). A connection then sends its description,
 * the counters' descriptions, and the round again and again; which part it is in, and how far, is all its state, so
 * that a partial write or a full socket is nothing special. Sockets are non-blocking; poll waits when all are full. Not
 * epoll: it would stay registered, and the kernel would then call it for every buffer that the reader frees, on the
 * reader's account; a real client's blocking write does not do that either. The run is over when the kernel holds no
 * unread byte on any socket (SIOCOUTQ).
 *
 * Two ways of sending: "batched" writes 64 KiB at a time; "tokenised" writes as the Rust client does, whose JSON
 * serialiser stands directly on the socket: every bracket, quote, comma and colon, every stretch of text between
 * quotes or escapes, every number, and the final NUL, is a write of its own.
 *
 * The value of counter m is 1 + m % 5 in every round, so the sum expected is rounds * connections * (1 + m % 5).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CHUNK ((size_t)64 * 1024)
/* Chunks (batched) or messages (tokenised) that one connection may send before it is the turn of the next. */
#define BURST_CHUNKS 4
#define BURST_MESSAGES 1

struct options {
	const char *socket;
	const char *job;
	unsigned connections;
	unsigned counters;
	unsigned rounds;
	bool tokenised;
	bool gauges;
	bool job_each;
	bool hold;
};

/* Bytes to send, and (tokenised only) where each write ends. Owned by whoever made it; never freed before exit. */
struct text {
	char *bytes;
	size_t length;
	size_t capacity;
	size_t *ends;
	size_t count;
};

enum part { PART_JOB, PART_DESCS, PART_VALUES, PART_DONE };

struct connection {
	int fd;
	enum part part;
	size_t at;     /* offset in the part's text; in PART_VALUES in one round */
	size_t token;  /* index of the write that `at` lies in (tokenised only) */
	unsigned round;
	bool ready;
	struct text job;
};

static struct options opt = {.job = "bench", .connections = 1, .counters = 10, .rounds = 1000};
static struct text descs;
static struct text values;
/* Length of one round. `values.bytes` holds copies of it, so that CHUNK bytes can be written from any place in it. */
static size_t round_length;
static uint64_t sent_bytes;
static uint64_t sent_writes;

static void die(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("load: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static void *allocate(void *old, size_t size)
{
	void *memory = realloc(old, size);
	if (memory == NULL)
		die("out of memory");
	return memory;
}

static double now_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t wall_microseconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static double cpu_seconds(void)
{
	struct rusage use;
	getrusage(RUSAGE_SELF, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static void append(struct text *text, const char *bytes, size_t length)
{
	if (text->length + length > text->capacity) {
		text->capacity = (text->length + length) * 2;
		text->bytes = allocate(text->bytes, text->capacity);
	}
	memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
}

/* Appends a message and its NUL. */
static void append_message(struct text *text, const char *format, ...)
{
	char message[1024];
	va_list args;
	va_start(args, format);
	int length = vsnprintf(message, sizeof message, format, args);
	va_end(args);
	if (length < 0 || (size_t)length >= sizeof message)
		die("a message is too long");
	append(text, message, (size_t)length + 1);
}

static void end_token(struct text *text, size_t end)
{
	if ((text->count & (text->count - 1)) == 0)
		text->ends = allocate(text->ends, (text->count == 0 ? 64 : text->count * 2) * sizeof *text->ends);
	text->ends[text->count++] = end;
}

/* Inside a string: the writes end before and behind every escape, and before the closing quote. Returns its place. */
static size_t tokenise_string(struct text *text, size_t at)
{
	size_t start = at;
	while (text->bytes[at] != '"') {
		if (text->bytes[at] != '\\') {
			at++;
			continue;
		}
		if (at > start)
			end_token(text, at);
		at += 2;
		end_token(text, at);
		start = at;
	}
	if (at > start)
		end_token(text, at);
	return at;
}

/* Finds where the Rust client's serialiser would end each write. The text is our own, so it is well formed. */
static void tokenise(struct text *text)
{
	size_t at = 0;
	while (at < text->length) {
		char c = text->bytes[at];
		if (c == '"') {
			end_token(text, at + 1);
			at = tokenise_string(text, at + 1) + 1;
		} else if (c == '\0' || strchr("{}[],:", c) != NULL) {
			at++;
		} else {
			while (strchr(",}]", text->bytes[at]) == NULL)
				at++;
		}
		end_token(text, at);
	}
}

static void make_descriptions(void)
{
	for (unsigned m = 0; m < opt.counters; m++)
		append_message(&descs, "{\"Desc\":{\"name\":\"bench_counter_%04u\",\"doc\":\"sent by the load generator\",\"ctype\":%s}}",
			       m, opt.gauges ? "{\"Gauge\":{\"min\":0.0,\"max\":0.0,\"hits\":0.0,\"total\":0.0}}"
					     : "{\"Counter\":{\"ts\":0,\"value\":0.0}}");
	if (opt.tokenised)
		tokenise(&descs);
}

static void make_values(void)
{
	uint64_t ts = wall_microseconds();
	for (unsigned m = 0; m < opt.counters; m++) {
		unsigned value = 1 + m % 5;
		if (opt.gauges)
			append_message(&values, "{\"Value\":{\"name\":\"bench_counter_%04u\",\"value\":{\"Gauge\":{\"min\":%u.0,\"max\":%u.0,\"hits\":1.0,\"total\":%u.0}}}}",
				       m, value, value, value);
		else
			append_message(&values, "{\"Value\":{\"name\":\"bench_counter_%04u\",\"value\":{\"Counter\":{\"ts\":%" PRIu64 ",\"value\":%u.0}}}}",
				       m, ts + m, value);
	}
	round_length = values.length;
	if (opt.tokenised) {
		tokenise(&values);
		return;
	}
	char *once = allocate(NULL, round_length);
	memcpy(once, values.bytes, round_length);
	while (values.length < round_length + CHUNK)
		append(&values, once, round_length);
	free(once);
}

static void make_job(struct connection *c, unsigned index)
{
	char id[128];
	if (opt.job_each)
		snprintf(id, sizeof id, "%s-%u", opt.job, index);
	else
		snprintf(id, sizeof id, "%s", opt.job);
	append_message(&c->job, "{\"JobDesc\":{\"jobid\":\"%s\",\"command\":\"bench/load\",\"size\":%u,\"nodelist\":\"\",\"partition\":\"\",\"cluster\":\"\",\"run_dir\":\"/tmp\",\"start_time\":%" PRIu64 ",\"end_time\":0}}",
		       id, opt.job_each ? 1 : opt.connections, wall_microseconds() / 1000);
	if (opt.tokenised)
		tokenise(&c->job);
}

static void connect_to(struct connection *c)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(opt.socket) >= sizeof address.sun_path)
		die("the socket's path is too long");
	strcpy(address.sun_path, opt.socket);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		die("socket: %s", strerror(errno));
	/* Blocking here, so that a full backlog is waited for. */
	while (connect(c->fd, (struct sockaddr *)&address, sizeof address) != 0)
		if (errno != EINTR)
			die("connect %s: %s", opt.socket, strerror(errno));
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) != 0)
		die("fcntl: %s", strerror(errno));
	c->ready = true;
}

static const struct text *text_of(const struct connection *c)
{
	return c->part == PART_JOB ? &c->job : c->part == PART_DESCS ? &descs : &values;
}

static size_t part_length(const struct connection *c)
{
	return c->part == PART_VALUES ? round_length : text_of(c)->length;
}

/* How many bytes the next write should have. */
static size_t next_length(const struct connection *c)
{
	if (opt.tokenised)
		return text_of(c)->ends[c->token] - c->at;
	size_t rest = part_length(c) - c->at;
	if (c->part == PART_VALUES)
		rest += (size_t)(opt.rounds - c->round - 1) * round_length;
	return rest < CHUNK ? rest : CHUNK;
}

static void enter(struct connection *c, enum part part)
{
	c->part = part == PART_VALUES && opt.rounds == 0 ? PART_DONE : part;
	c->at = 0;
	c->token = 0;
}

/* Takes note of `length` bytes written, which with batches may end some rounds later. */
static void advance(struct connection *c, size_t length)
{
	sent_bytes += length;
	c->at += length;
	if (opt.tokenised && c->at == text_of(c)->ends[c->token])
		c->token++;
	if (c->part == PART_VALUES) {
		while (c->at >= round_length) {
			c->at -= round_length;
			c->token = 0;
			c->round++;
		}
		if (c->round == opt.rounds)
			enter(c, PART_DONE);
	} else if (c->at == part_length(c)) {
		enter(c, c->part + 1);
	}
}

/* Sends until this connection's turn is over, its socket is full, or all is sent. */
static void burst(struct connection *c)
{
	for (unsigned turns = 0; c->part != PART_DONE && turns < (opt.tokenised ? BURST_MESSAGES : BURST_CHUNKS);) {
		const char *from = text_of(c)->bytes + c->at;
		size_t wanted = next_length(c);
		ssize_t wrote = send(c->fd, from, wanted, MSG_NOSIGNAL);
		sent_writes++;
		if (wrote < 0) {
			if (errno == EINTR)
				continue;
			if (errno != EAGAIN && errno != EWOULDBLOCK)
				die("the proxy closed a connection: %s", strerror(errno));
			c->ready = false;
			return;
		}
		if (!opt.tokenised || from[wrote - 1] == '\0')
			turns++;
		advance(c, (size_t)wrote);
	}
}

/* Waits until at least one full socket has room again. */
static void wait_for_room(struct connection *connections, struct pollfd *polled)
{
	for (unsigned i = 0; i < opt.connections; i++) {
		polled[i].fd = connections[i].part == PART_DONE ? -1 : connections[i].fd;
		polled[i].events = POLLOUT;
	}
	if (poll(polled, opt.connections, -1) < 0 && errno != EINTR)
		die("poll: %s", strerror(errno));
	for (unsigned i = 0; i < opt.connections; i++)
		connections[i].ready = polled[i].fd >= 0 && polled[i].revents != 0;
}

static void send_all(struct connection *connections)
{
	struct pollfd *polled = allocate(NULL, opt.connections * sizeof *polled);
	for (;;) {
		unsigned ready = 0;
		unsigned unfinished = 0;
		for (unsigned i = 0; i < opt.connections; i++) {
			struct connection *c = &connections[i];
			if (c->ready && c->part != PART_DONE)
				burst(c);
			unfinished += c->part != PART_DONE;
			ready += c->ready && c->part != PART_DONE;
		}
		if (unfinished == 0)
			break;
		if (ready == 0)
			wait_for_room(connections, polled);
	}
	free(polled);
}

/* Returns when the proxy has read every byte; a proxy that hung up instead has not. */
static void wait_until_read(const struct connection *connections)
{
	const struct timespec pause = {.tv_nsec = 200000};
	for (unsigned i = 0; i < opt.connections; i++) {
		for (;;) {
			int unread;
			if (ioctl(connections[i].fd, SIOCOUTQ, &unread) != 0)
				die("SIOCOUTQ: %s", strerror(errno));
			if (unread == 0)
				break;
			nanosleep(&pause, NULL);
		}
		char byte;
		if (recv(connections[i].fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0)
			die("the proxy closed a connection before it had read all");
	}
}

static unsigned number(const char *text, unsigned least, unsigned most)
{
	char *end;
	errno = 0;
	unsigned long value = strtoul(text, &end, 10);
	if (errno != 0 || *text < '0' || *text > '9' || *end != '\0' || value < least || value > most)
		die("%s is not a number from %u to %u", text, least, most);
	return (unsigned)value;
}

static bool choice(const char *text, const char *no, const char *yes)
{
	if (strcmp(text, no) != 0 && strcmp(text, yes) != 0)
		die("%s is neither %s nor %s", text, no, yes);
	return strcmp(text, yes) == 0;
}

static void parse_options(int argc, char **argv)
{
	static const struct option names[] = {
		{"connections", required_argument, NULL, 'c'}, {"counters", required_argument, NULL, 'm'},
		{"rounds", required_argument, NULL, 'k'},      {"mode", required_argument, NULL, 'w'},
		{"kind", required_argument, NULL, 't'},	       {"job", required_argument, NULL, 'j'},
		{"job-each", no_argument, NULL, 'J'},	       {"hold", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	for (int name; (name = getopt_long(argc, argv, "", names, NULL)) != -1;) {
		switch (name) {
		case 'c': opt.connections = number(optarg, 1, 65536); break;
		case 'm': opt.counters = number(optarg, 1, 10000); break;
		case 'k': opt.rounds = number(optarg, 0, UINT32_MAX); break;
		case 'w': opt.tokenised = choice(optarg, "batched", "tokenised"); break;
		case 't': opt.gauges = choice(optarg, "counter", "gauge"); break;
		case 'j': opt.job = optarg; break;
		case 'J': opt.job_each = true; break;
		case 'h': opt.hold = true; break;
		default: exit(2);
		}
	}
	if (optind != argc - 1) {
		fputs("usage: load [--connections C] [--counters M] [--rounds K] [--mode batched|tokenised]\n"
		      "            [--kind counter|gauge] [--job ID] [--job-each] [--hold] SOCKET\n", stderr);
		exit(2);
	}
	opt.socket = argv[optind];
	/* It is put into JSON as it is. */
	if (strlen(opt.job) > 100 || opt.job[strcspn(opt.job, "\"\\\n\t")] != '\0')
		die("the job id is too long, or needs escapes");
}

static void allow_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(int argc, char **argv)
{
	parse_options(argc, argv);
	allow_descriptors();
	make_descriptions();
	make_values();
	struct connection *connections = allocate(NULL, opt.connections * sizeof *connections);
	memset(connections, 0, opt.connections * sizeof *connections);
	for (unsigned i = 0; i < opt.connections; i++) {
		make_job(&connections[i], i);
		connect_to(&connections[i]);
	}

	double cpu_before = cpu_seconds();
	double start = now_seconds();
	send_all(connections);
	wait_until_read(connections);
	double seconds = now_seconds() - start;
	double cpu = cpu_seconds() - cpu_before;

	uint64_t messages = (uint64_t)opt.connections * (1 + opt.counters + (uint64_t)opt.counters * opt.rounds);
	printf("{\"messages\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"writes\":%" PRIu64 ",\"seconds\":%.6f,\"cpu_seconds\":%.6f}\n",
	       messages, sent_bytes, sent_writes, seconds, cpu);
	fflush(stdout);
	/* The job ends when its last connection closes; whoever started us may want to look at it first. */
	char ignored[64];
	while (opt.hold && read(STDIN_FILENO, ignored, sizeof ignored) > 0)
		;
	return 0;
}
