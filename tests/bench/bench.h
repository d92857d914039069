/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The raw helpers, used as careful drivers use them, against this library doing
 * the same work. Both sides of a pair run in turn, so that what else the
 * machine does falls on both. Where there are two processors, both do the work at
 * the same time, each with objects of its own.
 */
#ifndef _DRM_SAFE_BENCH_H
#define _DRM_SAFE_BENCH_H

#include <linux/compiler.h>
#include <linux/types.h>

#include <kunit/test.h>

/**
 * typedef bench_fn - one side of a pair
 * @ctx: what bench_compare() was given for this processor
 * @loops: how often to do the work
 *
 * Return: the time that it took, in nanoseconds of bench_clock().
 */
typedef u64 bench_fn(void *ctx, unsigned int loops);

/**
 * struct bench_pair - two ways to do the same
 * @name: of the work
 * @raw: with the kernel's own helpers
 * @safe: with this library
 * @loops: how often in each round
 */
struct bench_pair {
	const char *name;
	bench_fn *raw;
	bench_fn *safe;
	unsigned int loops;
};

/* At most so many processors do the work, each with a context of its own */
#define BENCH_CPUS	4

/* An array of the contexts in @_array, one for each processor */
#define BENCH_EACH(_array)							\
	{ &(_array)[0], &(_array)[1], &(_array)[2], &(_array)[3] }

/* The same, if all processors share one */
#define BENCH_ONE(_ctx)		{ (_ctx), (_ctx), (_ctx), (_ctx) }

u64 bench_clock(void);
u64 bench_start(void);
u64 bench_stop(u64 start);
unsigned int bench_cpus(void);
bool bench_wants(unsigned int n);
void bench_compare(struct kunit *test, const struct bench_pair *pair, unsigned int n,
		   void *const *ctx);
void bench_third(struct kunit *test, const char *name, bench_fn *fn, unsigned int loops,
		 unsigned int n, void *ctx);

/*
 * For one side of a pair, as if it were in another file: the compiler knows nothing of the
 * arguments, such as that a size is constant, which would leave out a check.
 */
#if __has_attribute(__noipa__)
#define bench_alone	noinline __attribute__((__noipa__))
#else
#define bench_alone	noinline
#endif

/*
 * The end of a repetition. scripts/lines.sh looks for the symbol, and turns it on. For gcc, the
 * symbol has the length of an instruction, so the code of a loop can differ by a jump.
 */
#ifdef CONFIG_DRM_SAFE_BENCH_MARKS
#define bench_repeats()	asm_inline volatile("bench_repeats_%=:" ::: "memory")
#else
#define bench_repeats()	barrier()
#endif

/* Time a statement; the compiler cannot merge its repetitions. */
#define BENCH_LOOP(_loops, _statement) ({				\
	u64 __start = bench_start();					\
									\
	for (unsigned int __i = 0; __i < (_loops); __i++) {		\
		_statement;						\
		bench_repeats();					\
	}								\
	bench_stop(__start);						\
})

extern struct kunit_suite bench_ctx_suite;
extern struct kunit_suite bench_shmem_suite;
extern struct kunit_suite bench_find_suite;
extern struct kunit_suite bench_gpuvm_suite;

#endif /* _DRM_SAFE_BENCH_H */
