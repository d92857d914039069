// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * sgpu-fuzz run SECONDS SEED CURRENT CORPUS [INPUTS]
 *	Make inputs from those that reached something new, starting with the
 *	file INPUTS. CURRENT is the last input, should the kernel go down with
 *	it, and CORPUS gets all that were worth keeping.
 *
 * KCOV tells which code an input reaches. Without KCOV, inputs are only random.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define MAX_CALLS	48
#define MAX_INPUTS	4096
#define COVER_WORDS	(64 << 10)
#define EDGE_BITS	20

#define KCOV_INIT_TRACE	_IOR('c', 1, unsigned long)
#define KCOV_ENABLE	_IO('c', 100)
#define KCOV_TRACE_PC	0

struct input {
	unsigned int num;
	struct call calls[MAX_CALLS];
	unsigned int reached;	/* that no input before it did */
};

static struct input corpus[MAX_INPUTS];
static unsigned int num_inputs = 1;	/* the first one is empty */

static unsigned long *cover;	/* first the number of entries, then these */
static uint8_t edges[1 << EDGE_BITS];
static unsigned long num_edges, num_done, num_calls_done, num_wrong;

static uint64_t chance;

static unsigned int any(unsigned int n)
{
	return random_next(&chance) % n;
}

static void cover_open(void)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, KCOV_INIT_TRACE, COVER_WORDS))
		return;
	cover = mmap(NULL, COVER_WORDS * sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (cover == MAP_FAILED || ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC))
		cover = NULL;
}

/* How many pairs of places, one after the other, did no input reach before? */
static unsigned int cover_new(void)
{
	unsigned long n, i, from = 0, edge;
	unsigned int found = 0;

	if (!cover)
		return 0;
	n = __atomic_load_n(&cover[0], __ATOMIC_RELAXED);
	for (i = 1; i <= n && i < COVER_WORDS; i++) {
		edge = ((from >> 1 ^ cover[i]) * 0x9e3779b97f4a7c15ULL) >> (64 - EDGE_BITS);
		from = cover[i];
		found += !edges[edge];
		edges[edge] = 1;
	}
	num_edges += found;
	return found;
}

static void cover_reset(void)
{
	if (cover)
		__atomic_store_n(&cover[0], 0, __ATOMIC_RELAXED);
}

static void print_input(FILE *file, const struct input *input)
{
	unsigned int i;

	for (i = 0; i < input->num; i++)
		fprintf(file, "%s %u %08x\n", call_name(input->calls[i].kind),
			input->calls[i].mood, input->calls[i].seed);
	fputc('\n', file);
}

/* Before it runs: the kernel may not come back from it. */
static void note_current(const char *path, const struct input *input)
{
	FILE *file = path ? fopen(path, "we") : NULL;

	if (!file)
		return;
	print_input(file, input);
	fclose(file);
}

static void run(const struct input *input)
{
	const char *wrong;
	unsigned int i;

	if (!calls_begin())
		fputs("# no device\n", stdout);
	cover_reset();
	for (i = 0; i < input->num; i++) {
		wrong = call_do(&input->calls[i]);
		num_calls_done++;
		if (!wrong)
			continue;
		num_wrong++;
		printf("# call %u, %s: %s\n", i + 1, call_name(input->calls[i].kind), wrong);
		print_input(stdout, input);
	}
	calls_end();
	num_done++;
}

/* To lose a device, or memory, takes as long as hundreds of other calls. */
static bool is_slow(struct call call)
{
	const char *name = call_name(call.kind);

	return !strcmp(name, "unplug") || !strcmp(name, "shrink");
}

static struct call new_call(void)
{
	static const uint8_t moods[] = { 0, 10, 60, 160 };
	struct call call = {
		.mood = moods[any(4)],
		.seed = random_next(&chance),
	};

	do {
		call.kind = any(num_calls);
	} while (is_slow(call) && any(20));
	return call;
}

static void insert_call(struct input *input, unsigned int at, struct call call)
{
	if (input->num == MAX_CALLS)
		return;
	memmove(&input->calls[at + 1], &input->calls[at],
		(input->num - at) * sizeof(input->calls[0]));
	input->calls[at] = call;
	input->num++;
}

static void remove_call(struct input *input, unsigned int at)
{
	input->num--;
	memmove(&input->calls[at], &input->calls[at + 1],
		(input->num - at) * sizeof(input->calls[0]));
}

