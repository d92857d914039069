// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sort.h>

#include "bench.h"

#if defined(CONFIG_UML) && !defined(MODULE)
#include <os.h>
#endif

#define BENCH_ROUNDS_MAX	101

static unsigned int rounds = 15;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "how often each side of a pair is timed (default: 15, at most 101)");

/* The host's clock is finer than that of a UML kernel. */
u64 bench_clock(void)
{
#if defined(CONFIG_UML) && !defined(MODULE)
	return os_nsecs();
#else
	return ktime_get_ns();
#endif
}

static int bench_cmp(const void *a, const void *b)
{
	const u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Picoseconds per repetition */
static u64 bench_once(bench_fn *fn, void *ctx, unsigned int loops)
{
	return div_u64(fn(ctx, loops) * 1000, loops);
}

/**
 * bench_compare() - time both sides of a pair in turn and print the result
 * @test: the test
 * @pair: what to time
 * @n: of how many objects, for work whose cost may depend on it, or 0
 * @ctx: given to both sides
 *
 * The first round is not counted: it touches memory for the first time.
 */
void bench_compare(struct kunit *test, const struct bench_pair *pair, unsigned int n, void *ctx)
{
	const unsigned int count = clamp(rounds, 1, BENCH_ROUNDS_MAX);
	u64 *raw = kunit_kcalloc(test, 2 * BENCH_ROUNDS_MAX, sizeof(*raw), GFP_KERNEL);
	u64 *safe = raw + BENCH_ROUNDS_MAX;

	KUNIT_ASSERT_NOT_NULL(test, raw);
	pair->raw(ctx, pair->loops);
	pair->safe(ctx, pair->loops);
	for (unsigned int i = 0; i < count; i++) {
		raw[i] = bench_once(pair->raw, ctx, pair->loops);
		safe[i] = bench_once(pair->safe, ctx, pair->loops);
	}
	sort(raw, count, sizeof(*raw), bench_cmp, NULL);
	sort(safe, count, sizeof(*safe), bench_cmp, NULL);
	kunit_info(test, "bench,%s,%u,%u,%llu,%llu,%llu,%llu", pair->name, n, count,
		   raw[count / 2], safe[count / 2], raw[0], safe[0]);
	kunit_kfree(test, raw);
}

kunit_test_suites(&bench_ctx_suite, &bench_shmem_suite, &bench_gpuvm_suite);

MODULE_DESCRIPTION("Benchmark of the DRM safe helpers");
MODULE_LICENSE("Dual MIT/GPL");
