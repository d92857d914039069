// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A plugin of QEMU's, for scripts/lines.sh: which lines of a cache the repetitions of a benchmark
 * touch, and which of them several processors touch.
 *
 * The argument "marks" is a file with lines "KIND ADDRESS", in hexadecimal. At a "side", one side
 * of a pair begins. At a "repeats", a repetition ends. At a "stop", the work of this processor
 * ends. The argument "out" is the file for the results, with a line for each side:
 *
 *   REPETITIONS WRITTEN PASSED
 *
 * The repetitions of all processors are added up, without the first of each. WRITTEN counts for
 * each repetition the lines that it writes. PASSED counts for each repetition the lines that it
 * touches, if another processor touches the line, too, in this side, and one of them writes it.
 */

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The used part of QEMU's interface for plugins. Debian has no header of it. */
typedef uint64_t qemu_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

enum { QEMU_NO_REGS = 0 };
enum { QEMU_READ_AND_WRITE = 3 };

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
bool qemu_plugin_mem_is_store(uint32_t info);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_id id,
					   void (*fn)(qemu_id id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*fn)(unsigned int cpu, void *data), int regs,
					    void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
				      void (*fn)(unsigned int cpu, uint32_t info, uint64_t addr,
						 void *data),
				      int regs, int rw, void *data);
void qemu_plugin_register_atexit_cb(qemu_id id, void (*fn)(qemu_id id, void *data), void *data);

#define EXPORT		__attribute__((visibility("default")))

EXPORT int qemu_plugin_version = LINES_PLUGIN_VERSION;

#define CPUS		4
#define LINE_SHIFT	6
#define TABLE_SIZE	0x100000U
#define MARKS_MAX	1024

enum { SIDE, REPEATS, STOP };

static struct mark {
	uint64_t addr;
	int kind;
} marks[MARKS_MAX];
static unsigned int num_marks;

/* A line. Numbers of repetitions begin with 1. */
static struct line {
	uint64_t nr;			/* 0: this entry is free */
	uint32_t last_touch[CPUS], last_write[CPUS];	/* in which repetition */
	uint32_t touches[CPUS], writes[CPUS];		/* in how many */
} table[TABLE_SIZE];
static unsigned int num_lines;

static uint32_t now[CPUS];		/* the repetition that each processor is in, or 0 */
static uint32_t repetitions[CPUS];	/* that have ended */
static bool in_side;
static FILE *out;

static void give_up(const char *why)
{
	fprintf(stderr, "lines: %s\n", why);
	exit(1);
}

static struct line *find_line(uint64_t nr)
{
	unsigned int i = (nr * 0x9e3779b97f4a7c15ULL) >> 44;

	while (table[i].nr && table[i].nr != nr)
		i = (i + 1) % TABLE_SIZE;
	if (!table[i].nr) {
		if (++num_lines > TABLE_SIZE / 2)
			give_up("too many lines");
		table[i].nr = nr;
	}
	return &table[i];
}

static void on_access(unsigned int cpu, uint32_t info, uint64_t addr, void *data)
{
	struct line *line;

	if (cpu >= CPUS || !now[cpu])
		return;
	line = find_line(addr >> LINE_SHIFT);
	if (line->last_touch[cpu] != now[cpu]) {
		line->last_touch[cpu] = now[cpu];
		line->touches[cpu]++;
	}
	if (qemu_plugin_mem_is_store(info) && line->last_write[cpu] != now[cpu]) {
		line->last_write[cpu] = now[cpu];
		line->writes[cpu]++;
	}
}

static void end_side(void)
{
	uint64_t count = 0, written = 0, passed = 0;

	for (int i = 0; i < CPUS; i++)
		count += repetitions[i];
	for (struct line *line = table; line < table + TABLE_SIZE && num_lines; line++) {
		uint64_t touches = 0, writes = 0;
		int users = 0;

		if (!line->nr)
			continue;
		for (int i = 0; i < CPUS; i++) {
			touches += line->touches[i];
			writes += line->writes[i];
			users += line->touches[i] > 0;
		}
		written += writes;
		if (users > 1 && writes)
			passed += touches;
	}
	if (in_side)
		fprintf(out, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", count, written, passed);
	if (num_lines)
		memset(table, 0, sizeof(table));
	num_lines = 0;
	memset(now, 0, sizeof(now));
	memset(repetitions, 0, sizeof(repetitions));
}

static void on_mark(unsigned int cpu, void *data)
{
	const struct mark *mark = data;

	if (cpu >= CPUS)
		give_up("too many processors");
	switch (mark->kind) {
	case SIDE:
		end_side();
		in_side = true;
		break;
	case REPEATS:
		/* At the end of the first, the second begins. */
		repetitions[cpu] += now[cpu] > 0;
		now[cpu] = repetitions[cpu] + 1;
		break;
	case STOP:
		now[cpu] = 0;
		break;
	}
}

static void on_translation(qemu_id id, struct qemu_plugin_tb *tb)
{
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const uint64_t addr = qemu_plugin_insn_vaddr(insn);

		for (unsigned int m = 0; m < num_marks; m++)
			if (marks[m].addr == addr)
				qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark, QEMU_NO_REGS,
								       &marks[m]);
		qemu_plugin_register_vcpu_mem_cb(insn, on_access, QEMU_NO_REGS,
						 QEMU_READ_AND_WRITE, NULL);
	}
}

static void on_exit_of_qemu(qemu_id id, void *data)
{
	end_side();
	if (fclose(out))
		give_up("the results cannot be written");
}

static void read_marks(const char *name)
{
	FILE *file = fopen(name, "r");
	char kind[16];

	if (!file)
		give_up("there are no marks");
	while (num_marks < MARKS_MAX &&
	       fscanf(file, "%15s %" SCNx64, kind, &marks[num_marks].addr) == 2)
		marks[num_marks++].kind = !strcmp(kind, "side") ? SIDE :
					  !strcmp(kind, "stop") ? STOP : REPEATS;
	if (!feof(file))
		give_up("the marks are too many, or not understood");
	fclose(file);
}

EXPORT int qemu_plugin_install(qemu_id id, const void *info, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "marks=", 6))
			read_marks(argv[i] + 6);
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
	}
	if (!out || !num_marks)
		give_up("the arguments are marks= and out=");
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
	return 0;
}