/* Replaces the end of this input with the calls of another input. */
static void cross(struct input *input, const struct input *other)
{
	unsigned int at = any(input->num + 1), from;

	if (!other->num)
		return;
	from = any(other->num);
	for (input->num = at; from < other->num && input->num < MAX_CALLS; from++)
		input->calls[input->num++] = other->calls[from];
}

static void change(struct input *input)
{
	unsigned int at = input->num ? any(input->num) : 0;

	switch (input->num ? any(8) : 0) {
	case 0 ... 2:
		insert_call(input, any(input->num + 1), new_call());
		break;
	case 3:
		remove_call(input, at);
		break;
	case 4:
		input->calls[at].seed = random_next(&chance);
		break;
	case 5:
		input->calls[at].mood = any(2) * any(256);
		break;
	case 6:
		insert_call(input, any(input->num + 1), input->calls[at]);
		break;
	case 7:
		cross(input, &corpus[any(num_inputs)]);
		break;
	}
}

static struct input next_input(void)
{
	struct input input = {};
	unsigned int n;

	/* The newest have been changed least. */
	if (any(20))
		input = corpus[any(2) ? any(num_inputs) : num_inputs - 1 - any(num_inputs / 4 + 1)];
	for (n = input.num ? 1 + any(6) : MAX_CALLS / 2; n; n--)
		change(&input);
	return input;
}

static void keep(struct input *input, unsigned int reached)
{
	if (!reached || num_inputs == MAX_INPUTS)
		return;
	input->reached = reached;
	corpus[num_inputs++] = *input;
}

static bool parse_call(char *line, struct call *call)
{
	unsigned int mood, kind;
	char name[64];

	if (sscanf(line, "%63s %u %x", name, &mood, &call->seed) != 3 || mood > 255)
		return false;
	call->mood = mood;
	for (kind = 0; kind < num_calls; kind++) {
		if (strcmp(call_name(kind), name))
			continue;
		call->kind = kind;
		return true;
	}
	return false;
}

/* Call @fn for each input of a file. */
static int read_inputs(const char *path, void (*fn)(struct input *input))
{
	FILE *file = fopen(path, "re");
	struct input input = {};
	unsigned int number = 0;
	char line[128];
	int ret = 0;

	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	while (!ret && fgets(line, sizeof(line), file)) {
		number++;
		if (*line == '#')
			continue;
		if (*line != '\n') {
			if (input.num < MAX_CALLS && parse_call(line, &input.calls[input.num])) {
				input.num++;
				continue;
			}
			fprintf(stderr, "%s:%u: not a call, or one too many\n", path, number);
			ret = 1;
		}
		if (input.num)
			fn(&input);
		input.num = 0;
	}
	if (input.num)
		fn(&input);
	fclose(file);
	return ret;
}

static void run_and_keep(struct input *input)
{
	run(input);
	keep(input, cover_new());
}

static void summary(void)
{
	printf("%lu inputs, %lu calls, %lu edges, %u inputs kept, %lu wrong\n",
	       num_done, num_calls_done, num_edges, num_inputs - 1, num_wrong);
}

static void write_corpus(const char *path)
{
	FILE *file = fopen(path, "we");
	unsigned int i;

	if (!file)
		return;
	for (i = 1; i < num_inputs; i++) {
		fprintf(file, "# %u\n", corpus[i].reached);
		print_input(file, &corpus[i]);
	}
	fclose(file);
}

static int fuzz(unsigned int seconds, const char *current)
{
	time_t end = time(NULL) + seconds, report = time(NULL) + 30;
	struct input input;

	while (time(NULL) < end) {
		input = next_input();
		note_current(current, &input);
		run_and_keep(&input);
		if (time(NULL) >= report) {
			report += 30;
			summary();
		}
	}
	return 0;
}

static void nothing(int signal)
{
	(void)signal;
}

/* A call that waits longer than this gets a signal. */
static void interrupt_often(void)
{
	static const struct itimerval often = { { 0, 100000 }, { 0, 100000 } };
	static const struct sigaction action = { .sa_handler = nothing };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

int main(int argc, char **argv)
{
	int ret = 2;

	setvbuf(stdout, NULL, _IOLBF, 0);
	interrupt_often();
	cover_open();
	if (argc >= 6 && !strcmp(argv[1], "run")) {
		chance = strtoull(argv[3], NULL, 0);
		if (!cover)
			puts("# no KCOV: inputs are only random");
		ret = argc > 6 ? read_inputs(argv[6], run_and_keep) : 0;
		ret = ret ?: fuzz(atoi(argv[2]), argv[4]);
		write_corpus(argv[5]);
	}
	summary();
	return ret ?: num_wrong || !num_calls_done;
}
